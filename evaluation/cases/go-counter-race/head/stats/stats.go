package stats

import "net/http"

var hits = map[string]int{}

// Wrap counts requests by path and passes them on to next.
func Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits[r.URL.Path]++
		next.ServeHTTP(w, r)
	})
}
