package bank

import (
	"context"
	"slices"
	"strings"

	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// checkLogin logs in. It tries other names of the headers, other paths and other locations of the token.
func (x *Examination) checkLogin(ctx context.Context) []finding.Finding {
	if x.invalid != nil {
		return finding.One(finding.Fail, "bank.settings")
	}
	first := x.enter(ctx, nil)
	if first.Err == nil {
		x.passed = true
		f := x.found(finding.OK, "bank.login.accepted")
		f.Entries = confirmed(finding.OK, x.loginEntries()...)
		return []finding.Finding{f}
	}
	if first.Status == 0 && portal.KindOf(first.Err) != "" {
		return []finding.Finding{x.found(finding.Fail, "bank.unreachable")}
	}
	came := describe(first)
	var entries []entry
	probe := first
	for range 3 { // the path, then the headers, then the token
		more := x.repairLogin(ctx, probe, entries)
		if more == nil {
			break
		}
		entries = append(entries, more...)
		if probe = x.enter(ctx, entries); probe.Err == nil {
			break
		}
	}
	if probe.Err == nil {
		x.passed = true
		return []finding.Finding{x.differs(came, entries)}
	}
	if probe.Status == 0 { // a broker that is no uuid was sent as a number only
		if probe = x.answer; probe.Status == 0 {
			return []finding.Finding{x.found(finding.Fail, "bank.unreachable")}
		}
		came = describe(probe)
	}
	return []finding.Finding{x.found(finding.Fail, x.whyNoLogin(probe), "came", came)}
}

// loginEntries are the entries that an accepted login confirms.
func (x *Examination) loginEntries() []string {
	paths := []string{"prefix", "operations.authenticate.path", "login.token", "forms.ids.broker"}
	for name, template := range x.profile.Login.Headers {
		if template != "" {
			paths = append(paths, "login.headers."+name)
		}
	}
	slices.Sort(paths)
	return paths
}

// enter logs in with a profile that has the entries. An entry forms.ids.broker decides how the setting is read.
func (x *Examination) enter(ctx context.Context, entries []entry) portal.Probe {
	p, err := x.over(entries)
	if err != nil {
		return portal.Probe{Operation: portal.Authenticate, Err: err}
	}
	broker, err := profile.ParseID(p.Forms.IDs["broker"], x.config.Broker)
	if err != nil {
		return portal.Probe{Operation: portal.Authenticate, Err: err}
	}
	x.login = portal.Login{BrokerUID: broker, Username: x.config.Username}
	probe := x.try(ctx, p, portal.Authenticate, nil)
	if x.answer.Status == 0 {
		x.answer = probe
	}
	return probe
}

// repairLogin returns entries that bring a login further than the probe came, nil if there are none.
func (x *Examination) repairLogin(ctx context.Context, probe portal.Probe, so []entry) []entry {
	if answered(probe) {
		return x.tokenEntries(ctx, probe, so)
	}
	if wrongPath(probe) {
		return x.firstLogin(ctx, so, x.loginPaths(), func(p portal.Probe) bool { return !wrongPath(p) && p.Status != 0 })
	}
	return x.firstLogin(ctx, so, x.loginHeaders(), answered)
}

// firstLogin returns the first candidate with which a login is good.
func (x *Examination) firstLogin(ctx context.Context, so []entry, candidates [][]entry, good func(portal.Probe) bool) []entry {
	for _, candidate := range candidates {
		if ctx.Err() != nil {
			return nil
		}
		if good(x.enter(ctx, slices.Concat(so, candidate))) {
			return candidate
		}
	}
	return nil
}

// loginPaths returns candidates for the path of the login: with the prefix, and then with others.
func (x *Examination) loginPaths() (all [][]entry) {
	own := x.profile.Operations[string(portal.Authenticate)].Path
	paths := x.profile.Candidates.Paths[string(portal.Authenticate)]
	for _, path := range paths {
		if path != own {
			all = append(all, []entry{set(path, "operations", "authenticate", "path")})
		}
	}
	for _, prefix := range x.profile.Candidates.Prefixes {
		if prefix == x.profile.Prefix {
			continue
		}
		all = append(all, []entry{set(prefix, "prefix")})
	}
	for _, prefix := range x.profile.Candidates.Prefixes {
		for _, path := range paths[:min(len(paths), 7)] {
			if prefix != x.profile.Prefix && path != own {
				all = append(all, []entry{set(prefix, "prefix"), set(path, "operations", "authenticate", "path")})
			}
		}
	}
	return all
}

// loginHeaders returns candidates for the headers of the login.
func (x *Examination) loginHeaders() (all [][]entry) {
	_, notInteger := profile.ParseID(profile.Integer, x.config.Broker)
	integer := set(string(profile.Integer), "forms", "ids", "broker")
	asInteger := notInteger == nil && x.profile.Forms.IDs["broker"] != profile.Integer
	if asInteger {
		all = append(all, []entry{integer})
	}
	for _, alternative := range x.profile.Alternatives {
		entries := flatten(alternative.Profile)
		if slices.ContainsFunc(entries, func(e entry) bool { return !e.concerns("login.headers") }) {
			continue
		}
		all = append(all, entries)
		if asInteger {
			all = append(all, append(slices.Clone(entries), integer))
		}
	}
	return all
}

// tokenEntries returns where a reply to a login has its token.
func (x *Examination) tokenEntries(ctx context.Context, probe portal.Probe, so []entry) []entry {
	type candidate struct {
		path  string
		score int
	}
	var found []candidate
	objects := nested(tree(probe.Body))
	for _, path := range sortedKeys(objects) {
		for _, name := range sortedKeys(objects[path]) {
			token, is := objects[path][name].(string)
			if !is || len(token) < 16 || strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' }) || strings.Contains(name, ".") {
				continue
			}
			score := min(len(token), 200)
			for _, word := range wordsIn(name) {
				switch word {
				case "token", "jwt", "bearer":
					score += 1000
				case "session", "access":
					score += 500
				case "refresh", "expires", "id":
					score -= 400
				}
			}
			found = append(found, candidate{join(path, name), score})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return b.score - a.score })
	for _, c := range found {
		names := x.profile.Login.Token
		for rest := c.path; strings.Contains(rest, "."); { // an object around all replies may turn out to be around this one
			_, rest, _ = strings.Cut(rest, ".")
			names = first(rest, names)
		}
		candidate := []entry{set(first(c.path, names), "login", "token")}
		if x.enter(ctx, slices.Concat(so, candidate)).Err == nil {
			return candidate
		}
	}
	return nil
}

// whyNoLogin returns the code of the finding for a login that nothing brings further.
func (x *Examination) whyNoLogin(probe portal.Probe) string {
	switch {
	case answered(probe):
		return "bank.login.no_token"
	case wrongPath(probe):
		return "bank.login.no_path"
	case probe.Status >= 500:
		return "bank.login.failing"
	}
	for _, message := range messagesOf(probe) {
		switch message.Reason {
		case "session.client":
			return "bank.login.client"
		case "session.broker":
			return "bank.login.broker"
		case "session.user":
			return "bank.login.user"
		}
	}
	return "bank.login.refused"
}
