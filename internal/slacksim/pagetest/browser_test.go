// Package pagetest tries the workspace's page in a real browser, with the keyboard and with hostile text. It is apart
// from slacksim's own tests because it needs Chromium.
package pagetest

import (
	"testing"
	"time"

	"github.com/balcao/balcao/internal/browsertest"
)

// patience is how long the page may take to send what it must.
const patience = 20 * time.Second

func TestMain(m *testing.M) { browsertest.Main(m) }

// open shows the stage to a user, and waits until she can write.
func open(t *testing.T, s *stage, user string) *browsertest.Page {
	t.Helper()
	p := browsertest.Open(t, s.URL+"/?user="+user)
	p.Until("the page is ready", `document.querySelector('#channels button') && document.activeElement.id === 'composer'`)
	return p
}
