package bank

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
)

// open serves a sandbox bank with the entries of a profile, and returns its address.
func open(t *testing.T, differs string) string {
	t.Helper()
	p := profile.Builtin()
	if differs != "" {
		var err error
		if p, err = profile.Read("bank.toml", []byte(differs)); err != nil {
			t.Fatal(err)
		}
	}
	bank := sandbox.New(sandbox.Config{Profile: p})
	server := httptest.NewServer(bank)
	t.Cleanup(server.Close)
	return server.URL
}

// examine runs all checks against a bank with a profile that has the lines.
func examine(t *testing.T, url, broker string, lines []string) []finding.Finding {
	t.Helper()
	p, err := profile.Read("profile.toml", []byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatalf("the proposal is no profile: %v\n%s", err, strings.Join(lines, "\n"))
	}
	x := Examine(Config{
		BaseURL: url, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret, Broker: broker,
		Username: sandbox.BrokerA.Users[0], Partner: sandbox.BrokerA.Partner.String(), Profile: p, MaxPerSecond: 2000,
	})
	defer x.Close()
	var all []finding.Finding
	for _, check := range x.Checks() {
		ctx, cancel := context.WithTimeout(t.Context(), check.Timeout)
		for _, f := range check.Run(ctx) {
			if f.Subject == "" {
				f.Subject = check.Subject
			}
			all = append(all, f)
		}
		cancel()
	}
	t.Logf("%d requests", x.requests)
	return all
}

func linesOf(found []finding.Finding) (all []string) {
	for _, f := range found {
		all = append(all, f.Lines...)
	}
	return all
}

func show(found []finding.Finding) string {
	var out strings.Builder
	for _, f := range found {
		fmt.Fprintf(&out, "%-9s %-15s %s %v\n", f.Status, f.Subject, f.Code, f.Args)
		for _, line := range f.Lines {
			fmt.Fprintf(&out, "\t%.160s\n", line)
		}
	}
	return out.String()
}

// wrong returns the findings that say that something has to be corrected.
func wrong(found []finding.Finding) []finding.Finding {
	return slices.DeleteFunc(slices.Clone(found), func(f finding.Finding) bool {
		return f.Status == finding.OK || f.Status == finding.NotTried
	})
}

func TestTheSandboxIsConfirmed(t *testing.T) {
	found := examine(t, open(t, ""), sandbox.BrokerA.UID.String(), nil)
	t.Log(show(found))
	if bad := wrong(found); len(bad) > 0 {
		t.Errorf("found\n%s", show(bad))
	}
}
