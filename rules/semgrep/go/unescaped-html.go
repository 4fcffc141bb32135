package sample

import (
	"fmt"
	"html"
	"html/template"
	"net/http"
)

func greet(w http.ResponseWriter, r *http.Request) {
	name := r.FormValue("name")
	// ruleid: go-unescaped-html
	fmt.Fprintf(w, "<p>Hello %s</p>", name)
	// ruleid: go-unescaped-html
	page.Execute(w, template.HTML(r.URL.Query().Get("bio")))
	// ok: go-unescaped-html
	fmt.Fprintf(w, "<p>Hello %s</p>", html.EscapeString(name))
	// ok: go-unescaped-html
	fmt.Fprintf(w, "unknown user %s", name)
	// ok: go-unescaped-html
	page.Execute(w, name)
}
