package slacksim

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/time/rate"
)

// method is a method of the Web API.
type method struct {
	call  func(*Sim, args) (response, *refusal)
	read  bool   // may be called with GET, and does not take JSON
	app   bool   // requires the app-level token, in the header
	tier  int    // calls a minute if Rate.Tiers is set; 0 means no tier
	scope string // that the token needs; "" for none, or where it depends on the arguments
}

// methods are the methods of the Web API that are simulated.
var methods = map[string]method{
	"auth.test":                    {call: (*Sim).authTest, read: true, tier: 300},
	"apps.connections.open":        {call: (*Sim).openConnection, app: true, tier: 1, scope: connectionsWrite},
	"chat.delete":                  {call: (*Sim).deleteMessage, tier: 50, scope: "chat:write"},
	"chat.getPermalink":            {call: (*Sim).permalink, read: true},
	"chat.postEphemeral":           {call: (*Sim).postEphemeral, tier: 100, scope: "chat:write"},
	"chat.postMessage":             {call: (*Sim).postMessage, scope: "chat:write"},
	"chat.update":                  {call: (*Sim).updateMessage, tier: 50, scope: "chat:write"},
	"conversations.history":        {call: (*Sim).history, read: true, tier: 50},
	"conversations.info":           {call: (*Sim).conversationInfo, read: true, tier: 50},
	"conversations.list":           {call: (*Sim).conversationList, read: true, tier: 20},
	"conversations.members":        {call: (*Sim).conversationMembers, read: true, tier: 100},
	"conversations.open":           {call: (*Sim).conversationOpen, tier: 50, scope: "im:write"},
	"conversations.replies":        {call: (*Sim).threadReplies, read: true, tier: 50},
	"files.completeUploadExternal": {call: (*Sim).completeUpload, tier: 100, scope: "files:write"},
	"files.getUploadURLExternal":   {call: (*Sim).uploadURL, read: true, tier: 100, scope: "files:write"},
	"files.info":                   {call: (*Sim).fileInfo, read: true, tier: 100, scope: filesRead},
	"users.info":                   {call: (*Sim).userInfo, read: true, tier: 100, scope: "users:read"},
	"views.open":                   {call: (*Sim).openModal, tier: 100},
	"views.publish":                {call: (*Sim).publishHome, tier: 100},
	"views.push":                   {call: (*Sim).pushModal, tier: 100},
	"views.update":                 {call: (*Sim).updateView, tier: 100},
}

const maxCall = 2 << 20

// response holds the fields of a method's response, without "ok".
type response map[string]any

// refusal is an error response of the Web API.
type refusal struct {
	code     string
	messages []string      // details, as in response_metadata.messages
	after    time.Duration // Retry-After
}

func refuse(code string, messages ...string) *refusal {
	return &refusal{code: code, messages: messages}
}

// args holds the arguments of a call. JSON values other than strings are kept as JSON.
type args map[string]string

// has reports whether an argument was sent.
func (a args) has(name string) bool { _, ok := a[name]; return ok }

func (a args) isTrue(name string) bool { return a[name] == "true" || a[name] == "1" }

func (s *Sim) serveAPI(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("method")
	s.withFailures(w, r, name, func(w http.ResponseWriter) {
		body, refused, warning := s.answerCall(name, r)
		if m := methods[name]; refused == nil || body["needed"] != nil { // the token was accepted
			w.Header().Set("X-OAuth-Scopes", strings.Join(s.scopes(m), ","))
			w.Header().Set("X-Accepted-OAuth-Scopes", m.scope)
		}
		var code, detail string
		if refused != nil {
			code, detail = refused.code, strings.Join(refused.messages, "; ")
		}
		s.mu.Lock()
		s.recordCall(name, code, detail)
		s.mu.Unlock()
		w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
		writeAnswer(w, body, refused, warning)
	})
}

func writeAnswer(w http.ResponseWriter, body response, refused *refusal, warning string) {
	status, out := http.StatusOK, map[string]any{"ok": refused == nil}
	for key, value := range body {
		out[key] = value
	}
	details := map[string]any{}
	if warning != "" {
		out["warning"], details["warnings"] = warning, []string{warning}
	}
	if refused != nil {
		out["error"] = refused.code
		if len(refused.messages) > 0 {
			details["messages"] = refused.messages
		}
		if refused.code == "ratelimited" {
			status = http.StatusTooManyRequests
			w.Header().Set("Retry-After", seconds(refused.after))
		}
	}
	if _, own := out["response_metadata"]; !own && len(details) > 0 {
		out["response_metadata"] = details
	}
	writeJSON(w, status, out)
}

