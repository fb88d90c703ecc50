package settings

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/balcao/balcao/internal/issuer"
	"github.com/balcao/balcao/internal/words"
)

// Accounts in PORTAL_USERS for all people who are not listed. The first is for Slack only: that a person is in the workspace
// says nothing of who gets tokens from an issuer.
const (
	Everybody          = "*"
	EverybodyAtIssuer  = "mcp:*"
	mcpPrefix          = "mcp:"
	subjectPrefix      = "mcp:sub:"
	langPrefix         = "lang:"
	maxSubject         = 255 // characters, by OpenID Connect
	entriesSeparator   = ","
	accountsOfOneJoint = "="
)

// slackPerson matches a person in Slack: team/user.
var slackPerson = regexp.MustCompile(`^[TE][A-Z0-9]{1,30}/[UW][A-Z0-9]{1,30}$`)

// Person is an entry of PORTAL_USERS: the accounts that one person has, and as which user of the bank she acts.
type Person struct {
	Accounts []string   // T0123/U0456 in Slack; mcp:ana@mediadora.example or mcp:sub:SUBJECT at MCP_ISSUER; or one of everybody
	Lang     words.Lang // of her assistants; "" if it is not said
	User     string     // of the bank
}

// InSlack returns the person's accounts in Slack.
func (p Person) InSlack() (accounts []string) {
	for _, account := range p.Accounts {
		if slackPerson.MatchString(account) {
			accounts = append(accounts, account)
		}
	}
	return accounts
}

// Slack returns the first of the person's accounts in Slack, "" if there is none.
func (p Person) Slack() string {
	for _, account := range p.InSlack() {
		return account
	}
	return ""
}

// AtIssuer returns the account of an e-mail address that the issuer has verified, or of a subject.
func AtIssuer(email, subject string) (byEmail, bySubject string) {
	if email != "" {
		byEmail = mcpPrefix + email
	}
	return byEmail, subjectPrefix + subject
}

// People are the entries of PORTAL_USERS.
type People []Person

// EntryError says which entry of a setting is wrong, without its text.
type EntryError struct{ Entry int } // from 1

func (e *EntryError) Error() string { return fmt.Sprintf("entry %d", e.Entry) }

// UnmarshalText implements [encoding.TextUnmarshaler]. Entries are separated by commas; each is the accounts of a person and
// then the user of the bank, with = between them: T0123/U0456=mcp:ana@mediadora.example=lang:en=ana. It fails with an
// [*EntryError].
func (p *People) UnmarshalText(text []byte) error {
	var people People
	seen := map[string]bool{}
	for i, entry := range strings.Split(string(text), entriesSeparator) {
		person, ok := parsePerson(entry)
		if !ok {
			return &EntryError{i + 1}
		}
		for _, account := range person.Accounts {
			if seen[account] { // it would belong to two people
				return &EntryError{i + 1}
			}
			seen[account] = true
		}
		people = append(people, person)
	}
	*p = people
	return nil
}

func parsePerson(entry string) (person Person, ok bool) {
	parts := strings.Split(entry, accountsOfOneJoint)
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	last := len(parts) - 1
	for _, part := range parts[:last] {
		if lang, is := strings.CutPrefix(part, langPrefix); is {
			if person.Lang != "" || !slices.Contains(words.Langs, words.Lang(lang)) {
				return Person{}, false
			}
			person.Lang = words.Lang(lang)
			continue
		}
		account, is := parseAccount(part)
		if !is {
			return Person{}, false
		}
		person.Accounts = append(person.Accounts, account)
	}
	person.User = parts[last]
	for _, everybody := range []string{Everybody, EverybodyAtIssuer} {
		if slices.Contains(person.Accounts, everybody) && (len(person.Accounts) > 1 || everybody == Everybody && person.Lang != "") {
			return Person{}, false
		}
	}
	return person, len(person.Accounts) > 0 && person.User != ""
}

// parseAccount returns an account in the form in which accounts are compared.
func parseAccount(text string) (account string, ok bool) {
	switch {
	case text == Everybody, text == EverybodyAtIssuer, slackPerson.MatchString(text):
		return text, true
	case strings.HasPrefix(text, subjectPrefix):
		subject := strings.TrimPrefix(text, subjectPrefix)
		return text, subject != "" && len(subject) <= maxSubject && !strings.ContainsFunc(subject, unicode.IsControl)
	case strings.HasPrefix(text, mcpPrefix):
		email := issuer.Email(strings.TrimPrefix(text, mcpPrefix))
		return mcpPrefix + email, email != ""
	}
	return "", false
}

// Find returns the person who has an account.
func (p People) Find(account string) (Person, bool) {
	i := slices.IndexFunc(p, func(person Person) bool { return slices.Contains(person.Accounts, account) })
	if i < 0 {
		return Person{}, false
	}
	return p[i], true
}
