package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/browsertest"
	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
)

var (
	registered = regexp.MustCompile(`\.Handle(?:Func)?\("([^"]*)"`)
	wildcard   = regexp.MustCompile(`\{[^}]*\}`)
)

// endpoint is a method and a path.
type endpoint struct{ method, path string }

// registeredPaths returns the paths that the sources in folders register with a mux, and one that is not registered.
func registeredPaths(t *testing.T, folders ...string) []endpoint {
	t.Helper()
	all := []endpoint{{http.MethodGet, "/nobody/registers/this"}}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join("../..", folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", folder, err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, found := range registered.FindAllStringSubmatch(string(source), -1) {
				method, path, ok := strings.Cut(found[1], " ")
				if !ok {
					method, path = http.MethodPost, found[1]
				}
				if path = wildcard.ReplaceAllString(strings.ReplaceAll(path, "{$}", ""), "x"); path != "" {
					all = append(all, endpoint{method, path})
				}
			}
		}
	}
	return all
}

// ask makes a request to a listener and gives the status of its answer.
func statusOf(t *testing.T, base string, r endpoint, change func(*http.Request)) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	made, err := http.NewRequestWithContext(ctx, r.method, base+r.path, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	made.Header.Set("Content-Type", "text/plain")
	made.Header.Set("X-Requested-With", "slacksim")
	change(made)
	response, err := http.DefaultTransport.RoundTrip(made)
	if err != nil {
		t.Fatalf("%v: %v", r, err)
	}
	response.Body.Close()
	return response.StatusCode
}

// crossSiteRequests returns changes to a request that make it what a browser sends for a page of another site.
func crossSiteRequests(base string) map[string]func(*http.Request) {
	address := strings.TrimPrefix(base, "http://")
	_, port, _ := strings.Cut(address, ":")
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	return map[string]func(*http.Request){
		"a name that points here":         func(r *http.Request) { r.Host = "evil.example:" + port },
		"a page of another site":          set("Origin", "https://evil.example"),
		"a page of another port":          set("Origin", "http://127.0.0.1:1"),
		"its page by another name":        set("Origin", "http://localhost:"+port),
		"a page without an origin":        set("Origin", "null"),
		"an image of another site's page": set("Sec-Fetch-Site", "cross-site"),
		"an image of another port's page": set("Sec-Fetch-Site", "same-site"),
	}
}

// wantSameSiteOnly checks that each path answers a client that is no browser, and refuses cross-site requests.
func wantSameSiteOnly(t *testing.T, base string, paths []endpoint) {
	t.Helper()
	for _, r := range paths {
		if status := statusOf(t, base, r, func(*http.Request) {}); status == http.StatusForbidden {
			t.Errorf("%s %s refuses everybody", r.method, r.path)
		}
		for who, change := range crossSiteRequests(base) {
			if status := statusOf(t, base, r, change); status != http.StatusForbidden {
				t.Errorf("%s %s is answered with %d to %s", r.method, r.path, status, who)
			}
		}
	}
}

func TestEveryPathOfThePlaygroundRefusesPagesOfOtherSites(t *testing.T) {
	t.Parallel()
	slack, bank := startPlayground(t, nil)
	bot := append(registeredPaths(t, "cmd/slackbot", "internal/slacksim", "slackapp", "mcpapp", "notifications"), endpoint{http.MethodPost, "/mcp"}, endpoint{http.MethodGet, "/mcp"})
	for _, path := range []string{"/", "/api/x", "/slack/events", "/metrics", "/healthz", "/readyz", "/mcp", "/callbacks/", "/socket", "/sim/", "/sim/stream"} {
		if !slices.ContainsFunc(bot, func(r endpoint) bool { return r.path == path }) {
			t.Errorf("%s is not among what is registered: %v", path, bot)
		}
	}
	wantSameSiteOnly(t, slack, slices.DeleteFunc(bot, func(r endpoint) bool { return r.path == "/sim/stream" })) // never ends
	for who, change := range crossSiteRequests(slack) {
		if status := statusOf(t, slack, endpoint{http.MethodGet, "/sim/stream?user=U0ANA"}, change); status != http.StatusForbidden {
			t.Errorf("the stream is answered with %d to %s", status, who)
		}
	}
	operations := registeredPaths(t, "portal/sandbox")
	for _, operation := range portal.Operations(profile.Builtin()) {
		operations = append(operations, endpoint{operation.Method, wildcard.ReplaceAllString(operation.Path, "x")})
	}
	wantSameSiteOnly(t, bank, operations)
}

