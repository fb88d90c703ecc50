package issuer

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"
)

// accessTypes are the types that an access token may have in its header. Many issuers do not use that of RFC 9068. Others,
// such as logout+jwt, are for something else.
var accessTypes = map[string]bool{"": true, "jwt": true, "at+jwt": true, "application/at+jwt": true}

// parse parses a token without checking its signature.
func parse(token string) (*jwt.JSONWebToken, jose.Header, error) {
	parsed, err := jwt.ParseSigned(token, algorithms)
	if unexpected := new(jose.ErrUnexpectedSignatureAlgorithm); errors.As(err, &unexpected) {
		return nil, jose.Header{}, invalid(Algorithm)
	}
	if err != nil || len(parsed.Headers) != 1 {
		return nil, jose.Header{}, invalid(Malformed)
	}
	header := parsed.Headers[0]
	kind, _ := header.ExtraHeaders[jose.HeaderType].(string)
	if !accessTypes[strings.ToLower(kind)] {
		return nil, jose.Header{}, invalid(WrongType)
	}
	return parsed, header, nil
}

// claims are the claims of a token that are used here.
type claims struct {
	jwt.Claims
	Scope         scopes          `json:"scope"` // RFC 9068
	Scp           scopes          `json:"scp"`   // Microsoft, Okta
	Email         text            `json:"email"`
	EmailVerified flag            `json:"email_verified"`
	Locale        text            `json:"locale"`
	Confirmation  json.RawMessage `json:"cnf"` // RFC 7800
}

// check checks everything but the signature.
func (c claims) check(config Config, now time.Time) error {
	switch {
	case c.Confirmation != nil:
		return invalid(Bound)
	case c.Subject == "":
		return invalid(WithoutOwner)
	case c.Expiry == nil:
		return invalid(Expired)
	}
	err := c.ValidateWithLeeway(jwt.Expected{Issuer: config.URL, AnyAudience: jwt.Audience{config.Audience}, Time: now}, Skew)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jwt.ErrInvalidIssuer):
		return invalid(WrongIssuer)
	case errors.Is(err, jwt.ErrInvalidAudience):
		return invalid(Audience)
	case errors.Is(err, jwt.ErrExpired):
		return invalid(Expired)
	}
	return invalid(NotYetValid)
}

func (c claims) account() Account {
	account := Account{Subject: c.Subject, Locale: string(c.Locale), Scopes: slices.Concat(c.Scope, c.Scp)}
	if email := Email(string(c.Email)); c.EmailVerified {
		account.Email = email
	}
	return account
}

// An address of printable ASCII characters. Others could look like the address of somebody else, or become it in lower case.
var emailAddress = regexp.MustCompile(`^[!-?A-~]+@[!-?A-~]+$`)

// Email returns an e-mail address as accounts have it, or "" if it is none.
func Email(address string) string {
	if !emailAddress.MatchString(address) {
		return ""
	}
	return strings.ToLower(address)
}

// scopes are separated by spaces, or are a list.
type scopes []string

// UnmarshalJSON implements [json.Unmarshaler]. Something else is no scope.
func (s *scopes) UnmarshalJSON(data []byte) error {
	var list []string
	var line text
	if json.Unmarshal(data, &list) == nil {
		*s = list
	} else if line.UnmarshalJSON(data) == nil {
		*s = strings.Fields(string(line))
	}
	return nil
}

// text is a claim that is optional: "" if it is no text.
type text string

// UnmarshalJSON implements [json.Unmarshaler].
func (t *text) UnmarshalJSON(data []byte) error {
	var value string
	if json.Unmarshal(data, &value) == nil {
		*t = text(value)
	}
	return nil
}

// flag is true, or the text "true", as some issuers write it.
type flag bool

// UnmarshalJSON implements [json.Unmarshaler].
func (f *flag) UnmarshalJSON(data []byte) error {
	*f = string(data) == "true" || string(data) == `"true"`
	return nil
}
