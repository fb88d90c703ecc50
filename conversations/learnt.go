package conversations

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// LearntLife is how long a word is kept after it was last learnt.
	LearntLife = 90 * 24 * time.Hour

	maxLearnt     = 1000 // words of one list
	maxLearntText = 800  // bytes of a word
)

// learnWords sets fields of a hash with at most ARGV[2] of them, and begins its life of ARGV[1] milliseconds anew.
var learnWords = redis.NewScript(`
for i = 3, #ARGV, 2 do
	if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 or redis.call('HLEN', KEYS[1]) < tonumber(ARGV[2]) then
		redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
	end
end
return redis.call('PEXPIRE', KEYS[1], ARGV[1])`)

// learntWord is a word as it is stored.
type learntWord struct {
	Text string `json:"text"`
	At   int64  `json:"at"` // when it was learnt, in seconds since 1970
}

// Learn stores what a bank calls the ids of a list, for LearntLife. Of a list at most 1,000 words are stored; further ones are
// dropped. list may be anything. It returns [ErrLimit] for a word over 800 bytes.
func (s *Store) Learn(ctx context.Context, list string, words map[int32]string) error {
	if len(words) == 0 {
		return nil
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	key := s.learntKey(list)
	args := []any{millis(LearntLife), maxLearnt}
	for id, text := range words {
		if len(text) > maxLearntText {
			return fmt.Errorf("storing a word of %d bytes: %w", len(text), ErrLimit)
		}
		plain, err := json.Marshal(learntWord{text, s.now().Unix()})
		if err != nil {
			return fmt.Errorf("storing a word: %w", err)
		}
		field := strconv.Itoa(int(id))
		sealed, err := s.seal(key+" "+field, plain)
		if err != nil {
			return err
		}
		args = append(args, field, sealed)
	}
	return failed("storing words", s.run(ctx, learnWords, []string{key}, args...).Err())
}

// Learnt returns the words of a list that were learnt in the last LearntLife, by id.
func (s *Store) Learnt(ctx context.Context, list string) (map[int32]string, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	key := s.learntKey(list)
	stored, err := s.redis.HGetAll(ctx, key).Result()
	if err != nil {
		return nil, failed("reading words", err)
	}
	words, oldest := map[int32]string{}, s.now().Add(-LearntLife).Unix()
	for field, sealed := range stored {
		var word learntWord
		id, err := strconv.ParseInt(field, 10, 32)
		plain, sealedErr := s.open(key+" "+field, sealed)
		if sealedErr != nil {
			return nil, sealedErr
		}
		if err == nil && json.Unmarshal(plain, &word) == nil && word.At > oldest { // else of another version
			words[int32(id)] = word.Text
		}
	}
	return words, nil
}

func (s *Store) learntKey(list string) string { return "learnt:{" + s.name("learnt", list) + "}" }
