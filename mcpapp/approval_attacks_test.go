package mcpapp_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

func TestOnlyThePersonWhoOpenedTheAddressDecides(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true)
	a := p.connect(t, modern, nil)
	asked := approvalIn(t, a.call(t, "create_borrower", newBorrower(t, nil)))
	address := p.address(t)
	for what, header := range map[string]map[string]string{
		"fetched in advance": {"Sec-Purpose": "prefetch"}, "fetched in advance by another browser": {"Purpose": "prefetch"},
		"read by another site's page": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "empty"},
		"shown in a frame":            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
		"by another name":             {"Host": "evil.example"},
	} {
		if got := browser(t).send(http.MethodGet, address, "", header); got.header.Get("Set-Cookie") != "" {
			t.Errorf("%s gives a session", what)
		}
	}
	browser(t).send(http.MethodHead, address, "", nil)

	ana := browser(t).opens(address)
	cookie := ana.client.Jar.Cookies(parsed(t, ana.home))[0]
	if got := browser(t).get(address); got.status != http.StatusGone || got.header.Get("Set-Cookie") != "" {
		t.Errorf("the address opened again gives %d", got.status)
	}
	approve := ana.forms("/approve")[0]
	if !strings.Contains(ana.body, asked.ID) {
		t.Fatalf("the page does not show it: %s", ana.text())
	}
	origin := ana.origin()
	for what, attack := range map[string]struct {
		header map[string]string
		values map[string]string // replaced in the form
		want   int
	}{
		"without a cookie":                {map[string]string{"Cookie": ""}, nil, http.StatusForbidden},
		"with another cookie":             {map[string]string{"Cookie": cookie.Name + "=" + strings.Repeat("A", 43)}, nil, http.StatusForbidden},
		"with the secret of the address":  {map[string]string{"Cookie": cookie.Name + "=" + address[len(address)-43:]}, nil, http.StatusForbidden},
		"from another site's page":        {map[string]string{"Origin": "https://evil.example"}, nil, http.StatusForbidden},
		"from a page of another port":     {map[string]string{"Origin": "http://127.0.0.1:1"}, nil, http.StatusForbidden},
		"from a page without an origin":   {map[string]string{"Origin": "null"}, nil, http.StatusForbidden},
		"from a program without a page":   {map[string]string{"Origin": ""}, nil, http.StatusForbidden},
		"from a site of this machine":     {map[string]string{"Sec-Fetch-Site": "same-site"}, nil, http.StatusForbidden},
		"by another name of this machine": {map[string]string{"Host": "evil.example"}, nil, http.StatusForbidden},
		"without a token":                 {nil, map[string]string{"token": ""}, http.StatusForbidden},
		"with a forged token":             {nil, map[string]string{"token": strings.Repeat("A", 43)}, http.StatusForbidden},
		"with what was not shown":         {nil, map[string]string{"seen": "0123456789abcdef"}, http.StatusOK},
		"another approval":                {nil, map[string]string{"id": "aaaaaaaaaaaaaaaaaaaaaaaaaa"}, http.StatusOK},
	} {
		header := map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Origin": origin, "Cookie": cookie.Name + "=" + cookie.Value}
		for name, value := range attack.header {
			if header[name] = value; value == "" {
				delete(header, name)
			}
		}
		values := approve.values
		for name, value := range attack.values {
			changed := htmlForm{values: map[string][]string{}}
			for each, all := range values {
				changed.values[each] = all
			}
			changed.values[name] = []string{value}
			values = changed.values
		}
		for _, action := range []string{"approve", "decline"} {
			if attack.want == http.StatusOK && action == "decline" {
				continue
			}
			attacker := browser(t)
			attacker.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			got := attacker.send(http.MethodPost, ana.home+action, values.Encode(), header)
			if want := attack.want; got.status != want && (want != http.StatusOK || got.status != http.StatusSeeOther) {
				t.Errorf("%s %s gives %d: %s", what, action, got.status, got.text())
			}
			if strings.Contains(got.body, "299999998") {
				t.Errorf("%s shows the borrower", what)
			}
		}
	}
	// A session reads by GET, and changes nothing by it.
	for _, path := range []string{"approve?" + approve.values.Encode(), "decline?" + approve.values.Encode(), "form/" + asked.ID + "?do=approve&" + approve.values.Encode(), "", "style.css"} {
		_ = ana.get(ana.home + path)
	}
	for _, path := range []string{"", "form/" + asked.ID} {
		if got := browser(t).get(ana.home + path); got.status != http.StatusForbidden || strings.Contains(got.body, "299999998") {
			t.Errorf("without a session %q gives %d", path, got.status)
		}
	}
	if n := p.bank.Calls(portal.BorrowerCreate); n != 0 {
		t.Errorf("the bank was called %d times", n)
	}
	if told := approvalIn(t, a.call(t, "await_approval", map[string]any{"approval": asked.ID, "seconds": 0})); told.Status != "waiting" {
		t.Errorf("got %+v", told)
	}
	if cookie.Value == "" || !strings.HasPrefix(cookie.Name, "balcao-") {
		t.Errorf("the cookie is %v", cookie)
	}
}

