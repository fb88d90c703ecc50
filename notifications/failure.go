package notifications

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/internal/lisbon"
)

// The reasons of a backoff.
const (
	backoffInterval    = "interval"     // a message was just posted
	backoffRateLimited = "rate_limited" // the Poster asked for it
	backoffUnreachable = "unreachable " // and a code
)

// maxDoublings keeps a doubled delay from overflowing.
const maxDoublings = 20

// failed stores what follows from a failure, for the destination and for the process. notPosted is true if nothing was
// posted unless this very call did.
func (w *worker) failed(ctx context.Context, member string, s delivery, err error, notPosted bool) error {
	if errors.Is(err, errNotHeld) {
		return err
	}
	f := classify(err)
	w.instruments.post(f.result)
	after := outcome{set: fields{}, backoff: w.config.MinInterval, reason: backoffInterval}
	if f.result == resultGone || notPosted && f.result != resultUnclear {
		after.set["intent"] = ""
	}
	switch f.result {
	case resultRateLimited:
		after.backoff, after.reason = max(f.wait, w.config.MinInterval), backoffRateLimited
	case resultUnreachable:
		if err := w.reportUnreachable(ctx, f.reason); err != nil {
			return err
		}
		after.backoff, after.reason = w.config.UnreachableRetry, backoffUnreachable+f.reason
	case resultGone:
		after.set["card"], after.set["shown"] = "", ""
	default:
		rest := w.delayAfter(s)
		if f.result == resultUnclear {
			rest = max(rest, w.config.Lease/3) // by then a message that was on its way can be found
		}
		after.set["attempts"] = strconv.Itoa(s.attempts + 1)
		after.set["not_before"] = millis(w.now() + rest.Milliseconds())
		w.config.Log.Warn("posting to destination failed", "destination", w.name, "member", member, "result", f.result, "attempts", s.attempts+1, "error", err)
	}
	return errors.Join(w.save(ctx, member, after), w.markFailing(ctx))
}

// delayAfter returns how long a process is not attempted after one more failure.
func (w *worker) delayAfter(s delivery) time.Duration {
	return min(w.config.MinInterval<<min(s.attempts, maxDoublings), w.config.UnreachableRetry)
}

// postpone delays a process of which it is unknown whether it may be posted at the destination.
func (w *worker) postpone(ctx context.Context, member string, s delivery, why error) error {
	w.config.Log.WarnContext(ctx, "permission unknown, delivery postponed", "destination", w.name, "member", member, "attempts", s.attempts+1, "error", why)
	rest := w.now() + w.delayAfter(s).Milliseconds()
	return w.save(ctx, member, outcome{set: fields{"attempts": strconv.Itoa(s.attempts + 1), "not_before": millis(rest)}, due: rest, requested: s.requested})
}

// The results of a failed call to the Poster.
const (
	resultRateLimited = "rate_limited"
	resultUnreachable = "unreachable"
	resultGone        = "gone"
	resultNotSent     = "not_sent"
	resultUnclear     = "unclear"
)

type failure struct {
	result string
	wait   time.Duration
	reason string
}

func classify(err error) failure {
	var asked interface{ RetryAfter() time.Duration }
	var unreachable interface{ Unreachable() string }
	var gone interface{ Gone() bool }
	var notSent interface{ NotSent() bool }
	switch {
	case errors.As(err, &unreachable) && unreachable.Unreachable() != "":
		return failure{result: resultUnreachable, reason: code(unreachable.Unreachable())}
	case errors.As(err, &asked) && asked.RetryAfter() > 0:
		return failure{result: resultRateLimited, wait: asked.RetryAfter()}
	case errors.As(err, &gone) && gone.Gone():
		return failure{result: resultGone}
	case errors.As(err, &notSent) && notSent.NotSent():
		return failure{result: resultNotSent}
	}
	return failure{result: resultUnclear}
}

// code returns what of a reason may be part of a key and a metric's label.
func code(reason string) string {
	code := strings.Map(func(r rune) rune {
		if r == '_' || 'a' <= r && r <= 'z' {
			return r
		}
		return -1
	}, reason)
	return cmp.Or(code[:min(len(code), 40)], "other")
}

// globalReasons are failures that concern every destination, that of the administrator included.
var globalReasons = []string{"token_revoked", "account_inactive", "invalid_auth", "not_authed", "token_expired"}

// reportUnreachable notifies the administrator, once for each destination, reason and day.
func (w *worker) reportUnreachable(ctx context.Context, reason string) error {
	if slices.Contains(globalReasons, reason) {
		w.config.Log.Error("NOTHING CAN BE POSTED: the access token was revoked; all messages wait until it is renewed",
			"reason", reason, "destination", w.name)
		return nil
	}
	w.config.Log.Error("destination unreachable, its messages wait", "reason", reason, "destination", w.name)
	if w.config.Admin == "" || w.config.Admin == w.dest.ID {
		return nil
	}
	day := w.config.Now().In(lisbon.Zone).Format(time.DateOnly)
	member := adminPrefix + w.name + ":" + reason + ":" + day
	return w.enqueueMember(context.WithoutCancel(ctx), w.config.Admin, member, sealedSubject{}, 1, w.now(), noticeTTL)
}

// postAdminNotice posts which destination is unreachable, and what to do. It ignores quiet hours.
func (w *worker) postAdminNotice(ctx context.Context, member string, s delivery) (over bool, err error) {
	parts := strings.Split(member, ":")
	if s.delivered >= s.requested || len(parts) != 4 {
		return false, w.skip(ctx, member, s)
	}
	dest, err := w.destinationID(context.WithoutCancel(ctx), parts[1])
	if errors.Is(err, errUnknownDestination) {
		return false, w.skip(ctx, member, s)
	}
	if err != nil {
		return true, err
	}
	return true, w.post(ctx, member, s, intent{Kind: kindNotice, ID: member, To: s.requested}, unreachableNotice(w.dest.Lang, member, dest, parts[2]))
}

// markFailing records since when a destination has been failing; clearFailing removes the record.
func (w *worker) markFailing(ctx context.Context) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	_, err := w.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.ZAddNX(ctx, failingIndex, redis.Z{Score: float64(w.now()), Member: w.name})
		p.PExpire(ctx, failingIndex, deliveryTTL)
		return nil
	})
	return redisError("marking a destination as failing", err)
}

func (w *worker) clearFailing(ctx context.Context) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return redisError("clearing the mark of a failing destination", w.redis.ZRem(ctx, failingIndex, w.name).Err())
}
