package sample

import "sync"

// ruleid: go-lock-copied
func worker(id int, group sync.WaitGroup) {
	defer group.Done()
}

// ruleid: go-lock-copied
func guarded(mutex sync.Mutex) int {
	mutex.Lock()
	return 1
}

// ok: go-lock-copied
func fine(group *sync.WaitGroup, lock sync.Locker) {
	defer group.Done()
}

// ok: go-lock-copied
func local() {
	var mutex sync.Mutex
	mutex.Lock()
}
