package mcpapp

import (
	"net/http"

	"github.com/mark3labs/mcp-go/server"
)

// NewWithFixtures returns an App that serves what add registers in place of the catalogue. Its HTTP front, its middleware and
// what it says of itself are those of [New]; options are for what only fixtures need.
func NewWithFixtures(config Config, add func(*server.MCPServer), options ...server.ServerOption) (*App, error) {
	a, err := New(config)
	if err != nil {
		return nil, err
	}
	a.server, a.readers = a.newServer(options...), nil
	add(a.server)
	return a, nil
}

// ThroughTheLibrary returns a handler that answers nothing directly.
func ThroughTheLibrary(a *App) http.Handler {
	readers := a.readers
	defer func() { a.readers = readers }()
	a.readers = nil
	return a.Handler()
}

// BeforeTheLibrary returns a handler that answers directly what it can, and leaves the rest to behind.
func BeforeTheLibrary(a *App, behind http.Handler) http.Handler {
	return within(behind, []func(http.Handler) http.Handler{a.authenticate, a.readBody, a.answerDirectly})
}

// Definition is what is served of a tool.
var Definition = definition
