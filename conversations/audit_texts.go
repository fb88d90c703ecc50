package conversations

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// storedText is a text that a person typed, stored separately from its entry of the audit log. The entry holds its
// fingerprint: a keyed hash of the text and a random salt. The salt is encrypted with the text and erased with it, so that
// the fingerprint that remains can neither be guessed, even with the key, nor matched with another entry.
type storedText struct {
	fingerprint string
	salted      []byte // a saltedText as JSON; nil if the text is to be erased
}

// saltedText is the plaintext of a stored text.
type saltedText struct {
	Salt string `json:"salt"`
	Text string `json:"text"`
}

func (s *Store) newText(text string) (storedText, error) {
	if text == "" {
		return storedText{}, nil
	}
	salted := saltedText{Salt: rand.Text(), Text: text}
	data, err := json.Marshal(salted)
	if err != nil {
		return storedText{}, fmt.Errorf("encoding a text: %w", err)
	}
	return storedText{s.textFingerprint(salted), data}, nil
}

// sealText returns the text of an entry as it is stored; nil if it has none, or erases one.
func (s *Store) sealText(chain int, text storedText) ([]byte, error) {
	if text.salted == nil {
		return nil, nil
	}
	return s.seal(textKey(chain, text.fingerprint), text.salted)
}

func (s *Store) textFingerprint(t saltedText) string { return s.name("text", t.Salt, t.Text) }

func textKey(chain int, fingerprint string) string { return auditPrefix(chain) + "text:" + fingerprint }

// textLife returns how long a text is kept: as long as its entry, which expires with its month.
func (s *Store) textLife(month Month) time.Duration {
	ends, err := time.Parse("2006-01", string(month.next()))
	if err != nil {
		return s.lives.AuditLog
	}
	return max(0, ends.Sub(s.now())) + s.lives.AuditLog
}

// Text returns the text of an entry of the audit log. It fails with [ErrGone] if the text was erased, and with
// [ErrTampered] if it is not the text written with the entry.
func (s *Store) Text(ctx context.Context, entry AuditEntry) (string, error) {
	if entry.Text == "" {
		return "", nil
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	key := textKey(entry.Chain, entry.Text)
	sealed, err := s.redis.Get(ctx, key).Result()
	if errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("reading the text of entry %s: %w", entry.ID, ErrGone)
	}
	if err != nil {
		return "", failed("reading a text of the audit log", err)
	}
	var salted saltedText
	data, err := s.open(key, sealed)
	if err != nil || json.Unmarshal(data, &salted) != nil || s.textFingerprint(salted) != entry.Text {
		return "", fmt.Errorf("the text of entry %s: %w", entry.ID, ErrTampered)
	}
	return salted.Text, nil
}

// EraseText deletes the text of the entry with this id, and appends erasure, an entry that records the deletion, to the
// audit log. The chain stays valid. EraseText fails with [ErrGone] if there is no such entry, if it never had a text, or if
// the text was erased before.
func (s *Store) EraseText(ctx context.Context, id string, erasure []byte) error {
	entry, err := s.findEntry(ctx, id)
	if err != nil {
		return err
	}
	if entry.Text == "" {
		return fmt.Errorf("erasing the text of entry %s, which has none: %w", id, ErrGone)
	}
	if _, err := s.Text(ctx, entry); err != nil && !errors.Is(err, ErrTampered) {
		return err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	// It is written to the chain of the entry, with whose keys the text is.
	return s.writeToChain(ctx, entry.Chain, []newEntry{{AuditEntry{Entry: erasure, Erases: id}, storedText{fingerprint: entry.Text}}})
}

// findEntry returns the entry with this id. Its month may be the one before or after the month of its time, because the
// clocks of Redis and of the replicas differ.
func (s *Store) findEntry(ctx context.Context, id string) (AuditEntry, error) {
	unknown := fmt.Errorf("there is no entry %q in the audit log: %w", id, ErrGone)
	chain, stream, ok := parseEntryID(id)
	if !ok {
		return AuditEntry{}, unknown
	}
	at := AuditEntry{ID: id}.At()
	for _, month := range []Month{MonthOf(at), MonthOf(at.AddDate(0, 0, -1)), MonthOf(at.AddDate(0, 0, 1))} {
		page, err := s.readEntries(ctx, chain, month, stream, 1)
		if err != nil {
			return AuditEntry{}, err
		}
		if len(page) == 1 && page[0].ID == id {
			return page[0], nil
		}
	}
	return AuditEntry{}, unknown
}
