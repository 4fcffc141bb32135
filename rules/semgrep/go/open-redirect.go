package sample

import "net/http"

func login(w http.ResponseWriter, r *http.Request) {
	// ruleid: go-open-redirect
	http.Redirect(w, r, r.URL.Query().Get("next"), http.StatusFound)
}

func second(w http.ResponseWriter, r *http.Request) {
	next := r.FormValue("next")
	// ruleid: go-open-redirect
	http.Redirect(w, r, next, http.StatusFound)
	// ok: go-open-redirect
	http.Redirect(w, r, "/search?q="+r.FormValue("q"), http.StatusFound)
	// ok: go-open-redirect
	http.Redirect(w, r, r.URL.Path+"/", http.StatusFound)
}

func checked(w http.ResponseWriter, r *http.Request) {
	next := r.FormValue("next")
	if isLocal(next) {
		// ok: go-open-redirect
		http.Redirect(w, r, next, http.StatusFound)
	}
}
