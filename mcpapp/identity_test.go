package mcpapp_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/issuer"
	"github.com/balcao/balcao/internal/issuertest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

const (
	resource   = "https://mcp.example.com/mcp"
	anasToken  = "balcao_synthetic_token_of_ana"
	ritasToken = "balcao_synthetic_token_of_rita"
)

// knownPeople is a table of people: actors by e-mail address, and by token.
type knownPeople struct {
	byEmail, byToken map[string]string
}

func (p knownPeople) OfToken(hash [sha256.Size]byte) (tools.Actor, bool) {
	for token, actor := range p.byToken {
		if sha256.Sum256([]byte(token)) == hash {
			return tools.Actor{ID: actor}, true
		}
	}
	return tools.Actor{}, false
}

func (p knownPeople) OfAccount(account issuer.Account) (tools.Actor, bool) {
	actor, ok := p.byEmail[account.Email]
	return tools.Actor{ID: actor, Lang: words.Lang(account.Locale)}, ok
}

func people() knownPeople {
	return knownPeople{
		byEmail: map[string]string{"ana@mediadora.example": "ana", "rita@outra.example": "rita", "bruno@mediadora.example": "bruno"},
		byToken: map[string]string{anasToken: "ana", ritasToken: "rita", "balcao_synthetic_token_of_bruno": "bruno"},
	}
}

// protected is an App that takes access tokens of an issuer over HTTP.
type protected struct {
	*env
	rawClient
	issuer *issuertest.Issuer
	key    issuertest.Key
	bank   *overheard
}

func startProtected(t *testing.T, change ...func(*options)) protected {
	t.Helper()
	key := issuertest.NewKey(t, "1", issuertest.ES256)
	from := issuertest.Start(t, "/realms/team", key)
	verifier := issuer.New(issuer.Config{URL: from.URL, Audience: resource})
	t.Cleanup(func() { must(t, verifier.Close()) })
	heard := &overheard{}
	e := start(t, append([]func(*options){func(s *options) {
		s.app.Issuer, s.app.People, s.app.URL, s.app.AllowedHosts = verifier, people(), "https://mcp.example.com", []string{"mcp.example.com"}
		s.proxy = heard.of
	}}, change...)...)
	return protected{e, rawClient{url: e.serve(t), headers: map[string]string{"Host": "mcp.example.com"}}, from, key, heard}
}

// overheard keeps what is sent to the bank.
type overheard struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *overheard) of(bank http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		o.mu.Lock()
		fmt.Fprint(&o.text, r.Method, r.URL, r.Header, string(body))
		o.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		bank.ServeHTTP(w, r)
	})
}

func (o *overheard) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// token returns a valid access token, changed by names and values of claims.
func (p protected) token(namesAndValues ...any) string {
	return p.key.Sign(nil, p.issuer.Claims(resource, namesAndValues...))
}

func (p protected) with(token string) rawClient {
	return rawClient{url: p.url, headers: map[string]string{"Host": "mcp.example.com", "Authorization": "Bearer " + token}}
}

