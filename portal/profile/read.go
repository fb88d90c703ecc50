package profile

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// TokenIn returns the token in the reply to a login, "" if there is none.
func (l *Login) TokenIn(reply []byte) string {
	value, err := parse(reply)
	if err != nil {
		return ""
	}
	for _, name := range l.Token {
		found, ok := value, name == ""
		if !ok {
			found, ok = lookup(value, strings.Split(name, "."))
		}
		if token, is := found.(string); ok && is {
			return token
		}
	}
	return ""
}

// Inside reports whether a reply with a status of success is an error by one of the conditions.
func (e *Errors) Inside(reply []byte) bool {
	if len(e.InReply) == 0 {
		return false
	}
	value, err := parse(reply)
	if err != nil {
		return false
	}
	for _, condition := range e.InReply {
		path, want, compares := strings.Cut(condition, "=")
		found, ok := lookup(value, strings.Split(path, "."))
		if !ok {
			continue
		}
		if written, err := json.Marshal(found); err == nil && compares && strings.Trim(string(written), `"`) == want {
			return true
		}
		if !compares && !isEmpty(found) {
			return true
		}
	}
	return false
}

func isEmpty(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return value == ""
	case bool:
		return !value
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	}
	return false
}

// CodeOf returns the code of a reason for the field with a number, 0 for none. It is "" for an unknown reason.
func (e *Errors) CodeOf(reason string, field int) string {
	return strings.ReplaceAll(e.Reasons[reason].first(""), "--", fmt.Sprintf("%02d", field))
}

// Has reports whether a code may be that of a reason.
func (e *Errors) Has(reason, code string) bool {
	return slices.ContainsFunc(e.Reasons[reason], func(known string) bool {
		before, after, any := strings.Cut(known, "--")
		return known == code || any && len(code) == len(known) && strings.HasPrefix(code, before) && strings.HasSuffix(code, after)
	})
}

// Reply returns the reply to a login with a token, as the bank writes it.
func (l *Login) Reply(token string) any {
	if name := l.Token.first(""); name != "" {
		reply := map[string]any{}
		put(reply, name, token)
		return reply
	}
	return token
}

// Extract returns the values that templates of headers have in a request, by their names. A template that a header does not
// match gives none.
func Extract(templates map[string]string, header func(string) string) map[string]string {
	found := map[string]string{}
	for name, template := range templates {
		names := Placeholders(template)
		pattern := regexp.QuoteMeta(template)
		for _, name := range names {
			pattern = strings.Replace(pattern, regexp.QuoteMeta("{"+name+"}"), "(.*)", 1)
		}
		matcher, err := regexp.Compile("^" + pattern + "$")
		if err != nil {
			continue
		}
		values := matcher.FindStringSubmatch(header(name))
		for i, name := range names {
			if values != nil {
				found[name] = values[i+1]
			}
		}
	}
	return found
}

// Sends reports whether every call has a header with a value.
func (p *Profile) Sends(value string) bool {
	for _, template := range p.Headers {
		if slices.Contains(Placeholders(template), value) {
			return true
		}
	}
	return false
}
