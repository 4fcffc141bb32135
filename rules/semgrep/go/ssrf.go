package sample

import (
	"fmt"
	"net/http"
	"net/url"
)

func proxy(w http.ResponseWriter, r *http.Request) {
	// ruleid: go-ssrf
	http.Get(r.URL.Query().Get("url"))
	target := r.FormValue("host")
	// ruleid: go-ssrf
	request, _ := http.NewRequest("GET", fmt.Sprintf("http://%s/status", target), nil)
	send(request)
	// ok: go-ssrf
	http.Get("https://api.example.com/items?q=" + url.QueryEscape(r.FormValue("q")))
	// ok: go-ssrf
	http.Get(baseURL + "/items/" + r.FormValue("id"))
	// ok: go-ssrf
	http.Get(fmt.Sprintf("https://api.example.com/items/%s", r.FormValue("id")))
}