func TestEveryAttackWithATokenIsRefusedInBothRevisions(t *testing.T) {
	t.Parallel()
	p := startProtected(t)
	stranger := issuertest.NewKey(t, "1", issuertest.ES256)
	rsa := issuertest.NewKey(t, "2", issuertest.RS256)
	p.issuer.Publish(p.key, rsa)
	claims := p.issuer.Claims(resource)
	const invalid, needs = `error="invalid_token"`, `scope="balcao.read balcao.write"`
	now := time.Now()
	attacks := map[string]struct {
		authorization string
		query         string
		status        int
		challenge     string // in WWW-Authenticate
	}{
		"no token":                     {"", "", 401, needs},
		"a token of another audience":  {"Bearer " + p.key.Sign(nil, p.issuer.Claims("https://other.example/mcp")), "", 401, invalid + `, error_description="wrong_audience"`},
		"the issuer's token for a UI":  {"Bearer " + p.token("aud", "client-of-the-person"), "", 401, `error_description="wrong_audience"`},
		"none":                         {"Bearer " + rsa.Sign(map[string]any{"alg": "none"}, claims), "", 401, `error_description="wrong_algorithm"`},
		"the public key as a secret":   {"Bearer " + rsa.Sign(map[string]any{"alg": "HS256"}, claims), "", 401, `error_description="wrong_algorithm"`},
		"a wrong key":                  {"Bearer " + stranger.Sign(nil, claims), "", 401, `error_description="wrong_signature"`},
		"a key in the token":           {"Bearer " + stranger.Sign(map[string]any{"kid": "x", "jwk": stranger.Public()}, claims), "", 401, `error_description="unknown_key"`},
		"expired":                      {"Bearer " + p.token("exp", now.Add(-2*time.Minute).Unix()), "", 401, `error_description="expired"`},
		"without an end":               {"Bearer " + p.token("exp", nil), "", 401, `error_description="expired"`},
		"not valid yet":                {"Bearer " + p.token("nbf", now.Add(2*time.Minute).Unix()), "", 401, `error_description="not_yet_valid"`},
		"another issuer":               {"Bearer " + p.token("iss", "https://evil.example"), "", 401, `error_description="wrong_issuer"`},
		"a token to log out":           {"Bearer " + p.key.Sign(map[string]any{"typ": "logout+jwt"}, claims), "", 401, `error_description="wrong_type"`},
		"a stolen token with a proof":  {"Bearer " + p.token("cnf", map[string]any{"jkt": "x"}), "", 401, `error_description="bound"`},
		"no scope":                     {"Bearer " + p.token("scope", "openid"), "", 403, `error="insufficient_scope", scope="balcao.read"`},
		"only the scope to write":      {"Bearer " + p.token("scope", "balcao.write"), "", 403, `error="insufficient_scope", scope="balcao.read"`},
		"a scope that begins alike":    {"Bearer " + p.token("scope", "balcao.reader"), "", 403, `error="insufficient_scope", scope="balcao.read"`},
		"nobody whom the table has":    {"Bearer " + p.token("email", "eve@evil.example"), "", 403, ""},
		"an address not verified":      {"Bearer " + p.token("email_verified", false), "", 403, ""},
		"in the address":               {"", "?access_token=" + p.token(), 400, `error="invalid_request"`},
		"in the address too":           {"Bearer " + p.token(), "?access_token=x", 400, `error="invalid_request"`},
		"another scheme":               {"Basic " + p.token(), "", 401, invalid},
		"a personal token of nobody":   {"Bearer balcao_synthetic_token_of_eve", "", 401, invalid},
		"the hash of a personal token": {fmt.Sprintf("Bearer %x", sha256.Sum256([]byte(anasToken))), "", 401, invalid},
		"the token of the bank":        {"Bearer " + sandbox.SampleClientSecret, "", 401, invalid},
	}
	for _, revision := range []string{legacy, modern} {
		if reply := p.with(p.token()).request(t, revision, 1, "tools/list", nil); reply.status != 200 {
			t.Fatalf("a valid token: %d %s", reply.status, reply.body) // and its address is trusted
		}
		for name, c := range attacks {
			w := p.rawClient
			w.url += c.query
			w.headers = map[string]string{"Host": "mcp.example.com"}
			if c.authorization != "" {
				w.headers["Authorization"] = c.authorization
			}
			for method, reply := range map[string]reply{
				"tools/list":  w.request(t, revision, 1, "tools/list", nil),
				"tools/call":  w.call(t, revision, 1, "list_borrowers", map[string]any{"process": 1042}),
				"a writing":   w.call(t, revision, 1, "create_borrower", validBorrower()),
				"resources":   w.request(t, revision, 1, "resources/read", map[string]any{"uri": "balcao://processes/1042/esis"}),
				"not a thing": w.send(t, "GET", ""),
			} {
				challenge := reply.header.Get("WWW-Authenticate")
				if reply.status != c.status || !strings.Contains(challenge, c.challenge) {
					t.Errorf("%s, %s, %s: got %d, %s", revision, name, method, reply.status, challenge)
				}
				metadata := `resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"`
				if (c.challenge == "") != (challenge == "") || challenge != "" && !strings.Contains(challenge, metadata) {
					t.Errorf("%s, %s, %s: the challenge is %q", revision, name, method, challenge)
				}
				lacks(t, reply.body, "borrower", "eyJ")
			}
		}
	}
	if n := p.env.bank.Logins(); n != 0 {
		t.Errorf("the bank got %d logins", n)
	}
	lacks(t, p.log.String(), "eyJ", "mediadora.example", "evil.example", "subject-of-ana", anasToken, "synthetic_token")
	contains(t, p.log.String(), "token refused", "request refused")
}

