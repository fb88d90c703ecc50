package notifications

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/balcao/balcao/conversations"
)

// sealer seals what is kept in Redis of processes, and names them there by keyed fingerprints. In the clear stay only
// what scripts compare: versions, times and ids that Redis or Slack gave.
type sealer struct {
	store *conversations.Store
	keyed func([]byte) string
}

// fingerprint stands for parts in the name of a key or of a member; kind keeps those of different things apart.
func (s sealer) fingerprint(kind string, parts ...string) string {
	return s.keyed(fmt.Appendf(nil, "%s %q", kind, parts))
}

// process is what a process is called in Redis.
func (s sealer) process(id uuid.UUID) string { return s.fingerprint("process", id.String()) }

// seal seals a value as JSON, bound to where it is kept.
func (s sealer) seal(at string, value any) (string, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("encoding a value: %w", err)
	}
	sealed, err := s.store.Seal(at, data)
	return string(sealed), err
}

// openStore opens what seal sealed at the same place.
func (s sealer) open(what, at, sealed string, into any) error {
	data, err := s.store.Unseal(at, sealed)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if json.Unmarshal(data, into) != nil { // without the cause, which may repeat it
		return fmt.Errorf("%s cannot be decoded", what)
	}
	return nil
}

// sealUpdate seals an update so that it can be opened wherever it is kept: before the seal stand the process's
// fingerprint and the version, to which it is bound.
func (s sealer) sealUpdate(update Update) (string, error) {
	at := s.process(update.Process) + ":" + strconv.FormatInt(update.Version, 10)
	sealed, err := s.seal("update "+at, update)
	return at + "|" + sealed, err
}

func (s sealer) openUpdate(text string) (update Update, err error) {
	at, sealed, _ := strings.Cut(text, "|")
	err = s.open("an update", "update "+at, sealed, &update)
	return update, err
}