func (s *Sim) answerCall(name string, r *http.Request) (response, *refusal, string) {
	m, ok := methods[name]
	if !ok {
		return response{"req_method": name}, refuse("unknown_method"), ""
	}
	if r.Method != http.MethodPost && (r.Method != http.MethodGet || !m.read) {
		return nil, refuse("invalid_arguments", "[ERROR] this method is called with POST"), ""
	}
	a, token, warning, refused := readArgs(r, m.read)
	if refused != nil {
		return nil, refused, warning
	}
	if refused := s.authorise(m, r, token); refused != nil {
		return nil, refused, warning
	}
	if m.scope != "" && !s.grants(m, m.scope) {
		return s.needs(m, m.scope), refuse("missing_scope"), warning
	}
	if m.tier > 0 && s.cfg.Rate.Tiers {
		if refused := s.checkRate("tier "+name, rate.Limit(float64(m.tier)/60), m.tier); refused != nil {
			return nil, refused, warning
		}
	}
	body, refused := m.call(s, a)
	return body, refused, warning
}

// readArgs parses a request as Slack does: forms for every method, JSON for methods that write, and never a token in the
// query.
func readArgs(r *http.Request, read bool) (a args, token, warning string, refused *refusal) {
	a = args{}
	if r.Method == http.MethodGet {
		setForm(a, r.URL.Query())
		delete(a, "token")
		return a, "", "", nil
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxCall+1))
	if err != nil || len(raw) > maxCall {
		return nil, "", "", refuse("invalid_arguments", "[ERROR] the body could not be read, or is too large")
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := params["charset"]
	if charset != "" && !strings.EqualFold(charset, "utf-8") || !utf8.Valid(raw) {
		return nil, "", "", refuse("invalid_charset")
	}
	switch {
	case err != nil && len(raw) == 0:
		return a, "", "", nil
	case err != nil:
		return nil, "", "", refuse("missing_post_type")
	case kind == "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(raw))
		if err != nil {
			return nil, "", "", refuse("invalid_form_data")
		}
		setForm(a, form)
		token = a["token"]
		delete(a, "token")
		return a, token, "", nil
	case kind == "application/json":
		if charset == "" {
			warning = "missing_charset"
		}
		if len(raw) == 0 || read {
			return a, "", warning, nil
		}
		a, ok := jsonArgs(raw)
		if !ok {
			return nil, "", warning, refuse("invalid_json")
		}
		delete(a, "token") // Slack takes no token from a JSON body
		return a, "", warning, nil
	}
	return nil, "", "", refuse("invalid_post_type")
}

// jsonArgs parses the arguments in a JSON object.
func jsonArgs(raw []byte) (args, bool) {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil || object == nil {
		return nil, false
	}
	a := args{}
	for key, value := range object {
		var text string
		if json.Unmarshal(value, &text) == nil {
			a[key] = text
		} else {
			a[key] = string(value)
		}
	}
	return a, true
}

func setForm(a args, form url.Values) {
	for key := range form {
		a[key] = form.Get(key)
	}
}

func (s *Sim) authorise(m method, r *http.Request, token string) *refusal {
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		token = bearer
	} else if m.app {
		token = "" // only the header counts
	}
	want := s.cfg.BotToken
	if m.app {
		want = s.cfg.AppToken
	}
	switch token {
	case "":
		return refuse("not_authed")
	case want:
		if !m.app && s.isRevoked() {
			return refuse("token_revoked")
		}
		return nil
	case s.cfg.BotToken, s.cfg.AppToken:
		return refuse("not_allowed_token_type")
	}
	return refuse("invalid_auth")
}

// connectionsWrite is the only scope of app-level tokens that a method here needs.
const connectionsWrite = "connections:write"

// scopes returns the scopes of the token that a method needs.
func (s *Sim) scopes(m method) []string {
	if m.app {
		return []string{connectionsWrite}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.granted
}

func (s *Sim) grants(m method, scope string) bool { return slices.Contains(s.scopes(m), scope) }

// needs returns the fields of the refusal for a missing scope.
func (s *Sim) needs(m method, scope string) response {
	return response{"needed": scope, "provided": strings.Join(s.scopes(m), ",")}
}

// checkRate counts one call against a named rate limit. Over the limit it returns a refusal with the time to wait.
func (s *Sim) checkRate(name string, every rate.Limit, burst int) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	limiter := s.limits[name]
	if limiter == nil {
		limiter = rate.NewLimiter(every, burst)
		s.limits[name] = limiter
	}
	now := s.now()
	taken := limiter.ReserveN(now, 1)
	if wait := taken.DelayFrom(now); wait > 0 {
		taken.CancelAt(now)
		return &refusal{code: "ratelimited", after: wait}
	}
	return nil
}

func (s *Sim) authTest(args) (response, *refusal) {
	return response{
		"url": "https://" + TeamDomain + ".slack.com/", "team": TeamName, "user": "balcao", "team_id": TeamID,
		"user_id": BotUserID, "bot_id": BotID, "is_enterprise_install": false,
	}, nil
}

// pointerProblem formats a problem as Slack does, with a JSON pointer.
func pointerProblem(at, problem string) string {
	return fmt.Sprintf("[ERROR] %s [json-pointer:%s]", problem, at)
}
