package sample

import "os"

func read(names []string) {
	for _, name := range names {
		file, _ := os.Open(name)
		// ruleid: go-defer-in-loop
		defer file.Close()
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
}