func TestATokenActsAsItsPersonAndGoesNoFurther(t *testing.T) {
	t.Parallel()
	p := startProtected(t)
	tokens := map[string][]string{
		"ana":  {p.token(), anasToken},
		"rita": {p.token("sub", "subject-of-rita", "email", "rita@outra.example"), ritasToken},
	}
	for _, revision := range []string{legacy, modern} {
		for name, own := range map[string]int{"ana": sandbox.SampleOpen, "rita": sandbox.SampleOthers} {
			for _, token := range tokens[name] {
				for _, process := range []int{sandbox.SampleOpen, sandbox.SampleOthers} {
					text, isError := p.with(token).call(t, revision, 1, "list_borrowers", map[string]any{"process": process}).answer(t)
					if isError == (process == own) {
						t.Errorf("%s, %s, process %d: %s", revision, name, process, text)
					}
				}
			}
		}
	}
	for _, all := range tokens {
		lacks(t, p.bank.String()+p.log.String(), all...)
	}
	lacks(t, p.bank.String()+p.log.String(), "subject-of", "eyJ")
	lacks(t, p.log.String(), "@mediadora.example", "@outra.example")
	contains(t, p.log.String(), `"actor":"ana"`, `"actor":"rita"`)
}

func TestTheLanguageOfARefusalIsTheCallers(t *testing.T) {
	t.Parallel()
	p := startProtected(t)
	for locale, want := range map[string]string{"pt-PT": "Referência: ", "": "Reference: "} {
		text, _ := p.with(p.token("locale", locale)).call(t, modern, 1, "list_borrowers", map[string]any{"process": sandbox.SampleOthers}).answer(t)
		contains(t, text, want)
	}
}

func TestACallThatNeedsMoreScopesSaysWhich(t *testing.T) {
	t.Parallel()
	for _, selection := range [][]string{nil, {tools.AllToolsets}} {
		p := startProtected(t, withTools(selection...))
		whole, reading := p.with(p.token()), p.with(p.token("scope", "balcao.read"))
		listed := func(w rawClient, revision string) (names []string) {
			var list struct{ Tools []struct{ Name string } }
			must(t, json.Unmarshal(w.request(t, revision, 1, "tools/list", nil).result(t), &list))
			for _, tool := range list.Tools {
				names = append(names, tool.Name)
			}
			return names
		}
		for _, revision := range []string{legacy, modern} {
			all, some := listed(whole, revision), listed(reading, revision)
			if again := listed(whole, revision); !slices.Equal(all, again) { // nothing of a list is kept for another token
				t.Errorf("the list is %v, and then %v", all, again)
			}
			hidden := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return slices.Contains(some, name) })
			if !slices.Contains(hidden, "create_borrower") || !slices.Contains(some, "list_borrowers") || slices.Contains(some, "update_borrower") {
				t.Fatalf("a token for reading is offered %v", some)
			}
			for _, name := range append(hidden, "delete_borrower", "send_esis") {
				reply := reading.call(t, revision, 1, name, map[string]any{"operation": "create_borrower", "arguments": validBorrower(), "approval": "x"})
				if reply.status != 403 || !strings.Contains(reply.header.Get("WWW-Authenticate"), `error="insufficient_scope", scope="balcao.read balcao.write"`) {
					t.Errorf("%s: got %d %q", name, reply.status, reply.header.Get("WWW-Authenticate"))
				}
			}
			for _, name := range some {
				if reply := reading.call(t, revision, 1, name, map[string]any{"operation": "create_borrower", "arguments": validBorrower()}); reply.status != 200 {
					t.Errorf("%s: got %d", name, reply.status)
				}
			}
		}
		if n := p.env.bank.Calls(portal.BorrowerCreate); n != 0 {
			t.Errorf("the bank got %d borrowers", n)
		}
	}
}

