package slackapp

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/finding"
)

const (
	// maxSkew is the age above which a signature is refused; half of it is worth a warning.
	maxSkew      = 5 * time.Minute
	diagnosis    = 10 * time.Second // of a check with one call
	peopleLimit  = 30 * time.Second // of the checks of people and of channels, one call each
	maxDiagnosed = 300              // people or channels
)

// DiagnosisConfig says what [Diagnosis] checks.
type DiagnosisConfig struct {
	BotToken, SigningSecret, AppToken string
	APIURL                            string   // ends in a slash; Slack's own if empty
	TeamChannel, AdminUser            string   // ids, "" for none
	Users                             []string // team/user of PORTAL_USERS
	MCPHosts                          []string // hosts other than this machine at which the server for assistants answers
	MCPHost                           string   // the one of its address as others know it, "" if it has none
	Now                               func() time.Time
	// Destinations returns what is subscribed; nil if it cannot be known.
	Destinations func(context.Context) ([]destination.Settings, error)
}

// Diagnosis checks an app in Slack: it reads, and posts nothing.
type Diagnosis struct {
	DiagnosisConfig
	client *client
	us     identity
	header http.Header // of the reply to auth.test
	asked  time.Time   // when it came
}

// Diagnose returns a diagnosis. End it with Close.
func Diagnose(config DiagnosisConfig) *Diagnosis {
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Diagnosis{DiagnosisConfig: config, client: newClient(config.APIURL, config.BotToken, config.AppToken)}
}

// Close closes the connections.
func (d *Diagnosis) Close() { d.client.close() }

// Checks returns the checks, in their order.
func (d *Diagnosis) Checks() []finding.Check {
	checks := []finding.Check{
		{Subject: "SLACK_BOT_TOKEN", Vital: true, AtStart: true, Timeout: diagnosis, Run: d.token},
		{Subject: "slack.scopes", Timeout: diagnosis, Run: d.scopes},
		{Subject: "MCP_HOSTS", Timeout: diagnosis, Run: d.mcpServer},
		{Subject: "slack.clock", Timeout: diagnosis, Run: d.clock},
	}
	if d.AppToken != "" {
		checks = append(checks, finding.Check{Subject: "SLACK_APP_TOKEN", AtStart: true, Timeout: diagnosis, Run: d.socket})
	} else {
		checks = append(checks, finding.Check{Subject: "SLACK_SIGNING_SECRET", Timeout: diagnosis, Run: d.signed})
	}
	return append(checks,
		finding.Check{Subject: "TEAM_CHANNEL", AtStart: true, Timeout: diagnosis, Run: d.teamChannel},
		finding.Check{Subject: "slack.subscriptions", Timeout: peopleLimit, Run: d.subscriptions},
		finding.Check{Subject: "PORTAL_USERS", Timeout: peopleLimit, Run: d.users},
		finding.Check{Subject: "ADMIN_USER", Timeout: diagnosis, Run: d.admin},
	)
}

// codeOf returns the code of a failed call: Slack's, or our own for what is no answer of Slack's.
func codeOf(err error) string {
	if failed, ok := errors.AsType[*slackError](err); ok {
		return failed.code
	}
	return "unreachable"
}

// failedCall returns the finding for a call to Slack that failed for a reason that has nothing to do with what was asked.
func failedCall(err error) finding.Finding {
	switch code := codeOf(err); {
	case slices.Contains([]string{"unreachable", "timeout", "malformed_url"}, code):
		return finding.New(finding.Fail, "slack."+code)
	case code == "missing_scope":
		return finding.New(finding.NotTried, "slack.no_scope_for_it")
	case code == "ratelimited":
		return finding.New(finding.NotTried, "slack.ratelimited")
	case strings.HasPrefix(code, "http_") && !strings.HasPrefix(code, "http_5"):
		return finding.New(finding.Fail, "slack.not_slack", "status", strings.TrimPrefix(code, "http_"))
	default:
		return finding.New(finding.Fail, "slack.answer", "code", code)
	}
}

func (d *Diagnosis) token(ctx context.Context) []finding.Finding {
	var reply struct {
		identity
		Name string `json:"team"`
	}
	header, err := d.client.callForHeader(ctx, "auth.test", url.Values{}, &reply)
	d.us, d.header, d.asked = reply.identity, header, d.Now()
	switch code := codeOf(err); {
	case err == nil && reply.Bot == "":
		return finding.One(finding.Fail, "slack.not_a_bot")
	case err == nil:
		return finding.One(finding.OK, "slack.token", "name", reply.Name, "team", reply.Team)
	case code == "token_revoked", code == "account_inactive", code == "token_expired":
		return finding.One(finding.Fail, "slack.token_revoked", "code", code)
	case slices.Contains(invalidToken, code):
		return finding.One(finding.Fail, "slack.token_invalid", "code", code)
	}
	return []finding.Finding{failedCall(err)}
}

