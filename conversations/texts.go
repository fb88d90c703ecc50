package conversations

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/redis/go-redis/v9"
)

// textBeside is a text that a person typed, kept beside an entry of the audit trail. The chain holds its fingerprint: a
// keyed digest of the text and a random salt. The salt is sealed with the text and erased with it, so that what stays in
// the chain can neither be guessed, not even with the key, nor recognised in another entry.
type textBeside struct {
	fingerprint string
	sealed      []byte
}

// saltedText is what is sealed.
type saltedText struct {
	Salt string `json:"salt"`
	Text string `json:"text"`
}

func (s *Store) newText(text string) (textBeside, error) {
	if text == "" {
		return textBeside{}, nil
	}
	salted := saltedText{Salt: rand.Text(), Text: text}
	data, err := json.Marshal(salted)
	if err != nil {
		return textBeside{}, fmt.Errorf("encoding a text: %w", err)
	}
	fingerprint := s.textFingerprint(salted)
	sealed, err := s.seal(textKey(fingerprint), data)
	return textBeside{fingerprint, sealed}, err
}

func (s *Store) textFingerprint(t saltedText) string { return s.name("text", t.Salt, t.Text) }

func textKey(fingerprint string) string { return trailPrefix + "text:" + fingerprint }

// textLife is how long a text is kept: until its entry, which is forgotten with its month.
func (s *Store) textLife(month Month) time.Duration {
	ends, err := time.Parse("2006-01", string(month.next()))
	if err != nil {
		return s.lives.AuditLog
	}
	return max(0, ends.Sub(s.now())) + s.lives.AuditLog
}

// Text gives the text beside an entry of the audit trail: [ErrGone] when it was erased, [ErrTampered] when it is not
// the one that was written with the entry.
func (s *Store) Text(ctx context.Context, mark AuditEntry) (string, error) {
	if mark.Text == "" {
		return "", nil
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	key := textKey(mark.Text)
	sealed, err := s.redis.Get(ctx, key).Result()
	if errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("reading the text of entry %s: %w", mark.ID, ErrGone)
	}
	if err != nil {
		return "", failed("reading a text of the audit trail", err)
	}
	var salted saltedText
	data, err := s.open(key, sealed)
	if err != nil || json.Unmarshal(data, &salted) != nil || s.textFingerprint(salted) != mark.Text {
		return "", fmt.Errorf("the text of entry %s: %w", mark.ID, ErrTampered)
	}
	return salted.Text, nil
}

// EraseText erases the text beside the entry with this id, and appends entry, which says so, to the audit trail. The
// chain stays whole. It fails with [ErrGone] where there is no such entry, it never had a text, or the text is erased.
func (s *Store) EraseText(ctx context.Context, id string, entry []byte) error {
	mark, err := s.mark(ctx, id)
	if err != nil {
		return err
	}
	if mark.Text == "" {
		return fmt.Errorf("erasing the text of entry %s, which has none: %w", id, ErrGone)
	}
	if _, err := s.Text(ctx, mark); err != nil && !errors.Is(err, ErrTampered) {
		return err
	}
	return s.chain(ctx, AuditEntry{Entry: entry, Erases: id}, textBeside{fingerprint: mark.Text})
}

var markID = regexp.MustCompile(`^\d{1,18}-\d{1,18}$`)

// mark finds an entry by its id. The month in which it lies may be the one before or after that of its time, because
// the clocks of Redis and of the replicas differ.
func (s *Store) mark(ctx context.Context, id string) (AuditEntry, error) {
	unknown := fmt.Errorf("there is no entry %q in the audit trail: %w", id, ErrGone)
	if !markID.MatchString(id) {
		return AuditEntry{}, unknown
	}
	at := AuditEntry{ID: id}.At()
	for _, month := range []Month{MonthOf(at), MonthOf(at.AddDate(0, 0, -1)), MonthOf(at.AddDate(0, 0, 1))} {
		page, err := s.trailPage(ctx, month, id, 1)
		if err != nil {
			return AuditEntry{}, err
		}
		if len(page) == 1 && page[0].ID == id {
			return page[0], nil
		}
	}
	return AuditEntry{}, unknown
}
