package sample

import (
	"net"
	"net/http"
)

func status(url string) error {
	// ruleid: go-used-before-error-check
	response, err := http.Get(url)
	defer response.Body.Close()
	if err != nil {
		return err
	}
	// ruleid: go-used-before-error-check
	connection, err := net.Dial("tcp", url)
	defer connection.Close()
	if err != nil {
		return err
	}
	return nil
}

func fine(url string) error {
	// ok: go-used-before-error-check
	response, err := http.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	// ok: go-used-before-error-check
	file := open(url)
	defer file.Close()
	return nil
}
