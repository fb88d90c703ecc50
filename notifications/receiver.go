package notifications

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/balcao/balcao/internal/bodies"
	"github.com/balcao/balcao/portal"
)

const (
	maxBody     = 64 << 10
	bodyTimeout = 5 * time.Second
)

// receiver handles the bank's callbacks, which may be forged. Of the body only the id of the process or simulation is used,
// which is read again.
type receiver struct {
	tokens      [][sha256.Size]byte
	known       func(notificationType int32) bool
	read        func(body []byte) (portal.Notification, error)
	add         func(context.Context, Trigger) error
	instruments *instruments
	failed      func(error)
}

func newReceiver(tokens []string, known func(int32) bool, read func([]byte) (portal.Notification, error), add func(context.Context, Trigger) error, count *instruments, failed func(error)) *receiver {
	r := &receiver{known: known, read: read, add: add, instruments: count, failed: failed}
	for _, token := range tokens {
		if token != "" {
			r.tokens = append(r.tokens, sha256.Sum256([]byte(token)))
		}
	}
	return r
}

// ServeHTTP handles POST /callbacks/{token}/{notificationType}. A caller without a valid token learns nothing, not even
// which types exist, and its body is not read.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	kind, ok := r.admit(req)
	if !ok {
		r.refuse(w, http.StatusNotFound, "refused")
		return
	}
	read, err := bodies.Read(w, req, maxBody, bodyTimeout) // limited, since a token may leak
	switch {
	case errors.Is(err, bodies.ErrTooLarge):
		r.refuse(w, http.StatusRequestEntityTooLarge, "too_large")
		return
	case errors.Is(err, bodies.ErrFull):
		w.Header().Set("Retry-After", "5")
		r.refuse(w, http.StatusServiceUnavailable, "failed")
		return
	case err != nil:
		r.refuse(w, http.StatusBadRequest, "garbage")
		return
	}
	body := read.Bytes()
	read.Free()
	about, err := r.read(body)
	switch {
	case err != nil:
		r.refuse(w, http.StatusBadRequest, "garbage")
		return
	}
	if err := r.add(req.Context(), Trigger{Subject: Subject(about), Source: Callback, Type: kind}); err != nil {
		r.failed(err)
		w.Header().Set("Retry-After", "5")
		r.refuse(w, http.StatusServiceUnavailable, "failed")
		return
	}
	r.instruments.callback("accepted")
	w.WriteHeader(http.StatusAccepted)
}

// admit parses and checks the path, in constant time for all tokens.
func (r *receiver) admit(req *http.Request) (kind int32, ok bool) {
	parts := strings.Split(req.URL.Path, "/")
	if len(parts) != 4 || parts[0] != "" || parts[1] != "callbacks" {
		return 0, false
	}
	given, match := sha256.Sum256([]byte(parts[2])), 0
	for _, token := range r.tokens {
		match |= subtle.ConstantTimeCompare(given[:], token[:])
	}
	number, err := strconv.ParseUint(parts[3], 10, 31)
	digits := len(parts[3]) <= 6 && strconv.FormatUint(number, 10) == parts[3]
	ok = match == 1 && err == nil && digits && req.Method == http.MethodPost && r.known(int32(number))
	return int32(number), ok
}

func (r *receiver) refuse(w http.ResponseWriter, status int, result string) {
	r.instruments.callback(result)
	bodies.Leave(w)
	http.Error(w, http.StatusText(status), status)
}
