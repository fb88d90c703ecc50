package mcpapp_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"golang.org/x/net/html"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/mcpapp"
	"github.com/balcao/balcao/tools"
)

// pageEnv is an App whose person has no Slack and decides on a page.
type pageEnv struct {
	*env
	announced chan shownAddress
	server    *httptest.Server // nil on stdio
	wire      *wire            // all that the assistant is sent
}

// shownAddress is an address that the program shows.
type shownAddress struct {
	url    string
	handed bool
}

// wire records messages.
type wire struct {
	mu   sync.Mutex
	sent bytes.Buffer
}

func (w *wire) Write(data []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent.Write(data)
}

func (w *wire) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent.String()
}

// recorded is a response that is recorded too.
type recorded struct {
	http.ResponseWriter
	wire *wire
}

func (r recorded) Write(data []byte) (int, error) {
	_, _ = r.wire.Write(data)
	return r.ResponseWriter.Write(data)
}

func (r recorded) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// withoutSlack has a person approve on a page what the assistant «mcp:ana» asks for.
func withoutSlack(o *options) {
	team := testenv.Team()
	team["mcp:ana"], team["mcp:bruno"] = team["ana"], team["bruno"]
	o.people, o.policy = team, tools.Policy{}
	o.app.Actor = mcpapp.Always(tools.Actor{ID: "mcp:ana", Lang: words.English})
}

// startWithPage starts an App with a page: on the listener of HTTP, or on one of its own for an assistant on stdio.
func startWithPage(t *testing.T, onHTTP bool, change ...func(*options)) *pageEnv {
	t.Helper()
	p := &pageEnv{announced: make(chan shownAddress, 100), wire: &wire{}}
	if onHTTP {
		p.server = httptest.NewUnstartedServer(nil)
	}
	p.env = start(t, append([]func(*options){withoutSlack, func(o *options) {
		o.app.Announce = func(address string, handed bool) { p.announced <- shownAddress{address, handed} }
		if onHTTP {
			o.app.Address = "http://" + p.server.Listener.Addr().String()
		}
	}}, change...)...)
	if onHTTP {
		p.serve(t)
	}
	return p
}

// serve serves the App on its listener.
func (p *pageEnv) serve(t *testing.T) {
	handler := p.app.Handler()
	p.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/mcp" {
			w = recorded{w, p.wire}
		}
		handler.ServeHTTP(w, r)
	})
	p.server.Start()
	t.Cleanup(p.server.Close)
}

// updated starts another version of the program on the same Redis, over HTTP.
func (p *pageEnv) updated(t *testing.T, change func(*tools.Config)) *pageEnv {
	t.Helper()
	after := &pageEnv{announced: make(chan shownAddress, 100), wire: &wire{}, server: httptest.NewUnstartedServer(nil)}
	shared, config := p.shared.Replica(t, change), p.config
	config.Runner, config.Files, config.Address = shared.Runner, shared.Store, "http://"+after.server.Listener.Addr().String()
	config.Announce = func(address string, handed bool) { after.announced <- shownAddress{address, handed} }
	app, err := mcpapp.New(config)
	must(t, err)
	after.env = &env{app: app, bank: p.bank, bankAPI: p.bankAPI, runner: shared.Runner, store: shared.Store, log: p.log, gate: p.gate, shared: shared, config: config}
	after.serve(t)
	return after
}

// connect connects an assistant. opens is what it does when it is asked for something; nil if it does not declare that it can be.
func (p *pageEnv) connect(t *testing.T, revision string, opens *opener) *assistant {
	t.Helper()
	var options []client.ClientOption
	if revision == legacy {
		options = append(options, client.WithProtocolVersion(legacy))
	}
	hello := mcp.InitializeParams{ClientInfo: mcp.Implementation{Name: "test", Version: "1"}}
	if opens != nil {
		options = append(options, client.WithElicitationHandler(opens))
		hello.Capabilities.Elicitation = &mcp.ElicitationCapability{URL: &struct{}{}}
		if opens.forms {
			hello.Capabilities.Elicitation = &mcp.ElicitationCapability{Form: &struct{}{}}
		}
	}
	var c *client.Client
	if p.server != nil {
		c = client.NewClient(wireTo(t, p.server.URL+"/mcp"), options...)
		t.Cleanup(func() { must(t, c.Close()) })
	} else {
		fromClient, toServer := io.Pipe()
		fromServer, toClient := io.Pipe()
		ended := make(chan error, 1)
		go func() {
			ended <- p.serveStdio(t.Context(), fromClient, io.MultiWriter(p.wire, toClient))
			_ = toClient.Close()
		}()
		c = client.NewClient(transport.NewIO(fromServer, toServer, io.NopCloser(strings.NewReader(""))), options...)
		t.Cleanup(func() {
			must(t, c.Close())
			waittest.Receive(t, "ServeStdio returns after its input ended", ended)
		})
	}
	a := &assistant{Client: c}
	must(t, a.Start(t.Context()))
	info, err := a.Initialize(t.Context(), mcp.InitializeRequest{Params: hello})
	must(t, err)
	if info.ProtocolVersion != revision {
		t.Fatalf("negotiated %s, want %s", info.ProtocolVersion, revision)
	}
	return a
}

