package settings

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/balcao/balcao/internal/lisbon"
)

// PersonalToken is an entry of MCP_TOKENS: who has a token, and its hash. The token itself is nowhere in the settings.
type PersonalToken struct {
	Account string // of a person in PORTAL_USERS
	Hash    [sha256.Size]byte
	Until   time.Time // zero if it does not expire
}

// Expired reports whether the token is no longer accepted.
func (t PersonalToken) Expired(now time.Time) bool { return !t.Until.IsZero() && !now.Before(t.Until) }

// PersonalTokens are the entries of MCP_TOKENS.
type PersonalTokens []PersonalToken

// tokenPrefix begins tokens, so that programs that look for secrets in files recognise one.
const tokenPrefix = "balcao_"

const tokenBytes = 32 // random; so a plain hash is enough, since nobody can try all

// NewPersonalToken returns a new token for an account, and its entry for MCP_TOKENS. until is the last day on which it is
// accepted, zero if there is none. It returns ok false if account is not one that a person in PORTAL_USERS can have.
func NewPersonalToken(account string, until time.Time) (token, entry string, ok bool) {
	account, ok = parseAccount(strings.TrimSpace(account))
	if !ok || account == Everybody || account == EverybodyAtIssuer || strings.ContainsAny(account, entriesSeparator+accountsOfOneJoint) {
		return "", "", false
	}
	random := make([]byte, tokenBytes)
	_, _ = rand.Read(random) // it never fails
	token = tokenPrefix + hex.EncodeToString(random)
	hash := HashOfToken(token)
	entry = account + accountsOfOneJoint + hex.EncodeToString(hash[:])
	if !until.IsZero() {
		entry += ":" + until.Format(time.DateOnly)
	}
	return token, entry, true
}

// AccountOf returns the account of an entry of MCP_TOKENS.
func AccountOf(entry string) string {
	account, _, _ := strings.Cut(entry, accountsOfOneJoint)
	return account
}

// HashOfToken returns the hash with which a token is compared.
func HashOfToken(token string) [sha256.Size]byte { return sha256.Sum256([]byte(token)) }

// UnmarshalText implements [encoding.TextUnmarshaler]. Entries are separated by commas: an account of a person, =, the SHA-256 of
// her token in hexadecimal digits, and perhaps : and the last day on which it is accepted, 2027-06-30. It fails with an
// [*EntryError].
func (t *PersonalTokens) UnmarshalText(text []byte) error {
	var tokens PersonalTokens
	seen := map[[sha256.Size]byte]bool{}
	for i, entry := range strings.Split(string(text), entriesSeparator) {
		token, ok := parsePersonalToken(strings.TrimSpace(entry))
		if !ok || seen[token.Hash] {
			return &EntryError{i + 1}
		}
		seen[token.Hash] = true
		tokens = append(tokens, token)
	}
	*t = tokens
	return nil
}

func parsePersonalToken(entry string) (token PersonalToken, ok bool) {
	account, rest, _ := strings.Cut(entry, accountsOfOneJoint)
	token.Account, ok = parseAccount(strings.TrimSpace(account))
	if !ok || token.Account == Everybody || token.Account == EverybodyAtIssuer {
		return PersonalToken{}, false
	}
	digits, until, limited := strings.Cut(strings.TrimSpace(rest), ":")
	hash, err := hex.DecodeString(digits)
	if err != nil || len(hash) != sha256.Size {
		return PersonalToken{}, false
	}
	token.Hash = [sha256.Size]byte(hash)
	if limited {
		day, err := time.ParseInLocation(time.DateOnly, until, lisbon.Zone)
		if err != nil {
			return PersonalToken{}, false
		}
		token.Until = day.AddDate(0, 0, 1)
	}
	return token, true
}
