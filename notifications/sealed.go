package notifications

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/balcao/balcao/conversations"
)

// sealer seals values that are stored in Redis, and replaces ids in names by keyed fingerprints. In clear text are only
// values that scripts compare: versions, times, and ids from Redis or Slack.
type sealer struct {
	store *conversations.Store
	keyed func([]byte) string
}

// fingerprint replaces ids in the name of a key or member; fingerprints of different kinds differ.
func (s sealer) fingerprint(kind string, parts ...string) string {
	return s.keyed(fmt.Appendf(nil, "%s %q", kind, parts))
}

// subject returns the fingerprint by which Redis names a process or simulation.
func (s sealer) subject(of Subject) string { return s.fingerprint(of.Kind(), of.UID().String()) }

// seal encodes a value as JSON and seals it, bound to the name at of where it is stored.
func (s sealer) seal(at string, value any) (string, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("encoding a value: %w", err)
	}
	sealed, err := s.store.Seal(at, data)
	return string(sealed), err
}

// open opens what seal sealed with the same at.
func (s sealer) open(what, at, sealed string, into any) error {
	data, err := s.store.Unseal(at, sealed)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if json.Unmarshal(data, into) != nil { // without the cause, which may quote it
		return fmt.Errorf("%s cannot be decoded", what)
	}
	return nil
}

// sealUpdate seals an update so that it can be opened wherever it is stored. Before the sealed text are the fingerprint
// of the subject and the version, which it is bound to.
func (s sealer) sealUpdate(update Update) (string, error) {
	at := s.subject(update.Subject) + ":" + strconv.FormatInt(update.Version, 10)
	sealed, err := s.seal("update "+at, update)
	return at + "|" + sealed, err
}

func (s sealer) openUpdate(text string) (update Update, err error) {
	at, sealed, _ := strings.Cut(text, "|")
	err = s.open("an update", "update "+at, sealed, &update)
	return update, err
}
