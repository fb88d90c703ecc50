package notifications

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/waittest"
)

func TestAnUnreachableDestinationLosesNothingAndTheAdministratorIsNotifiedOnce(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node", func(c *Config) { c.UnreachableRetry = 100 * time.Millisecond })
	env.setClock("2026-11-23 10:00")
	var mu sync.Mutex
	reason, attempts := unreachableError("not_in_channel"), 0
	env.poster.fault = func(dest, _ string) error {
		mu.Lock()
		defer mu.Unlock()
		if dest == channel && reason != "" {
			attempts++
			return reason
		}
		return nil
	}
	tried := func(n int) func() bool {
		return func() bool { mu.Lock(); defer mu.Unlock(); return attempts >= n }
	}
	o := env.replica()
	env.start(o)
	env.enqueue(o, env.update(1, "Documents"))
	waittest.Eventually(t, "it was tried thrice", tried(3))
	env.enqueue(o, env.update(1, "Analysis"), env.update(2, "Analysis"))
	waittest.Eventually(t, "it was tried again", tried(6))
	env.waitUntilIdle(o, admin)
	notified := env.poster.messages(admin)
	if len(notified) != 1 || notified[0].notice.About != channel || !strings.Contains(notified[0].notice.Text, "/invite") || notified[0].notice.Mention != "" {
		t.Fatalf("the administrator got %+v", notified)
	}
	if dests, _, err := o.waiting(t.Context()); dests != 1 || err != nil {
		t.Errorf("%d destinations wait, %v", dests, err)
	}
	mu.Lock()
	reason = "is_archived"
	mu.Unlock()
	waittest.Eventually(t, "another reason is reported", func() bool { return len(env.poster.messages(admin)) == 2 })
	env.setClock("2026-11-24 10:00")
	waittest.Eventually(t, "it is reported again the next day", func() bool { return len(env.poster.messages(admin)) == 3 })
	mu.Lock()
	reason = ""
	mu.Unlock()
	env.wantPosted(channel, 1, "Documents", "Analysis")
	env.wantPosted(channel, 2, "Analysis")
	env.checkKeys(o)
}

func TestAReachableDestinationIsNotifiedAtOnce(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node") // which tries again in an hour
	var mu sync.Mutex
	away, attempts := true, 0
	env.poster.fault = func(dest, _ string) error {
		mu.Lock()
		defer mu.Unlock()
		if dest == channel && away {
			attempts++
			return unreachableError("not_in_channel")
		}
		return nil
	}
	o := env.replica()
	env.start(o)
	env.enqueue(o, env.update(1, "Documents"))
	waittest.Eventually(t, "the administrator is notified", func() bool { return len(env.poster.messages(admin)) == 1 })
	env.enqueue(o, env.update(1, "Analysis"), env.update(2, "Analysis"))
	own := "slack:C0OWN" // its message is posted after the channel would have been attempted
	env.subscribe(own, destination.Subscription{Kind: destination.ScopeAll})
	env.enqueue(o, env.update(3, "Analysis"))
	env.wantPosted(own, 3, "Analysis")
	mu.Lock()
	away = false
	if attempts != 1 {
		t.Errorf("it was tried %d times", attempts)
	}
	mu.Unlock()
	if err := o.retry(t.Context(), channel); err != nil {
		t.Fatal(err)
	}
	env.wantPosted(channel, 1, "Documents", "Analysis")
}

func TestWithARevokedTokenEverythingWaitsAndItIsLogged(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node", func(c *Config) { c.UnreachableRetry = 50 * time.Millisecond })
	var mu sync.Mutex
	revoked := true
	env.poster.fault = func(string, string) error {
		mu.Lock()
		defer mu.Unlock()
		if revoked {
			return unreachableError("token_revoked")
		}
		return nil
	}
	o := env.replica()
	env.start(o)
	env.enqueue(o, env.update(1, "Documents"))
	waittest.Eventually(t, "the log says so", func() bool { return strings.Contains(env.log.String(), "NOTHING CAN BE POSTED") })
	mu.Lock()
	revoked = false
	mu.Unlock()
	env.wantPosted(channel, 1, "Documents")
	if late := env.poster.messages(admin); len(late) != 0 {
		t.Errorf("the administrator got %+v afterwards", late)
	}
	if strings.Contains(env.log.String(), "C0TEAM") {
		t.Error("the log names a destination")
	}
}

func TestADeletedCardIsPostedAgain(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node")
	o := env.replica()
	env.start(o)
	env.enqueue(o, env.update(1, "Documents"))
	env.wantPosted(channel, 1, "Documents")
	env.waitUntilIdle(o, channel)
	env.poster.mu.Lock()
	env.poster.destinations[channel].messages[0].deleted = true
	env.poster.mu.Unlock()
	env.enqueue(o, env.update(1, "Analysis"))
	env.wantPosted(channel, 1, "Documents", "Analysis")
}

func TestARefusedNoticeDoesNotDelayTheOthers(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node", func(c *Config) { c.MinInterval = 5 * time.Millisecond })
	o := env.replica(func(c *Config) { c.Poster = &refusing{fakePoster: env.poster} })
	env.start(o)
	env.enqueue(o, env.update(1, "Documents"))
	waittest.Eventually(t, "it is refused", func() bool { return strings.Contains(env.log.String(), resultNotSent) })
	env.enqueue(o, env.update(2, "Documents"))
	env.wantPosted(channel, 2, "Documents")
	env.wantPosted(channel, 1, "Documents")
}

// refusing refuses notices about process 1 until process 2 was posted.
type refusing struct {
	*fakePoster
	other atomic.Bool
}

func (r *refusing) Post(ctx context.Context, dest, thread string, notice destination.Notice) (string, error) {
	if notice.Process == process(1) && !r.other.Load() {
		return "", notSentError{}
	}
	id, err := r.fakePoster.Post(ctx, dest, thread, notice)
	if thread != "" {
		r.other.Store(true)
	}
	return id, err
}
