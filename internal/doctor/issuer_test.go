package doctor

import (
	"net/http"
	"testing"

	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/internal/issuertest"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/words"
)

func TestTheIssuerIsExamined(t *testing.T) {
	t.Parallel()
	key := issuertest.NewKey(t, "1", issuertest.ES256)
	for name, c := range map[string]struct {
		change func(*issuertest.Issuer)
		code   string
		status finding.Status
	}{
		"all is well":  {func(*issuertest.Issuer) {}, "issuer.usable", finding.OK},
		"another name": {func(i *issuertest.Issuer) { i.CallItself(i.URL + "/") }, "issuer.other_issuer", finding.Fail},
		"no metadata":  {func(i *issuertest.Issuer) { i.Answer(http.NotFound) }, "issuer.no_metadata", finding.Fail},
		"no key":       {func(i *issuertest.Issuer) { i.Publish() }, "issuer.no_keys", finding.Fail},
		"it does not serve": {func(i *issuertest.Issuer) {
			i.Answer(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		}, "issuer.unreachable", finding.Fail},
	} {
		from := issuertest.Start(t, "/realms/team", key)
		c.change(from)
		for _, lang := range words.Langs {
			found := Run(t.Context(), lang, NewIssuer(Setup{Settings: settings.Settings{MCPIssuer: from.URL}, Lang: lang}), nil).Findings
			if len(found) != 1 || found[0].Code != c.code || found[0].Status != c.status || found[0].What == c.code || (found[0].Fix == "") != (c.status == finding.OK) {
				t.Errorf("%s: got %+v", name, found)
			}
		}
	}
	if parts := NewIssuer(Setup{}); parts != nil {
		t.Errorf("without an issuer there is the part %s", parts[0].Name)
	}
	blocked := Setup{Settings: settings.Settings{MCPIssuer: "login.example"}, Problems: settings.Problems{{Name: "MCP_ISSUER", What: "wrong"}}}
	if found := Run(t.Context(), words.English, NewIssuer(blocked), nil).Findings; len(found) != 1 || found[0].Status != finding.NotTried {
		t.Errorf("a wrong setting: %+v", found)
	}
}
