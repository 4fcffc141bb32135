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

func send(client *http.Client, url string) error {
	request, _ := http.NewRequest("POST", url, nil)
	// ruleid: go-body-not-closed
	response, err := client.Do(request)
	if err != nil || response.StatusCode != 200 {
		return err
	}
	return nil
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

func later(url string) int {
	// ok: go-body-not-closed
	response, err := http.Get(url)
	if err != nil {
		return 0
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode
}

func passed(url string) (*http.Response, error) {
	// ok: go-body-not-closed
	response, err := http.Get(url)
	return response, err
}
