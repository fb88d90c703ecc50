package slacksim

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"time"
)

// trigger is a trigger_id. It opens one view, within three seconds.
type trigger struct {
	user  string
	modal bool // created in a modal, so that views.push may use it
	at    time.Time
	used  bool
}

const (
	triggerLifetime = 3 * time.Second
	maxTriggers     = 1000
)

// newTrigger returns a new trigger_id of a person. s.mu must be held.
func (s *Sim) newTrigger(user string, modal bool) string {
	n, _ := rand.Int(rand.Reader, big.NewInt(1e12))
	id := fmt.Sprintf("%d.%d.%s", n, s.now().UnixMilli(), randomHex(16))
	s.triggers[id] = &trigger{user: user, modal: modal, at: s.now()}
	evictOldest(s.triggers, maxTriggers, func(t *trigger) time.Time { return t.at })
	return id
}

// validTrigger returns a trigger that can still be used. s.mu must be held.
func (s *Sim) validTrigger(id string) (*trigger, *refusal) {
	t := s.triggers[id]
	switch {
	case id == "":
		return nil, refuse("invalid_arguments", "[ERROR] missing required field: trigger_id")
	case t == nil:
		return nil, refuse("invalid_trigger_id")
	case t.used:
		return nil, refuse("exchanged_trigger_id")
	case s.now().Sub(t.at) > triggerLifetime:
		return nil, refuse("expired_trigger_id")
	}
	return t, nil
}

// useTrigger returns a trigger and marks it as used. s.mu must be held.
func (s *Sim) useTrigger(id string) (*trigger, *refusal) {
	t, refused := s.validTrigger(id)
	if refused == nil {
		t.used = true
	}
	return t, refused
}
