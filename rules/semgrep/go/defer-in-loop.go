package sample

import "os"

func read(names []string) {
	for _, name := range names {
		file, _ := os.Open(name)
		// ruleid: go-defer-in-loop
		defer file.Close()
	}
	for i := 0; i < 3; i++ {
		if mutex, ok := locks[i]; ok {
			mutex.Lock()
			// ruleid: go-defer-in-loop
			defer mutex.Unlock()
		}
	}
}

func fine(names []string) {
	file, _ := os.Open(names[0])
	// ok: go-defer-in-loop
	defer file.Close()
	for _, name := range names {
		func() {
			file, _ := os.Open(name)
			// ok: go-defer-in-loop
			defer file.Close()
		}()
	}
	for _, name := range names {
		group.Go(func() error {
			file, _ := os.Open(name)
			// ok: go-defer-in-loop
			defer file.Close()
			return nil
		})
	}
	for _, name := range names {
		if file, err := os.Open(name); err == nil {
			// ok: go-defer-in-loop
			defer file.Close()
			parse(file)
			return
		}
	}
}
