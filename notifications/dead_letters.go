package notifications

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// DeadLetter is a trigger that was given up after its attempts.
type DeadLetter struct {
	ID       string
	Trigger  Trigger // zero if it cannot be decoded
	Reason   string
	At       time.Time // when it was given up
	Received time.Time // when the trigger was added to the stream
}

// The reasons of dead letters.
const (
	Undecodable = "undecodable" // the entry is not understood
	Crashed     = "crashed"     // whoever worked at it ended, again and again
	Panicked    = "panicked"
	Garbled     = "garbled" // the bank's answers are not understood
	Refused     = "refused" // the bank refuses the process, and does not say that it does not exist
	Failing     = "failing"
)

// A dead letter is the stream entry with two fields before its own: reason, and the trigger's id.
var moveToDeadLetters = redis.NewScript(`
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
local found = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('HDEL', KEYS[2], ARGV[2])
if #found == 0 then return 0 end
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[4], '*', 'reason', ARGV[3], 'trigger', ARGV[2], unpack(found[1][2]))
redis.call('PEXPIRE', KEYS[3], ARGV[5])
return 1`)

// deadLetter moves a trigger to the dead letters. It reports false if another replica did so first.
func (s *stream) deadLetter(ctx context.Context, id, reason string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	done, err := moveToDeadLetters.Run(ctx, s.redis, []string{triggersKey, attemptsKey, deadLettersKey},
		group, id, reason, maxDeadLetters, deadLetterTTL.Milliseconds()).Bool()
	return done, redisError("moving a trigger to the dead letters", err)
}

// deadLetters returns the dead letters, oldest first, at most a thousand.
func (s *stream) deadLetters(ctx context.Context) ([]DeadLetter, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	found, err := s.redis.XRangeN(ctx, deadLettersKey, "-", "+", 1000).Result()
	if err != nil {
		return nil, redisError("reading the dead letters", err)
	}
	deadLetters := []DeadLetter{}
	for _, message := range found {
		deadLetter := DeadLetter{ID: message.ID, At: idTime(message.ID)}
		deadLetter.Reason, _ = message.Values["reason"].(string)
		if trigger, _ := message.Values["trigger"].(string); trigger != "" {
			deadLetter.Received = idTime(trigger)
		}
		if entry := s.readEntry(message); entry.ok {
			deadLetter.Trigger = entry.trigger
		}
		deadLetters = append(deadLetters, deadLetter)
	}
	return deadLetters, nil
}

var replayDeadLetter = redis.NewScript(`
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #found == 0 then return 0 end
redis.call('XDEL', KEYS[1], ARGV[1])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', unpack(found[1][2], 5))
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1`)

// replay puts a dead letter back into the stream of triggers. It reports false if there is none with this id.
func (s *stream) replay(ctx context.Context, id string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	done, err := replayDeadLetter.Run(ctx, s.redis, []string{deadLettersKey, triggersKey}, id, s.max, triggerTTL.Milliseconds()).Bool()
	return done, redisError("replaying a dead letter", err)
}

// deadLetterCount returns the number of dead letters.
func (s *stream) deadLetterCount(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	n, err := s.redis.XLen(ctx, deadLettersKey).Result()
	return n, redisError("counting the dead letters", err)
}
