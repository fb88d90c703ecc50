package portal

import (
	"strings"
	"testing"
)

func TestASetClockNeitherEndsASessionNorKeepsIt(t *testing.T) {
	client, err := New(Config{BaseURL: "https://bank.example", ClientID: "id", ClientSecret: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	login := Login{Username: "maria@example.com"}
	client.sessions.add(login, "token")
	opened := client.sessions.open[login].used
	client.sessions.use(login)
	used := client.sessions.open[login].used
	for name, moment := range map[string]string{"opened": opened.String(), "used": used.String()} {
		if !strings.Contains(moment, " m=+") { // how a time prints that is measured by the monotonic clock
			t.Errorf("when a session was %s is not measured by the monotonic clock: %s", name, moment)
		}
	}
}
