// Package web holds the files of the dashboard's page.
package web

import (
	"embed"
	"io/fs"
)

//go:embed static
var static embed.FS

// Files gives the page's files; index.html is at the root.
func Files() fs.FS {
	sub, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the folder is part of this build
	}
	return sub
}
