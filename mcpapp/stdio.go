package mcpapp

import (
	"context"
	"errors"
	"io"
	"log"

	"github.com/mark3labs/mcp-go/server"
)

// ServeStdio serves one assistant, a message a line, until in ends or ctx is done. Nothing but messages is written to
// out. Only one may be served so in a process at a time, for the library has one such session.
func (a *App) ServeStdio(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, _, ok := a.identified(ctx, nil, "stdio")
	if !ok {
		return errors.New("serving on stdio: nobody to serve")
	}
	stdio := server.NewStdioServer(a.server)
	server.WithWorkerPoolSize(a.MaxPerActor)(stdio)
	// The library's lines may hold what an assistant sent; what matters of them comes back as an error.
	stdio.SetErrorLogger(log.New(io.Discard, "", 0))
	return stdio.Listen(ctx, in, out)
}
