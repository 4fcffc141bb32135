package sample

import "sync"

func run(tasks []func()) {
	var group sync.WaitGroup
	for _, task := range tasks {
		go func() {
			// ruleid: go-add-in-goroutine
			group.Add(1)
			defer group.Done()
			task()
		}()
	}
	go func() {
		prepare()
		// ruleid: go-add-in-goroutine
		group.Add(1)
		defer group.Done()
	}()
	group.Wait()
}

func fine(tasks []func(), counter *atomic.Int64) {
	var group sync.WaitGroup
	for _, task := range tasks {
		// ok: go-add-in-goroutine
		group.Add(1)
		go func() {
			defer group.Done()
			// ok: go-add-in-goroutine
			counter.Add(1)
			task()
		}()
	}
	group.Wait()
}
