package conversations

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/internal/finding"
)

// sentCommands are the commands that this package and notifications send, scripts included, with valid arguments for a key.
func sentCommands(key string) [][]any {
	return [][]any{
		{"DEL", key}, {"EVAL", "return 1", 1, key}, {"EVALSHA", strings.Repeat("0", 40), 1, key}, {"EXISTS", key}, {"GET", key},
		{"HDEL", key, "f"}, {"HEXISTS", key, "f"}, {"HGET", key, "f"}, {"HGETALL", key}, {"HINCRBY", key, "f", 1}, {"HLEN", key}, {"HMGET", key, "f"},
		{"HSET", key, "f", "v"}, {"HSETNX", key, "f", "v"}, {"INCR", key}, {"LINDEX", key, 0}, {"LPOP", key}, {"LRANGE", key, 0, 0}, {"LTRIM", key, 0, 0},
		{"PEXPIRE", key, 1}, {"PTTL", key}, {"ROLE"}, {"RPUSH", key, "v"}, {"SET", key, "v"}, {"TIME"}, {"WAIT", 0, 0},
		{"XACK", key, "g", "0-1"}, {"XADD", key, "*", "f", "v"}, {"XAUTOCLAIM", key, "g", "c", 0, "0-0"}, {"XCLAIM", key, "g", "c", 0, "0-1"}, {"XDEL", key, "0-1"},
		{"XGROUP", "CREATE", key, "g", "0", "MKSTREAM"}, {"XGROUP", "DELCONSUMER", key, "g", "c"}, {"XLEN", key}, {"XPENDING", key, "g"}, {"XRANGE", key, "-", "+"},
		{"XREADGROUP", "GROUP", "g", "c", "STREAMS", key, ">"}, {"XREVRANGE", key, "+", "-"},
		{"ZADD", key, 1, "m"}, {"ZCARD", key}, {"ZRANGE", key, 0, 0}, {"ZRANGEBYSCORE", key, 0, 0}, {"ZREM", key, "m"},
		{"ZREMRANGEBYRANK", key, 0, 0}, {"ZREMRANGEBYSCORE", key, 0, 0}, {"ZREVRANGE", key, 0, 0}, {"ZSCORE", key, "m"},
	}
}

// commands asks Redis for which of our commands its user lacks permission. It queues each in a transaction and discards that:
// Redis checks permissions when a command is queued, and runs none.
func (e *Examination) commands(ctx context.Context) []finding.Finding {
	ctx, cancel := e.store.bounded(ctx)
	defer cancel()
	key := "doctor:" + rand.Text() // like ours, it begins with no common prefix
	node, err := e.store.master(ctx, key)
	if err != nil {
		return finding.One(finding.NotTried, "redis.commands_unknown")
	}
	sent := sentCommands(key)
	answers, _ := node.Pipelined(ctx, func(p redis.Pipeliner) error { // each answer has its own error
		p.Do(ctx, "MULTI")
		for _, command := range sent {
			p.Do(ctx, command...)
		}
		p.Do(ctx, "DISCARD")
		return nil
	})
	var denied []string
	keysDenied := false
	for i, answer := range answers {
		if answer.Err() == nil {
			continue
		}
		refusal := redis.Error(nil)
		if !errors.As(answer.Err(), &refusal) || i == 0 {
			return finding.One(finding.NotTried, "redis.commands_unknown")
		}
		text := refusal.Error()
		switch forbidden := strings.HasPrefix(text, "NOPERM"); {
		case forbidden && strings.Contains(text, "to access"):
			keysDenied = true
		case (forbidden || strings.HasPrefix(text, "ERR unknown")) && i <= len(sent): // unknown to a Redis that is too old
			denied = append(denied, strings.ToLower(sent[i-1][0].(string)))
		}
	}
	denied = slices.Compact(denied)
	switch {
	case len(denied) > 0:
		return finding.One(finding.Fail, "redis.commands_denied", "commands", strings.Join(denied, ", "), "rules", "+"+strings.Join(denied, " +"))
	case keysDenied:
		return finding.One(finding.Fail, "redis.keys_denied")
	}
	return finding.One(finding.OK, "redis.commands")
}
