package doctor

import (
	"flag"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs: run the test with -update and review it. Got\n%s", path, got)
	}
}

// bankTable returns the table of the bank's part for a sandbox bank with the entries of a profile.
func bankTable(t *testing.T, lang words.Lang, differs string) string {
	t.Helper()
	p, err := profile.Read("bank.toml", []byte(differs))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sandbox.New(sandbox.Config{Profile: p}))
	defer server.Close()
	s := settings.Settings{
		PortalURL: server.URL, PortalClientID: sandbox.SampleClientID, PortalClientSecret: sandbox.SampleClientSecret,
		PortalBrokerUID: sandbox.BrokerA.UID.String(), PortalPartnerUID: sandbox.BrokerA.Partner.String(), PortalUsername: sandbox.BrokerA.Users[0],
	}
	var table strings.Builder
	Run(t.Context(), lang, []Part{newBank(Setup{Settings: s, Lang: lang}, 1000)}, nil).WriteTable(&table)
	return table.String()
}

func TestTheBankIsShownWithTheLinesThatCureIt(t *testing.T) {
	golden(t, "bank-confirmed.txt", bankTable(t, words.English, ""))
	golden(t, "bank-differs.txt", bankTable(t, words.Portuguese, "taxonomies.path = \"/taxonomies/{name}\"\noperations.processDetail.reply.at = \"process\""))
}

func TestTheSandboxIsExaminedLikeAnyBank(t *testing.T) {
	report := Run(t.Context(), words.English, []Part{newBank(Setup{Settings: settings.Settings{PortalURL: settings.Sandbox}}, 1000)}, nil)
	if exit := report.Exit(); exit != exitOK || len(report.Findings) < 15 {
		t.Errorf("exits with %d and finds %d", exit, len(report.Findings))
	}
}