// granted are the scopes of the token, none if Slack does not say.
func (d *Diagnosis) granted() []string {
	return strings.FieldsFunc(d.header.Get("X-OAuth-Scopes"), func(r rune) bool { return r == ',' || r == ' ' })
}

// scopes compares the scopes of the token with those of the manifest.
func (d *Diagnosis) scopes(context.Context) []finding.Finding {
	granted := d.granted()
	if len(granted) == 0 {
		return finding.One(finding.NotTried, "slack.scopes_unknown")
	}
	var found []finding.Finding
	for _, scope := range botScopes {
		if !slices.Contains(granted, scope) {
			found = append(found, finding.New(finding.Fail, "slack.scope."+scope).About(scope))
		}
	}
	if found == nil {
		return finding.One(finding.OK, "slack.scopes", "total", len(botScopes))
	}
	return found
}

// mcpServer checks that Slackbot is answered at the host that the manifest's MCP server has. Slack shows a bot whether the app
// declares one, by its scope, and not where: that host is the one of the request URL, which [Manifest] has for both, and of MCP_URL.
func (d *Diagnosis) mcpServer(context.Context) []finding.Finding {
	hosts := strings.Join(d.MCPHosts, ", ")
	granted := d.granted()
	switch {
	case len(granted) == 0:
		return finding.One(finding.NotTried, "slack.scopes_unknown")
	case !slices.Contains(granted, mcpScope):
		return finding.One(finding.OK, "slack.mcp_undeclared")
	case d.AppToken != "":
		return finding.One(finding.Warn, "slack.mcp_socket")
	case hosts == "":
		return finding.One(finding.Fail, "slack.mcp_no_host")
	case d.MCPHost != "" && !slices.ContainsFunc(d.MCPHosts, func(host string) bool { return strings.EqualFold(host, d.MCPHost) }):
		return finding.One(finding.Fail, "slack.mcp_other_host", "host", d.MCPHost, "hosts", hosts)
	}
	return finding.One(finding.OK, "slack.mcp", "hosts", hosts)
}

// clock compares our clock with Slack's: a signature whose time differs too much is refused.
func (d *Diagnosis) clock(context.Context) []finding.Finding {
	theirs, err := http.ParseTime(d.header.Get("Date"))
	if err != nil {
		return finding.One(finding.NotTried, "slack.clock_unknown")
	}
	skew := d.asked.Sub(theirs).Round(time.Second)
	status, code := finding.OK, "slack.clock"
	switch size := skew.Abs(); {
	case size >= maxSkew:
		status, code = finding.Fail, "slack.clock_wrong"
	case size >= maxSkew/5:
		status, code = finding.Warn, "slack.clock_differs"
	}
	return finding.One(status, code, "seconds", int(skew.Abs().Seconds()))
}

// socket opens the address of a socket, and no socket.
func (d *Diagnosis) socket(ctx context.Context) []finding.Finding {
	_, err := d.client.openSocket(ctx)
	switch code := codeOf(err); {
	case err == nil:
		return finding.One(finding.OK, "slack.socket")
	case code == "missing_scope":
		return finding.One(finding.Fail, "slack.socket_scope")
	case code == "link_disabled" || code == "socket_mode_disabled":
		return finding.One(finding.Fail, "slack.socket_off")
	case slices.Contains(invalidToken, code):
		return finding.One(finding.Fail, "slack.app_token_invalid", "code", code)
	}
	return []finding.Finding{failedCall(err)}
}

// signed says what only a request of Slack's can show.
func (d *Diagnosis) signed(context.Context) []finding.Finding {
	return finding.One(finding.OK, "slack.signed")
}

func (d *Diagnosis) teamChannel(ctx context.Context) []finding.Finding {
	if d.TeamChannel == "" {
		return finding.One(finding.NotTried, "slack.channel.unset")
	}
	f, _ := d.channel(ctx, d.TeamChannel)
	return []finding.Finding{f}
}