func TestThePlaygroundsSecretsAreItsOwn(t *testing.T) {
	t.Parallel()
	slack, bank := startPlayground(t, nil)
	for name, want := range map[string]struct {
		base    string
		request endpoint
		change  func(*http.Request)
		says    string
	}{
		"the bot token": {slack, endpoint{http.MethodPost, "/api/auth.test"}, func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+slacksim.DefaultBotToken)
		}, "invalid_auth"},
		"the app token": {slack, endpoint{http.MethodPost, "/api/apps.connections.open"}, func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+slacksim.DefaultAppToken)
		}, "invalid_auth"},
		"the signing secret": {slack, endpoint{http.MethodPost, "/slack/events"}, func(r *http.Request) {
			body, at := "command=%2Fborrowers&text=1042&user_id=U0ANA&team_id=T0BALCAO", time.Now()
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
			r.Header.Set("X-Slack-Request-Timestamp", fmt.Sprint(at.Unix()))
			r.Header.Set("X-Slack-Signature", slacksim.Sign(slacksim.DefaultSigningSecret, at, []byte(body)))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}, "401"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		made, err := http.NewRequestWithContext(ctx, want.request.method, want.base+want.request.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		want.change(made)
		response, err := http.DefaultClient.Do(made)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if said := fmt.Sprintf("%d %s", response.StatusCode, body); !strings.Contains(said, want.says) {
			t.Errorf("%s that everybody can read in the source is answered with %s", name, said)
		}
	}
	client, err := portal.New(portal.Config{BaseURL: bank, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	login := portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[0]}
	if _, err := client.As(login, "en").ListProcesses(t.Context(), portal.ProcessQuery{Limit: 1}); err == nil {
		t.Error("the bank takes the secret that everybody can read in the source")
	}
}

// hostilePage tries all that a page may do without permission: forms, opaque requests, images, sockets.
const hostilePage = `<!doctype html><title>hostile</title><iframe name="sink"></iframe><script>
const bot = %q, bank = %q;
const bodies = {
	'/api/chat.postMessage': 'token=` + slacksim.DefaultBotToken + `&channel=` + slacksim.TeamChannel + `&text=planted',
	'/slack/events': 'ssl_check=1',
	'/sim/command': '{"user":"` + slacksim.Ana + `","channel":"` + slacksim.TeamChannel + `","text":"/borrowers 1042"}',
	'/sim/message': '{"user":"` + slacksim.Ana + `","channel":"` + slacksim.TeamChannel + `","text":"planted"}',
};
(async () => {
	const done = [];
	for (const [path, body] of Object.entries(bodies)) {
		const form = document.createElement('form');
		Object.assign(form, {action: bot + path, method: 'post', target: 'sink'});
		for (const pair of body.split('&')) {
			const [name, value] = pair.split('=');
			const input = document.createElement('input');
			Object.assign(input, {type: 'hidden', name, value: value ?? ''});
			form.append(input);
		}
		document.body.append(form);
		const sent = new Promise((over) => document.querySelector('iframe').addEventListener('load', over, {once: true}));
		form.submit();
		await sent;
		for (const type of ['text/plain', 'application/x-www-form-urlencoded'])
			done.push(fetch(bot + path, {method: 'POST', mode: 'no-cors', credentials: 'include', headers: {'Content-Type': type}, body}));
	}
	for (const path of ['/metrics', '/readyz', '/sim/workspace', '/sim/options?user=U0ANA', '/api/auth.test'])
		done.push(fetch(bot + path, {mode: 'no-cors'}));
	done.push(fetch(bank + '/sandbox/faults', {method: 'POST', mode: 'no-cors', body: '{}'}));
	await Promise.allSettled(done);
	const refused = await Promise.all(['/sim/workspace', '/metrics', '/slack/events'].map((path) =>
		fetch(bot + path).then(() => false, () => true)));
	const socket = new WebSocket(bot.replace('http', 'ws') + '/socket');
	const closed = await new Promise((over) => { socket.onopen = () => over(false); socket.onerror = () => over(true) });
	document.title = refused.every(Boolean) && closed ? 'nothing was read' : 'something was read';
})();
</script>`

func TestAPageOfAnotherSiteDoesNothingInTheBrowser(t *testing.T) {
	t.Parallel()
	slack, bank := startPlayground(t, nil)
	for name, change := range map[string]func(string) string{
		"from another port":           func(base string) string { return base },
		"from another name":           func(base string) string { return strings.Replace(base, "127.0.0.1", "localhost", 1) },
		"to another of its addresses": func(base string) string { return base },
	} {
		bot, aimed := change(slack), change(bank)
		if name == "to another of its addresses" {
			bot, aimed = strings.Replace(slack, "127.0.0.1", "localhost", 1), strings.Replace(bank, "127.0.0.1", "localhost", 1)
		}
		evil := httptest.NewServer(http.HandlerFunc(func(h http.ResponseWriter, _ *http.Request) {
			h.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprintf(h, hostilePage, bot, aimed)
		}))
		defer evil.Close()
		page := browsertest.Open(t, evil.URL)
		page.Until(name+": it has tried everything", `document.title !== 'hostile'`)
		if title := page.Eval(`document.title`); title != "nothing was read" {
			t.Errorf("%s: %v", name, title)
		}
	}
	ana := openSlack(t, slack)
	ana.typeCommand("/borrowers 1043") // the answer to an earlier command would be above
	ana.waitForText("Proponentes do processo 1043")
	if text := ana.Text("body"); strings.Contains(text, "planted") || strings.Contains(text, "processo 1042") {
		t.Errorf("the workspace was used:\n%s", text)
	}
}
