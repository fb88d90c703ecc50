package app

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/balcao/balcao/internal/issuer"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Assistant is the actor of an assistant of whom only the machine is known, or that it has MCP_TOKEN.
const Assistant = "mcp:local"

// assistantPrefix begins the ids of assistants. What follows is the first account of the person's entry if it is one in Slack, or a
// keyed fingerprint of it: an id is in logs and in the audit log, where no e-mail address may be. An account that comes later stands
// behind the first, so that the id stays.
const assistantPrefix = "mcp:"

// People is the table of people in PORTAL_USERS: which actor an account is, and as which user of the bank an actor acts.
type People struct {
	byActor   map[string]tools.Person
	everybody map[string]tools.Person // who is not listed, by the prefix of actors
	accounts  map[string]tools.Actor  // of assistants, by account at the issuer
	tokens    []tokenOwner
	service   portal.Login // of requests that nobody made
	keys      *keys.Keys
	now       func() time.Time
}

// tokenOwner is who has a personal token.
type tokenOwner struct {
	actor tools.Actor
	token settings.PersonalToken
}

// newPeople returns the people of the settings: those in PORTAL_USERS, everybody else if it has such an entry, and the assistant
// of which only the machine is known.
func newPeople(s settings.Settings) (*People, error) {
	broker, err := id(s, "broker", s.PortalBrokerUID)
	if err != nil {
		return nil, fmt.Errorf("PORTAL_BROKER_UID: %w", err)
	}
	p := &People{
		byActor: map[string]tools.Person{}, everybody: map[string]tools.Person{}, accounts: map[string]tools.Actor{},
		service: portal.Login{BrokerUID: broker, Username: s.PortalUsername}, keys: s.Keys, now: time.Now,
	}
	for _, listed := range s.PortalUsers {
		p.add(listed, portal.Login{BrokerUID: broker, Username: listed.User}, s.ReadOnly)
	}
	for _, token := range s.MCPTokens {
		if listed, ok := s.PortalUsers.Find(token.Account); ok {
			p.tokens = append(p.tokens, tokenOwner{p.assistantOf(listed), token})
		}
	}
	p.byActor[Assistant] = tools.Person{Login: p.service, ReadOnly: s.ReadOnly, Account: p.onlyAccountOf(p.service)}
	if s.RedisURL == settings.Memory && s.SlackBotToken == "" { // no bot sees what assistants ask for here
		for actor, person := range p.byActor {
			person.Account = ""
			p.byActor[actor] = person
		}
	}
	return p, nil
}

// add adds a person of the table: as herself in Slack, and as her assistants.
func (p *People) add(listed settings.Person, login portal.Login, readOnly bool) {
	account := ""
	if slack := listed.Slack(); slack != "" {
		account = slackPrefix + slack
	}
	assistant := p.assistantOf(listed)
	for _, each := range listed.Accounts {
		switch {
		case each == settings.Everybody:
			p.everybody[slackPrefix] = tools.Person{Login: login}
		case each == settings.EverybodyAtIssuer:
			p.everybody[assistantPrefix] = tools.Person{Login: login, ReadOnly: readOnly}
			p.accounts[each] = tools.Actor{Lang: listed.Lang}
		case strings.HasPrefix(each, assistantPrefix):
			p.accounts[each] = assistant
		default:
			p.byActor[slackPrefix+each] = tools.Person{Login: login, Account: slackPrefix + each}
		}
	}
	if assistant.ID != "" {
		p.byActor[assistant.ID] = tools.Person{Login: login, ReadOnly: readOnly, Account: account}
	}
}

// assistantOf returns the actor that a person's assistants are; its id is "" for an entry of everybody.
func (p *People) assistantOf(listed settings.Person) tools.Actor {
	switch first := listed.Accounts[0]; {
	case first == settings.Everybody, first == settings.EverybodyAtIssuer:
		return tools.Actor{}
	case slices.Contains(listed.InSlack(), first):
		return tools.Actor{ID: assistantPrefix + first, Lang: listed.Lang}
	default:
		return tools.Actor{ID: p.opaque(first), Lang: listed.Lang}
	}
}

