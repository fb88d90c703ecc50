package mcpapp

import (
	"embed"
	"io/fs"

	"github.com/balcao/balcao/internal/words"
)

// The door's own texts. What it says of tools and fields are theirs.
//
//go:embed words
var wordFiles embed.FS

var book = loadBook()

func loadBook() *words.Book {
	files, err := fs.Sub(wordFiles, "words")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return words.Load(files)
}
