package mcpapp

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// What clients show of this server.
const (
	serverName  = "balcao"
	serverTitle = "Balcão"
	website     = "https://github.com/balcao/balcao"
)

// IconPath is where [App.Handler] serves the icon, which pages of other sites may show.
const IconPath = "/mcp/icon.png"

// listLife is how long a client may use a list without asking again. A list depends on the caller's rights, which change when
// the program starts anew with other settings. A client that still has an old list is refused at the call.
const listLife = 5 * time.Minute

// metadata returns what the server says of itself and of its lists. A result is never for later: it is what the bank says now.
func metadata(config Config) []server.ServerOption {
	options := []server.ServerOption{
		server.WithTitle(serverTitle),
		server.WithWebsiteURL(website),
		server.WithCacheHints(0, mcp.CacheScopePrivate),
	}
	if icon := iconAddress(config.URL); icon != "" { // in every result of the revision 2026-07-28, so that it is not the image itself
		options = append(options, server.WithIcons(mcp.Icon{Src: icon, MIMEType: "image/png", Sizes: []string{"512x512"}}))
	}
	for _, list := range []mcp.MCPMethod{
		mcp.MethodServerDiscover, mcp.MethodToolsList, mcp.MethodPromptsList, mcp.MethodResourcesList, mcp.MethodResourcesTemplatesList,
	} {
		options = append(options, server.WithMethodCacheHints(list, listLife.Milliseconds(), mcp.CacheScopePrivate))
	}
	return options
}

// identifyShortly gives the result of a call the name and version of the server only. The library would repeat everything that
// the server says of itself in each.
func (a *App) identifyShortly(next server.ToolHandlerFunc) server.ToolHandlerFunc {
	return func(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		result, err := next(ctx, request)
		if result != nil && server.IsModernRequest(ctx) {
			result.EnsureResultMeta().SetServerInfo(mcp.Implementation{Name: serverName, Version: a.config.Version})
		}
		return result, err
	}
}

// iconAddress returns the address of the icon at a server with this address, "" if clients would not take it from there.
func iconAddress(base string) string {
	address, err := url.Parse(base)
	if err != nil || address.Scheme != "https" {
		return ""
	}
	return strings.TrimSuffix(base, "/") + IconPath
}

// Icon returns the icon, a PNG of 512 by 512 pixels.
func Icon() []byte {
	icon, err := pageFiles.ReadFile("page/icon.png")
	if err != nil {
		panic(err) // it is embedded
	}
	return icon
}

func serveIcon(w http.ResponseWriter, _ *http.Request) {
	header := w.Header()
	header.Set("Content-Type", "image/png")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	header.Set("Cache-Control", "public, max-age=86400")
	_, _ = w.Write(Icon()) // the caller is gone if this fails
}
