package mcpapp

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/mark3labs/mcp-go/server"
)

// The server is a protected resource in the sense of OAuth (RFC 9728): its metadata tell clients which issuer gives tokens for it.

const (
	endpoint         = "/mcp"
	resourceMetadata = server.WellKnownProtectedResourcePath
)

// Mount has a mux serve everything of the [App] at its paths.
func (a *App) Mount(mux *http.ServeMux) {
	handler := a.Handler()
	mux.Handle(endpoint, handler)
	mux.Handle(endpoint+"/", handler)
	if a.config.Issuer != nil {
		mux.Handle(resourceMetadata, handler)
		mux.Handle(resourceMetadata+"/", handler)
	}
}

// SharedPaths are the paths of [App.Handler] that web pages of the allowed origins use.
func SharedPaths() []string { return []string{endpoint, resourceMetadata, resourceMetadata + "/"} }

// resourceName returns the name of this server as a resource: its address.
func (a *App) resourceName(r *http.Request) string { return a.baseOf(r) + endpoint }

// metadataAddress returns the address of the metadata.
func (a *App) metadataAddress(r *http.Request) string {
	resource := a.resourceName(r)
	u, err := url.Parse(resource)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: server.ProtectedResourceMetadataPath(resource)}).String()
}

// serveMetadata serves the metadata at the path of the endpoint, where RFC 9728 has it, and at the root, where some clients look.
// A proxy may have put the endpoint below a path of its own.
func (a *App) serveMetadata(w http.ResponseWriter, r *http.Request) {
	resource := a.resourceName(r)
	switch r.URL.Path {
	case resourceMetadata, resourceMetadata + endpoint, server.ProtectedResourceMetadataPath(resource):
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(server.ProtectedResourceMetadataConfig{ // the caller is gone if this fails
		Resource: resource, ResourceName: serverTitle, AuthorizationServers: []string{a.config.Issuer.URL()},
		ScopesSupported: []string{scopeRead, scopeWrite}, BearerMethodsSupported: []string{"header"},
	})
}
