package sample

import (
	"archive/tar"
	"archive/zip"
	"fmt"
	"path/filepath"
)

func unzip(archive *zip.Reader, target string) error {
	for _, file := range archive.File {
		// ruleid: go-zip-slip
		path := filepath.Join(target, file.Name)
		if err := extract(file, path); err != nil {
			return err
		}
	}
	return nil
}

func untar(reader *tar.Reader, target string) error {
	for {
		header, err := reader.Next()
		if err != nil {
			return err
		}
		// ruleid: go-zip-slip
		write(filepath.Join(target, header.Name), reader)
	}
}

func checked(archive *zip.Reader, target string) error {
	for _, file := range archive.File {
		if !filepath.IsLocal(file.Name) {
			return fmt.Errorf("bad name %q", file.Name)
		}
		// ok: go-zip-slip
		write(filepath.Join(target, file.Name), nil)
	}
	return nil
}

func copies(files []os.DirEntry, target string) error {
	for _, file := range files {
		// ok: go-zip-slip
		write(filepath.Join(target, file.Name()), nil)
	}
	return nil
}
