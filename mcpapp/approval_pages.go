package mcpapp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/balcao/balcao/internal/bodies"
	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/internal/webguard"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

const (
	approvalPath     = "/mcp/approvals/"
	approvalOpenPath = approvalPath + "open/" // and the secret of an address

	maxForm   = 512 << 10 // bytes of a form that is sent
	maxReason = 500       // characters of a word to the assistant

	fieldToken = "token"
)

var approvalTemplate = templateOf("page/approvals.html")

// ApprovalPaths are the paths below which [App.Handler] serves the page on which people decide.
func ApprovalPaths() []string { return []string{approvalPath} }

// LinkedPaths are the paths to which people follow links from pages of other sites.
func LinkedPaths() []string { return append(FilePaths(), approvalOpenPath) }

// checkPage returns an error if others than this machine reach a server with a page for decisions.
func (c Config) checkPage() error {
	if c.Announce == nil {
		return nil
	}
	for _, host := range c.AllowedHosts {
		if !isLoopback(host) {
			return fmt.Errorf("people decide on a page of this machine only, not of %q", host)
		}
	}
	for _, address := range []string{c.URL, c.Address} {
		if parsed, err := url.Parse(address); address != "" && (err != nil || !webguard.Loopback(parsed.Hostname())) {
			return errors.New("people decide on a page of this machine only, not at an address that others know")
		}
	}
	return nil
}

// OnlyLocal reports whether only this machine reaches a server that listens at an address and has these settings.
func OnlyLocal(listens net.Addr, hosts []string, publicURL string) bool {
	tcp, is := listens.(*net.TCPAddr)
	return is && tcp.IP.IsLoopback() && Config{AllowedHosts: hosts, URL: publicURL, Announce: func(string, bool) {}}.checkPage() == nil
}

// approvalAddress returns a new address of the page for a person. It works once.
func (a *App) approvalAddress(ctx context.Context, owner string, until time.Time) (string, error) {
	base := a.config.Address
	if base == "" {
		var err error
		if base, err = a.base(ctx); err != nil {
			return "", err
		}
	}
	return base + approvalOpenPath + a.access.address(owner, until), nil
}

// announce shows a person without Slack a new address of the page.
func (a *App) announce(ctx context.Context, owner string, until time.Time) {
	if address, err := a.approvalAddress(ctx, owner, until); err != nil {
		a.config.Log.ErrorContext(ctx, "the page for decisions cannot be served", "error", err)
	} else {
		a.config.Announce(address, a.access.inUse(owner))
	}
}

// AnnounceWaiting shows the address of the page to a person for whom approvals wait since an earlier start.
func (a *App) AnnounceWaiting(ctx context.Context, owner string) {
	if a.config.Announce == nil {
		return
	}
	waiting, err := a.config.Runner.OpenApprovals(ctx, tools.Actor{ID: owner})
	if err != nil || len(waiting) == 0 {
		return // what is asked for next says so
	}
	a.announce(ctx, owner, waiting[len(waiting)-1].Expires)
}

// approvalHandler serves the page on which people decide.
func (a *App) approvalHandler() http.Handler {
	mux := http.NewServeMux()
	if a.config.Announce != nil {
		mux.HandleFunc("GET "+approvalOpenPath+"{secret}", a.openApprovalPage)
		mux.HandleFunc("GET "+approvalPath+"style.css", serveApprovalStyle)
		mux.HandleFunc("GET "+approvalPath+"{$}", a.inSession(a.showApprovals))
		mux.HandleFunc("POST "+approvalPath+"approve", a.inSession(a.approveShown))
		mux.HandleFunc("POST "+approvalPath+"decline", a.inSession(a.rejectShown))
		mux.HandleFunc("GET "+approvalPath+"form/{id}", a.inSession(a.showApprovalForm))
		mux.HandleFunc("POST "+approvalPath+"form/{id}", a.inSession(a.submitApprovalForm))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a.refuseApproval(w, r, http.StatusNotFound, "approvals.nothing")
	})
	guard := webguard.Guard{Hosts: []string{}, Linked: []string{approvalOpenPath}, Log: a.config.Log}
	return a.recoverFilePanics(setFileHeaders(guard.Handler(mux)))
}

// decision is a request of a person in her session.
type decision struct {
	w       http.ResponseWriter
	r       *http.Request
	session *approvalSession
	actor   tools.Actor
	news    []news
}

