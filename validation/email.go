package validation

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/go-playground/validator/v10"
)

// Limits of an e-mail address, in bytes (RFC 5321).
const (
	emailMax      = 254
	emailLocalMax = 64
	emailLabelMax = 63
)

var (
	library        = validator.New()
	topLevelDomain = regexp.MustCompile(`^(\p{L}{2,}|xn--[a-z0-9-]+)$`)
)

// Email reads an e-mail address and returns it trimmed, its domain in lower case. It does not look up the domain. It fails
// with [EmailLength] or [EmailFormat].
func Email(s string) (norm string, err error) {
	if s = strings.TrimSpace(s); len(s) > emailMax {
		return "", EmailLength
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return "", EmailFormat
	}
	local, domain := s[:at], strings.ToLower(s[at+1:])
	if len(local) > emailLocalMax || len(local)+1+len(domain) > emailMax {
		return "", EmailLength
	}
	s = local + "@" + domain
	if strings.ContainsFunc(s, confusing) || library.Var(s, "email") != nil {
		return "", EmailFormat
	}
	// The library accepts labels of any length, and a domain that ends in one letter or a symbol.
	labels := strings.Split(domain, ".")
	for _, label := range labels {
		if len(label) > emailLabelMax {
			return "", EmailFormat
		}
	}
	if !topLevelDomain.MatchString(labels[len(labels)-1]) {
		return "", EmailFormat
	}
	return s, nil
}

// confusing reports full-width and combining characters, which the library accepts and mail servers do not.
func confusing(r rune) bool { return r >= 0xFF00 && r <= 0xFFEF || unicode.Is(unicode.Mn, r) }
