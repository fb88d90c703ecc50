package slacksim

import (
	"context"
	"io/fs"
	"net/http"
	"time"
)

type manifest struct{}
type trigger struct{}
type responseURL struct{}
type view struct{ ID string }
type file struct{}
type sockets struct{}
type message struct{}
type place struct{ viewID, channel, ts string }

func (manifest) name() string            { return "" }
func readManifest([]byte) manifest       { return manifest{} }
func newSockets() sockets                { return sockets{} }
func wordFiles() fs.FS                   { return nil }
func (s *Sim) routes() *http.ServeMux    { return nil }
func (s *Sim) closeSockets()             {}
func (v *view) seen() View               { return View{} }
func (m *message) seen(c string) Message { return Message{} }
func (m *message) visibleTo(string) bool { return false }
func (s *Sim) sendEnvelope(ctx context.Context, p payload, attempt int, reason string) Delivered {
	return Delivered{At: time.Now()}
}
func (s *Sim) command(ctx context.Context, user, channel, line string) error { return nil }
func (s *Sim) say(ctx context.Context, user, channel, text string) error     { return nil }
func (s *Sim) openHome(user string) error                                    { return nil }
func (s *Sim) keep(user, view string, typed State) error                     { return nil }
func (s *Sim) submit(ctx context.Context, user, view string, typed State) (Submitted, error) {
	return Submitted{}, nil
}
func (s *Sim) closeView(ctx context.Context, user, view string) error                { return nil }
func (u *User) typed(ctx context.Context, v View, values Values) (State, error)      { return nil, nil }
func (u *User) click(ctx context.Context, at place, id string, value []string) error { return nil }
func (u *User) options(ctx context.Context, at place, block, query string) ([]Option, error) {
	return nil, nil
}

// File gives the bytes of a file that the app uploaded; nil when there is none with that id.
func (s *Sim) File(id string) []byte { return nil }

// DisconnectSockets asks the app to refresh every Socket Mode connection, then cuts it.
func (s *Sim) DisconnectSockets() {}

// Sockets counts the open Socket Mode connections.
func (s *Sim) Sockets() int { return 0 }

// WaitEvents waits until every event has been delivered or given up.
func (s *Sim) WaitEvents(ctx context.Context) error { return nil }
