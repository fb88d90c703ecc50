package doctor

import (
	"context"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/finding"
)

// Redis is the part that checks Redis.
type Redis struct {
	Part
	examination *conversations.Examination // nil if it cannot be examined
}

// NewRedis returns the part for the Redis of the settings.
func NewRedis(setup Setup) Redis {
	part := Part{Name: "redis", Blocked: setup.Blocked("REDIS_URL", "STATE_KEY")}
	if len(part.Blocked) > 0 {
		part.Checks = []finding.Check{{Subject: "REDIS_URL", AtStart: true}}
		return Redis{Part: part}
	}
	examination, err := conversations.Examine(setup.Settings.RedisURL, setup.Settings.Keys)
	if err != nil {
		part.Checks = []finding.Check{{Subject: "REDIS_URL", AtStart: true, Run: func(context.Context) []finding.Finding {
			return finding.One(finding.Fail, "redis.wrong_address")
		}}}
		return Redis{Part: part}
	}
	part.Checks, part.Close = examination.Checks(), examination.Close
	return Redis{part, examination}
}

// Destinations returns what is subscribed, or nothing if Redis cannot be read.
func (r Redis) Destinations(ctx context.Context) ([]destination.Settings, error) {
	if r.examination == nil {
		return nil, conversations.ErrUnavailable
	}
	return r.examination.Destinations(ctx)
}
