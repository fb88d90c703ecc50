package webguard

import (
	"log/slog"
	"net/http"
	"time"
)

// NewServer returns an HTTP server with a time-out for every wait, protected by guard from pages of other sites. Handlers
// that stream extend their own deadline.
func NewServer(handler http.Handler, guard Guard, log *slog.Logger) *http.Server {
	guard.Log = log
	return &http.Server{
		Handler:           guard.Handler(handler),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      90 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
