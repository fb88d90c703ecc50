package mcpapp

import "github.com/mark3labs/mcp-go/server"

// NewWithFixtures returns an App that serves what add registers in place of the catalogue. Its HTTP front, its middleware and
// what it says of itself are those of [New]; options are for what only fixtures need.
func NewWithFixtures(config Config, add func(*server.MCPServer), options ...server.ServerOption) (*App, error) {
	a, err := New(config)
	if err != nil {
		return nil, err
	}
	a.server = a.newServer(options...)
	add(a.server)
	return a, nil
}
