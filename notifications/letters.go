package notifications

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// DeadLetter is a hint that was given up and put aside.
type DeadLetter struct {
	ID     string
	Hint   Trigger // zero when it is not understood
	Reason string
	At     time.Time // when it was put aside
	Since  time.Time // when the hint came
}

// The reasons of letters.
const (
	Undecodable = "undecodable" // the entry is not understood
	Crashed     = "crashed"     // whoever worked at it ended, again and again
	Panicked    = "panicked"
	Garbled     = "garbled" // the bank's answers are not understood
	Failing     = "failing"
)

// A letter is the hint with two fields before its own.
var putAside = redis.NewScript(`
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
local found = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('HDEL', KEYS[2], ARGV[2])
if #found == 0 then return 0 end
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[4], '*', 'reason', ARGV[3], 'hint', ARGV[2], unpack(found[1][2]))
redis.call('PEXPIRE', KEYS[3], ARGV[5])
return 1`)

// giveUp puts a hint aside, and tells whether nobody else did.
func (s *stream) giveUp(ctx context.Context, id, reason string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	done, err := putAside.Run(ctx, s.redis, []string{hintsKey, triesKey, lettersKey},
		group, id, reason, maxLetters, lettersLife.Milliseconds()).Bool()
	return done, stored("putting a hint aside", err)
}

// letters gives those that were put aside, the oldest first, at most a thousand.
func (s *stream) letters(ctx context.Context) ([]DeadLetter, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	found, err := s.redis.XRangeN(ctx, lettersKey, "-", "+", 1000).Result()
	if err != nil {
		return nil, stored("reading the letters", err)
	}
	letters := []DeadLetter{}
	for _, message := range found {
		letter := DeadLetter{ID: message.ID, At: idTime(message.ID)}
		letter.Reason, _ = message.Values["reason"].(string)
		if hint, _ := message.Values["hint"].(string); hint != "" {
			letter.Since = idTime(hint)
		}
		if entry := s.readEntry(message); entry.ok {
			letter.Hint = entry.hint
		}
		letters = append(letters, letter)
	}
	return letters, nil
}

var replayLetter = redis.NewScript(`
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #found == 0 then return 0 end
redis.call('XDEL', KEYS[1], ARGV[1])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', unpack(found[1][2], 5))
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1`)

// replay makes a letter a hint again.
func (s *stream) replay(ctx context.Context, id string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	done, err := replayLetter.Run(ctx, s.redis, []string{lettersKey, hintsKey}, id, s.max, hintsLife.Milliseconds()).Bool()
	return done, stored("replaying a letter", err)
}

// dead tells how many letters there are.
func (s *stream) dead(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	n, err := s.redis.XLen(ctx, lettersKey).Result()
	return n, stored("counting letters", err)
}