// channel checks that messages can be posted in a channel, and that nobody else reads them. ok is false if Slack did not say.
func (d *Diagnosis) channel(ctx context.Context, id string) (f finding.Finding, ok bool) {
	var reply struct {
		Channel struct {
			channelInfo
			Member   bool `json:"is_member"`
			Archived bool `json:"is_archived"`
		} `json:"channel"`
	}
	err := d.client.call(ctx, noRetry, "conversations.info", url.Values{"channel": {id}}, &reply)
	status, code := finding.OK, "slack.channel"
	switch c := reply.Channel; {
	case codeOf(err) == "channel_not_found":
		status, code = finding.Fail, "slack.channel.unknown"
	case err != nil:
		return failedCall(err), false
	case c.Archived:
		status, code = finding.Fail, "slack.channel.archived"
	case !c.Member:
		status, code = finding.Fail, "slack.channel.not_in_it"
	case c.readByOutsiders(d.us):
		status, code = finding.Fail, "slack.channel.shared"
	}
	return finding.New(status, code, "channel", id), true
}

// subscriptions checks the channels and people that are notified, but for the team's channel.
func (d *Diagnosis) subscriptions(ctx context.Context) []finding.Finding {
	if d.Destinations == nil {
		return finding.One(finding.NotTried, "slack.subscriptions_unknown")
	}
	all, err := d.Destinations(ctx)
	if err != nil {
		return finding.One(finding.NotTried, "slack.subscriptions_unknown")
	}
	var ids []string
	for _, settings := range all {
		id, ok := slackID(settings.ID)
		if ok && id != d.TeamChannel && len(settings.Subscriptions) > 0 {
			ids = append(ids, id)
		}
	}
	found := each(ctx, ids, "slack.subscriptions", func(id string) (finding.Finding, bool) {
		if _, person := userID("slack:" + id); person {
			return d.person(ctx, id, "")
		}
		return d.channel(ctx, id)
	})
	for i := range found {
		if found[i].Args["channel"] != nil && found[i].Status == finding.Fail { // whoever subscribed may have left it on purpose
			found[i].Status = finding.Warn
		}
	}
	return found
}

// users checks the people of PORTAL_USERS.
func (d *Diagnosis) users(ctx context.Context) []finding.Finding {
	return each(ctx, d.Users, "slack.users", func(person string) (finding.Finding, bool) {
		team, user, _ := strings.Cut(person, "/")
		return d.person(ctx, user, team)
	})
}

// each checks ids in their order until Slack does not answer. It returns what has to be corrected, one finding for all that are
// fine, and one for those that were not checked.
func each(ctx context.Context, ids []string, code string, check func(string) (finding.Finding, bool)) (found []finding.Finding) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	fine, left := 0, len(ids)
	for _, id := range ids[:min(len(ids), maxDiagnosed)] {
		if ctx.Err() != nil {
			break
		}
		f, ok := check(id)
		if ok && f.Status == finding.OK {
			fine++
		} else {
			found = append(found, f)
		}
		if !ok {
			break
		}
		left--
	}
	if left > 0 {
		found = append(found, finding.New(finding.NotTried, code+"_left", "count", left))
	}
	switch {
	case len(ids) == 0:
		return finding.One(finding.OK, code+"_none")
	case fine > 0:
		found = append(finding.One(finding.OK, code, "count", fine), found...)
	}
	return found
}

// person checks that a person can be served. team is where PORTAL_USERS has her, "" if that does not matter. ok is false if
// Slack did not say.
func (d *Diagnosis) person(ctx context.Context, id, team string) (f finding.Finding, ok bool) {
	var reply struct {
		User struct {
			slackUser
			Deleted bool `json:"deleted"`
			Bot     bool `json:"is_bot"`
		} `json:"user"`
	}
	err := d.client.call(ctx, noRetry, "users.info", url.Values{"user": {id}}, &reply)
	status, code := finding.OK, "slack.user"
	switch u := reply.User; {
	case codeOf(err) == "user_not_found" || codeOf(err) == "user_not_visible":
		status, code = finding.Fail, "slack.user.unknown"
	case err != nil:
		return failedCall(err), false
	case u.Deleted:
		status, code = finding.Warn, "slack.user.deactivated"
	case u.Bot:
		status, code = finding.Fail, "slack.user.bot"
	case u.Restricted || u.UltraRestricted || u.Stranger || u.Team != d.us.Team:
		status, code = finding.Fail, "slack.user.guest"
	case team != "" && team != u.Team:
		status, code = finding.Fail, "slack.user.other_team"
	}
	return finding.New(status, code, "user", id), true
}

func (d *Diagnosis) admin(ctx context.Context) []finding.Finding {
	if d.AdminUser == "" {
		return finding.One(finding.NotTried, "slack.admin.unset")
	}
	f, _ := d.person(ctx, d.AdminUser, "")
	if f.Status == finding.Warn { // nobody is told of what has to be corrected
		f.Status = finding.Fail
	}
	return []finding.Finding{f}
}
