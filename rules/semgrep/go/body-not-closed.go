package sample

import "net/http"

func status(url string) int {
	// ruleid: go-body-not-closed
	response, err := http.Get(url)
	if err != nil {
		return 0
	}
	return response.StatusCode
}

func fine(url string) int {
	// ok: go-body-not-closed
	response, err := http.Get(url)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}
