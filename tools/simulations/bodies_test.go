package simulations_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
)

// bodyLog records the bodies of requests about simulations, by method.
type bodyLog struct {
	mu     sync.Mutex
	bodies map[string][]string
}

func (l *bodyLog) before(bank http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/simulations") {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			l.mu.Lock()
			if l.bodies == nil {
				l.bodies = map[string][]string{}
			}
			l.bodies[r.Method] = append(l.bodies[r.Method], strings.TrimSpace(string(body)))
			l.mu.Unlock()
		}
		bank.ServeHTTP(w, r)
	})
}

func (l *bodyLog) of(method string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bodies[method]
}