// The endpoint reads the name of a tool before the library does; a name that both read in different ways must not pass.
func TestNoFormOfAMessagePassesTheScope(t *testing.T) {
	t.Parallel()
	p := startProtected(t)
	reading := p.with(p.token("scope", "balcao.read"))
	args, err := json.Marshal(validBorrower())
	must(t, err)
	for _, params := range []string{
		`{"name":"list_borrowers","name":"create_borrower","arguments":%s}`,
		`{"name":"create_borrower","NAME":"list_borrowers","arguments":%s}`,
		`{"NAME":"create_borrower","arguments":%s}`,
		`{"name":"read_operation","arguments":{"operation":"create_borrower","arguments":%s}}`,
	} {
		for _, method := range []string{`"method":"tools/call"`, `"method":"ping","method":"tools/call"`, `"METHOD":"tools/call"`} {
			body := `{"jsonrpc":"2.0","id":1,` + method + `,"params":` + fmt.Sprintf(params, args) + `}`
			reading.send(t, "POST", body)
			reading.send(t, "POST", body, map[string]string{"Mcp-Protocol-Version": modern, "Mcp-Method": "tools/call", "Mcp-Name": "list_borrowers"})
		}
	}
	if n := p.env.bank.Calls(portal.BorrowerCreate); n != 0 || strings.Contains(p.bank.String(), "Rui Amostra") {
		t.Errorf("the bank got %d borrowers", n)
	}
	waiting := func() int {
		open, err := p.store.OpenApprovals(t.Context(), "ana")
		must(t, err)
		return len(open) + p.env.bank.Calls(portal.BorrowerCreate)
	}
	if n := waiting(); n != 0 {
		t.Errorf("%d calls wait for a person or were made", n)
	}
	if p.with(p.token()).call(t, modern, 1, "create_borrower", validBorrower()); waiting() != 1 {
		t.Error("with the scope, the call does not wait for a person and was not made")
	}
}

func TestAnIssuerThatIsDownIsNoReasonToThrowATokenAway(t *testing.T) {
	t.Parallel()
	p := startProtected(t)
	p.issuer.Answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	for _, revision := range []string{legacy, modern} {
		reply := p.with(p.token()).request(t, revision, 1, "tools/list", nil)
		if reply.status != http.StatusServiceUnavailable || reply.header.Get("Retry-After") == "" || reply.header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: got %d %v", revision, reply.status, reply.header)
		}
	}
	if reply := p.with(anasToken).request(t, modern, 1, "tools/list", nil); reply.status != http.StatusOK {
		t.Errorf("a personal token: got %d", reply.status)
	}
}

func TestClientsFindTheIssuerByTheMetadata(t *testing.T) {
	t.Parallel()
	p := startProtected(t)
	want := map[string]any{
		"resource": resource, "authorization_servers": []any{p.issuer.URL}, "scopes_supported": []any{"balcao.read", "balcao.write"},
		"bearer_methods_supported": []any{"header"}, "resource_name": "Balcão",
	}
	for path, status := range map[string]int{
		"/.well-known/oauth-protected-resource/mcp": 200, "/.well-known/oauth-protected-resource": 200,
		"/.well-known/oauth-protected-resource/other": 404, "/.well-known/oauth-protected-resource/mcp/upload": 404,
	} {
		w := rawClient{url: strings.TrimSuffix(p.url, "/mcp") + path, headers: p.headers}
		reply := w.send(t, "GET", "")
		if reply.status != status {
			t.Errorf("%s: got %d", path, reply.status)
		}
		var got map[string]any
		if status == 200 {
			must(t, json.Unmarshal([]byte(reply.body), &got))
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: got %v, want %v", path, got, want)
			}
		}
		w.headers = map[string]string{"Host": "evil.example"}
		if reply := w.send(t, "GET", ""); reply.status != 403 {
			t.Errorf("%s for another host: got %d", path, reply.status)
		}
	}
	plain := rawClient{url: strings.TrimSuffix(start(t).serve(t), "/mcp") + "/.well-known/oauth-protected-resource/mcp"}
	if reply := plain.send(t, "GET", ""); reply.status != 404 {
		t.Errorf("without an issuer: got %d", reply.status)
	}
}