func (d *decision) say(key string) string { return sayTo(d.actor.Lang, key) }

// sayTo returns a text with args as names and values in turn.
func sayTo(lang words.Lang, key string, args ...any) string {
	named := map[string]any{}
	for i := 0; i+1 < len(args); i += 2 {
		named[args[i].(string)] = args[i+1]
	}
	return book.Say(lang, key, named)
}

// inSession serves a request of a person who has a session, and refuses all others. What changes something needs the token of the
// session and comes from its own pages.
func (a *App) inSession(serve func(*decision)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r, cancel := withDeadline(w, r, a.config.CallTimeout+pageTimeout)
		defer cancel()
		session, ok := a.access.session(r)
		if !ok {
			a.refuseApproval(w, r, http.StatusForbidden, "approvals.no_session")
			return
		}
		if r.Method == http.MethodPost {
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			if err := r.ParseForm(); err != nil || !session.sent(r) {
				a.refuseApproval(w, r, http.StatusForbidden, "approvals.not_sent_here")
				return
			}
		}
		lang := langOf(r)
		serve(&decision{w: w, r: r, session: session, actor: tools.Actor{ID: session.owner, Lang: lang}})
	}
}

// openApprovalPage uses an address up and begins a session. A browser that fetches the address in advance does not use it up.
func (a *App) openApprovalPage(w http.ResponseWriter, r *http.Request) {
	r, cancel := withDeadline(w, r, pageTimeout)
	defer cancel()
	if r.Method == http.MethodHead || r.Header.Get("Sec-Purpose") != "" || r.Header.Get("Purpose") != "" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	cookie, ok := a.access.open(r.PathValue("secret"))
	if !ok {
		a.refuseApproval(w, r, http.StatusGone, "approvals.used")
		return
	}
	http.SetCookie(w, cookie)
	// After a redirect the browser would still follow the link of another site, and send no cookie.
	writeApprovalPage(w, http.StatusOK, approvalsPage{Lang: langOf(r), Title: "approvals.opened", Onward: true})
}

// refuseApproval answers a request that shows nothing.
func (a *App) refuseApproval(w http.ResponseWriter, r *http.Request, status int, key string) {
	a.refusals.Warn(r.Context(), "a request for approvals was refused", "reason", key, "status", status)
	bodies.Leave(w)
	writeApprovalPage(w, status, approvalsPage{Lang: langOf(r), Title: "approvals.closed", Linked: status == http.StatusGone, Alert: book.Say(langOf(r), key, nil)})
}

// tell says what happened on the page that is shown next.
func (d *decision) tell(what news) { d.news = append(d.news, what) }

// back leads a person to what waits for her.
func (d *decision) back() {
	d.session.tell(d.news)
	http.Redirect(d.w, d.r, approvalPath, http.StatusSeeOther)
}

// failed tells a person why something could not be done.
func (d *decision) failed(title string, err error) news {
	failure := tools.AsError(err)
	said := news{Kind: "failed", Title: title}
	if len(failure.Problems) == 0 || failure.Problems[0].Code != "approval.altered" {
		said.Text = append(said.Text, failure.What(d.actor.Lang))
	}
	for _, p := range failure.Problems {
		said.Text = append(said.Text, problemText(d.actor.Lang, failure.Tool, p))
	}
	for _, note := range failure.Notes {
		said.Text = append(said.Text, visible(note))
	}
	if len(failure.Problems) == 0 {
		said.Text = append(said.Text, failure.Next(d.actor.Lang))
	}
	return said
}

// show writes a page of the session.
func (d *decision) show(status int, page approvalsPage) {
	page.Closes = d.session.until.In(lisbon.Zone).Format("15:04")
	page.Lang, page.Token, page.News = d.actor.Lang, d.session.token, append(page.News, d.news...)
	writeApprovalPage(d.w, status, page)
}

func writeApprovalPage(w http.ResponseWriter, status int, page approvalsPage) {
	var text bytes.Buffer
	if err := approvalTemplate().Execute(&text, page); err != nil {
		panic(fmt.Sprintf("the page for decisions: %T", err)) // the values are texts
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = text.WriteTo(w) // the person is gone if this fails
}

func serveApprovalStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	for _, name := range []string{"style", "approvals"} {
		style, err := pageFiles.ReadFile("page/" + name + ".css")
		if err != nil {
			panic(err) // it is embedded
		}
		_, _ = w.Write(style)
	}
}