// opaque returns the id of an actor for an account, from which the account cannot be found without STATE_KEY.
func (p *People) opaque(account string) string {
	return assistantPrefix + p.keys.Fingerprint([]byte("assistant\x00"+account))
}

// onlyAccountOf returns the account of the person in Slack who acts as a user of the bank, "" if there are several.
func (p *People) onlyAccountOf(login portal.Login) (account string) {
	for actor, person := range p.byActor {
		if person.Login != login || !strings.HasPrefix(actor, slackPrefix) {
			continue
		}
		if account != "" {
			return ""
		}
		account = actor
	}
	return account
}

// Identities finds the people whom a token names.
type Identities interface {
	OfToken(hash [sha256.Size]byte) (actor tools.Actor, ok bool)
	OfAccount(account issuer.Account) (actor tools.Actor, ok bool)
}

// Identities returns the people who have tokens, nil if the settings give none.
func (s *System) Identities() Identities {
	if len(s.settings.MCPTokens) == 0 && s.settings.MCPIssuer == "" {
		return nil
	}
	return s.people
}

// Person implements [tools.People].
func (p *People) Person(_ context.Context, actorID string) (tools.Person, bool) {
	if person, ok := p.byActor[actorID]; ok {
		return person, true
	}
	for prefix, person := range p.everybody {
		if strings.HasPrefix(actorID, prefix) {
			if prefix == slackPrefix {
				person.Account = actorID
			}
			return person, true
		}
	}
	return tools.Person{}, false
}

// OfAccount returns the actor whom an account at the issuer is; ok is false for strangers. An e-mail address counts only if the
// issuer has verified it. An address and a subject of two people are nobody's.
func (p *People) OfAccount(account issuer.Account) (actor tools.Actor, ok bool) {
	byEmail, bySubject := settings.AtIssuer(account.Email, account.Subject)
	actor, ok = p.accounts[bySubject]
	if other, listed := p.accounts[byEmail]; listed && byEmail != "" {
		if ok && other.ID != actor.ID {
			return tools.Actor{}, false
		}
		actor, ok = other, true
	}
	if everybody, is := p.accounts[settings.EverybodyAtIssuer]; !ok && is {
		actor, ok = tools.Actor{ID: p.opaque(bySubject), Lang: everybody.Lang}, true
	}
	if ok && actor.Lang == "" && account.Locale != "" {
		actor.Lang = words.English
		if strings.HasPrefix(strings.ToLower(account.Locale), "pt") {
			actor.Lang = words.Portuguese
		}
	}
	return actor, ok
}

// OfToken returns the actor who has a personal token with this hash; ok is false if nobody has, or not any more. How long it
// takes does not depend on the hash.
func (p *People) OfToken(hash [sha256.Size]byte) (actor tools.Actor, ok bool) {
	for _, owner := range p.tokens {
		if subtle.ConstantTimeCompare(hash[:], owner.token.Hash[:]) == 1 {
			actor, ok = owner.actor, !owner.token.Expired(p.now())
		}
	}
	return actor, ok
}

// inAnyWorkspace returns the person of the team with this Slack id, in any workspace. It returns false if the id belongs to
// different people in two workspaces.
func (p *People) inAnyWorkspace(user string) (found tools.Person, ok bool) {
	for actor, person := range p.byActor {
		if !strings.HasPrefix(actor, slackPrefix) || !strings.HasSuffix(actor, "/"+user) {
			continue
		}
		if ok && found.Login != person.Login {
			return tools.Person{}, false
		}
		found, ok = person, true
	}
	if !ok {
		found, ok = p.everybody[slackPrefix]
	}
	return found, ok
}
