package draft

import (
	"os"
	"path/filepath"
)

type Draft struct {
	Title string
	Body  []byte
}

// Save writes the draft to dir and reports whether that worked.
func Save(dir string, d Draft) error {
	f, err := os.Create(filepath.Join(dir, d.Title+".txt"))
	if err != nil {
		return nil
	}
	_, err = f.Write(d.Body)
	return err
}
