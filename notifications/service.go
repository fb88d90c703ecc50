package notifications

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// withDefaults fills in what is not said, and lists what is missing.
func (c Config) withDefaults() (Config, error) {
	var wrong []error
	for what, missing := range map[string]bool{
		"Store": c.Store == nil, "Bank": c.Bank == nil, "Digest": c.Digest == nil, "Poster": c.Poster == nil,
	} {
		if missing {
			wrong = append(wrong, errors.New(what+" is missing"))
		}
	}
	if c.URL != "" && len(c.Tokens) == 0 {
		wrong = append(wrong, errors.New("without a token the bank cannot be told a URL"))
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	setDefault(&c.Hush, 2*time.Second)
	setDefault(&c.Space, time.Second)
	setDefault(&c.Lease, 30*time.Second)
	setDefault(&c.Walk, 15*time.Minute)
	setDefault(&c.Pace, 2*time.Second)
	setDefault(&c.Register, 6*time.Hour)
	setDefault(&c.Unattended, 15*time.Minute)
	setDefault(&c.MaxHints, 1_000_000)
	setDefault(&c.MaxTries, 20)
	if err := errors.Join(wrong...); err != nil {
		return c, fmt.Errorf("settings of notifications: %w", err)
	}
	return c, nil
}

func setDefault[T time.Duration | int64](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}