func TestTheCookieOfASessionIsForThePageAlone(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true)
	_ = p.connect(t, modern, nil).call(t, "create_borrower", newBorrower(t, nil))
	got := browser(t).get(p.address(t)).header.Get("Set-Cookie")
	contains(t, got, "Path=/mcp/approvals/", "HttpOnly", "SameSite=Strict", "Max-Age=3600")
}

func TestNobodySeesOrDecidesWhatIsAnothers(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true, func(o *options) {
		o.app.Actor = func(_ context.Context, r *http.Request) (tools.Actor, bool) {
			if r.Header.Get("X-Bruno") != "" {
				return tools.Actor{ID: "mcp:bruno", Lang: words.English}, true
			}
			return tools.Actor{ID: "mcp:ana", Lang: words.English}, true
		}
	})
	a := p.connect(t, modern, nil)
	asked := approvalIn(t, a.call(t, "create_borrower", newBorrower(t, nil)))
	ana := browser(t).opens(p.address(t))
	theirs := rawClient{url: p.server.URL + "/mcp", headers: map[string]string{"X-Bruno": "1"}}
	if reply := theirs.call(t, modern, 1, "create_borrower", newBorrower(t, map[string]string{"name": `"Eva Amostra"`})); reply.status != http.StatusOK {
		t.Fatalf("got %d", reply.status)
	}
	bruno := browser(t).opens(p.address(t))
	lacks(t, bruno.text(), "Rui Amostra")
	lacks(t, ana.get(ana.home).text(), "Eva Amostra")
	form := ana.forms("/approve")[0]
	form.values.Set("token", bruno.forms("/approve")[0].values.Get("token"))
	bruno.sends(form)
	contains(t, bruno.text(), "somebody else's")
	bruno.get(bruno.home + "form/" + asked.ID)
	lacks(t, bruno.body, "Rui Amostra")
	decline := htmlForm{"/mcp/approvals/decline", form.values}
	bruno.sends(decline)
	contains(t, bruno.text(), "somebody else's")
	check := htmlForm{"/mcp/approvals/form/" + asked.ID, form.values}
	check.values.Set("do", "approve")
	bruno.sends(check)
	contains(t, bruno.text(), "decided already")
	if p.bank.Calls(portal.BorrowerCreate) != 0 {
		t.Error("the bank was called")
	}
}

func TestAnApprovalWhoseTimeIsOverIsNotDone(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true)
	p.runner.ApprovalLife = 2 * time.Second
	a := p.connect(t, modern, nil)
	asked := approvalIn(t, a.call(t, "create_borrower", newBorrower(t, nil)))
	ana := browser(t).opens(p.address(t))
	form := ana.forms("/approve")[0]
	waittest.Eventually(t, "its time is over", func() bool {
		return approvalIn(t, a.call(t, "await_approval", map[string]any{"approval": asked.ID, "seconds": 0})).Status == "expired"
	})
	ana.sends(form)
	contains(t, ana.text(), "The time to decide this is over", "Nothing waits for you")
	ana.get(ana.home + "form/" + asked.ID)
	if p.bank.Calls(portal.BorrowerCreate) != 0 {
		t.Error("the bank was called")
	}
}

// A program that starts anew on the same store goes on with what waits: with a new address, and without the old sessions.
func TestAProgramThatStartsAnewShowsWhatWaits(t *testing.T) {
	t.Parallel()
	p := startWithPage(t, true)
	_ = p.connect(t, modern, nil).call(t, "create_borrower", newBorrower(t, nil))
	unopened := p.address(t)
	again := &pageEnv{announced: p.announced, wire: p.wire}
	p.config.Address = ""
	again.env = p.replica(t)
	again.connect(t, legacy, nil) // on stdio
	ana := browser(t).opens(p.address(t))
	contains(t, ana.text(), "299999998")
	_, secret, _ := strings.Cut(unopened, "/open/")
	if got := browser(t).get(ana.home + "open/" + secret); got.status != http.StatusGone {
		t.Errorf("an address of the other program gives %d", got.status)
	}
	ana.submit("/approve")
	contains(t, ana.text(), "Borrower created")
	if p.bank.Calls(portal.BorrowerCreate) != 1 {
		t.Error("the bank was not called once")
	}
}

func parsed(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	return u
}
