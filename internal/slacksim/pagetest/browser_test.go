// Package pagetest tests the workspace's page in a real browser, with the keyboard and with hostile text. It is separate
// from slacksim's own tests because it needs Chromium.
package pagetest

import (
	"testing"
	"time"

	"github.com/balcao/balcao/internal/browsertest"
	"github.com/balcao/balcao/internal/waittest"
)

// callTimeout is how long a test waits for a call of the page.
const callTimeout = 20 * time.Second

func TestMain(m *testing.M) {
	waittest.Parallel(4) // the tests wait for the page half of their time
	browsertest.Main(m)
}

// openPage opens the page as a user, and waits until it is ready.
func openPage(t *testing.T, s *server, user string) *browsertest.Page {
	t.Helper()
	p := browsertest.Open(t, s.URL+"/?user="+user)
	p.Until("the page is ready", `document.querySelector('#channels button') && document.activeElement.id === 'composer'`)
	return p
}