// address returns the next address that is shown.
func (p *pageEnv) address(t *testing.T) string {
	t.Helper()
	return waittest.Receive(t, "an address is shown", p.announced).url
}

// person is the browser of a person.
type person struct {
	t      *testing.T
	client *http.Client
	home   string // the address of what waits
	status int
	header http.Header
	body   string
}

func browser(t *testing.T) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	wire := &http.Transport{}
	t.Cleanup(wire.CloseIdleConnections)
	return &person{t: t, client: &http.Client{Jar: jar, Transport: wire, Timeout: waittest.Deadline}}
}

// send sends a request and keeps the answer.
func (p *person) send(method, address, body string, header map[string]string) *person {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), method, address, strings.NewReader(body))
	must(p.t, err)
	request.Header.Set("Accept-Language", "en")
	for name, value := range header {
		if name == "Host" {
			request.Host = value
			continue
		}
		request.Header.Set(name, value)
	}
	response, err := p.client.Do(request)
	must(p.t, err)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	must(p.t, err)
	p.status, p.header, p.body = response.StatusCode, response.Header, string(data)
	return p
}

func (p *person) get(address string) *person {
	p.t.Helper()
	return p.send(http.MethodGet, address, "", nil)
}

// opens opens an address and goes on to what waits.
func (p *person) opens(address string) *person {
	p.t.Helper()
	if p.get(address); p.status != http.StatusOK {
		p.t.Fatalf("the address gives %d: %s", p.status, p.text())
	}
	p.home, _, _ = strings.Cut(address, "open/")
	return p.get(p.home)
}

// text is the text of the page.
func (p *person) text() string {
	var out strings.Builder
	for node := range p.document().Descendants() {
		if text := strings.TrimSpace(node.Data); node.Type == html.TextNode && node.Parent.Data != "title" && text != "" {
			out.WriteString(text + "\n")
		}
	}
	return out.String()
}

func (p *person) document() *html.Node {
	p.t.Helper()
	document, err := html.Parse(strings.NewReader(p.body))
	must(p.t, err)
	return document
}

func attribute(node *html.Node, name string) string {
	for _, each := range node.Attr {
		if each.Key == name {
			return each.Val
		}
	}
	return ""
}

// htmlForm is a form as a browser would send it.
type htmlForm struct {
	action string
	values url.Values
}

// forms returns the forms of the page, by what their action ends with.
func (p *person) forms(action string) (forms []htmlForm) {
	for node := range p.document().Descendants() {
		if node.Data != "form" || !strings.Contains(attribute(node, "action"), action) {
			continue
		}
		form := htmlForm{attribute(node, "action"), url.Values{}}
		for input := range node.Descendants() {
			name := attribute(input, "name")
			switch input.Data {
			case "input":
				form.values.Add(name, attribute(input, "value"))
			case "textarea":
				text := ""
				if input.FirstChild != nil {
					text = input.FirstChild.Data
				}
				form.values.Add(name, text)
			case "select":
				chosen := ""
				for option := range input.Descendants() {
					if option.Data == "option" && strings.Contains(rendered(option), " selected") {
						chosen = attribute(option, "value")
					}
				}
				form.values.Add(name, chosen)
			}
		}
		forms = append(forms, form)
	}
	return forms
}

func rendered(node *html.Node) string {
	var out strings.Builder
	_ = html.Render(&out, node)
	return out.String()
}

// submit sends the first form with an action, with changes as names and values in turn.
func (p *person) submit(action string, changes ...string) *person {
	p.t.Helper()
	forms := p.forms(action)
	if len(forms) == 0 {
		p.t.Fatalf("there is no form %s on the page:\n%s", action, p.text())
	}
	for i := 0; i+1 < len(changes); i += 2 {
		forms[0].values.Set(changes[i], changes[i+1])
	}
	return p.sends(forms[0])
}

func (p *person) sends(form htmlForm) *person {
	p.t.Helper()
	origin := p.origin()
	return p.send(http.MethodPost, origin+form.action, form.values.Encode(), map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", "Origin": origin,
	})
}

func (p *person) origin() string {
	home, err := url.Parse(p.home)
	must(p.t, err)
	return home.Scheme + "://" + home.Host
}

// options returns the values of a select, by text.
func (p *person) options(name string) map[string]string {
	options := map[string]string{}
	for node := range p.document().Descendants() {
		if node.Data != "select" || attribute(node, "name") != name {
			continue
		}
		for option := range node.Descendants() {
			if option.Data == "option" && option.FirstChild != nil {
				options[option.FirstChild.Data] = attribute(option, "value")
			}
		}
	}
	return options
}
