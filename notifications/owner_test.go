package notifications

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
)

const anaDirect = "slack:U0ANA"

// anybody permits every change of owner.
func anybody(string) bool { return true }

// setOwner makes an actor the owner of a process on behalf of another actor, and announces it.
func (env *outboxEnv) setOwner(o *outbox, n int, owner, by string) {
	env.t.Helper()
	owned, _, err := env.store.ChangeOwner(env.t.Context(), process(n), owner, by, anybody)
	if err == nil {
		err = o.ownerChanged(env.t.Context(), process(n), int64(1000+n), owned, "Rui Exemplo")
	}
	if err != nil {
		env.t.Fatal(err)
	}
}

// notices returns the texts at a destination that are neither cards nor replies.
func (env *outboxEnv) notices(dest string) (texts []string) {
	for _, m := range env.poster.messages(dest) {
		if m.thread == "" && !m.notice.Card {
			texts = append(texts, m.notice.Text)
		}
	}
	return texts
}

func TestTheOwnerIsMentionedAtEachChangeOfStatusAndOnceForABurst(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node")
	o := env.replica()
	env.start(o)
	env.setOwner(o, 1, ana, ana)
	var went []string
	for _, status := range []string{
		"Documents", "Analysis", "Valuation", "Approval", "Contract", "Documents", "Analysis", "Valuation", "Cancelled",
	} {
		went = append(went, status)
		env.enqueue(o, env.update(1, status, func(u *Update) { u.Actor = ana })) // even if she made the change herself
		env.wantPosted(channel, 1, went...)
	}
	mentions := 0
	for _, m := range env.poster.messages(channel) {
		if m.notice.Mention == ana {
			mentions++
		}
		if m.notice.Card && m.notice.Mention != "" {
			t.Errorf("a card mentions %q", m.notice.Mention)
		}
	}
	if replies := len(env.poster.messages(channel)) - 1; mentions != replies || replies < len(went)/2 {
		t.Errorf("she is mentioned in %d of %d replies", mentions, replies)
	}
	env.setOwner(o, 2, ana, ana)
	env.enqueue(o, env.update(2, "Documents"), env.update(2, "Analysis"), env.update(2, "Valuation"))
	env.wantPosted(channel, 2, "Documents", "Analysis", "Valuation")
	mentions = 0
	for _, m := range env.poster.messages(channel) {
		if m.notice.Process == process(2) && m.notice.Mention == ana {
			mentions++
		}
	}
	if mentions != 1 {
		t.Errorf("a burst mentions her %d times", mentions)
	}
}

func TestOtherChangesMentionTheOwnerIfTheBrokerActsNextOrTheOwnerIsFollowed(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node")
	env.subscribe(anaDirect, destination.Subscription{Kind: destination.ScopePerson, Value: ana})
	o := env.replica()
	env.start(o)
	added := func(actor string) func(*Update) {
		return func(u *Update) {
			u.Owner, u.Actor, u.Changes = ana, actor, []Change{{BorrowerAdded, "", "1"}}
		}
	}
	for _, n := range []int{1, 2, 3, 5, 6, 7} {
		env.setOwner(o, n, ana, ana)
	}
	env.enqueue(o, env.update(1, "Documents", added(tom)), env.update(2, "Analysis", added(tom)), env.update(3, "Documents", added(ana)), env.update(4, "Documents", func(u *Update) {
		u.Changes = []Change{{BorrowerAdded, "", "1"}}
	}), env.update(5, "Aprovado – FINE emitida", added(tom)), env.update(6, "Avaliação concluída", added(tom)), env.update(7, "Em banho-maria", added(tom)))
	for n, want := range map[int][2]string{1: {ana, ana}, 2: {"", ana}, 3: {"", ""}, 4: {"", "nothing"}, 5: {ana, ana}, 6: {"", ana}, 7: {"", ana}} {
		for i, dest := range []string{channel, anaDirect} {
			if want[i] == "nothing" {
				continue
			}
			waittest.Eventually(t, "it is posted", func() bool { return len(env.poster.replies(dest, process(n))) == 1 })
			for _, m := range env.poster.messages(dest) {
				if m.notice.Process == process(n) && m.thread != "" && m.notice.Mention != want[i] {
					t.Errorf("%s: of process %d, %q is mentioned, want %q", dest, n, m.notice.Mention, want[i])
				}
			}
		}
	}
	if _, many := env.poster.card(anaDirect, process(4)); many != 0 {
		t.Error("somebody was notified of a process of somebody else")
	}
}

func TestAnOwnerWhoMutedAProcessIsNotMentioned(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node")
	o := env.replica()
	env.start(o)
	env.setOwner(o, 1, ana, ana)
	env.changeSettings(anaDirect, func(p *destination.Settings) { p.Mutes = map[uuid.UUID]time.Time{process(1): {}} })
	env.enqueue(o, env.update(1, "Documents"))
	env.wantPosted(channel, 1, "Documents")
	for _, m := range env.poster.messages(channel) {
		if m.notice.Mention != "" {
			t.Errorf("%q is mentioned", m.notice.Mention)
		}
	}
	if card, _ := env.poster.card(channel, process(1)); card.fact("label.owner") != ana {
		t.Errorf("the card says %q owns it", card.fact("label.owner"))
	}
}

func TestANewOwnerIsShownOnEveryCardAndTheFormerOwnerIsNotifiedOnce(t *testing.T) {
	t.Parallel()
	for kind := range redisKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			env := newOutboxEnv(t, kind)
			env.setClock("2026-11-26 10:00")
			env.subscribe(second, destination.Subscription{Kind: destination.ScopeAll})
			o := env.replica()
			other := o
			env.start(o)
			if kind != "memory" {
				other = env.replica(func(c *Config) { c.Store = env.openStore() })
				env.start(other)
			}
			env.setOwner(o, 1, ana, ana)
			env.enqueue(o, env.update(1, "Documents"))
			for _, dest := range []string{channel, second} {
				env.wantPosted(dest, 1, "Documents")
				env.waitUntilIdle(o, dest)
			}
			env.changeSettings(channel, func(p *destination.Settings) { p.Quiet = destination.QuietHours{From: "09:00", To: "18:00"} })
			env.changeSettings(second, func(p *destination.Settings) { p.Digest = "18:00" })
			env.subscribe(second) // it subscribes to nothing any more, so its card is not refreshed
			owned, changed, err := env.store.ChangeOwner(t.Context(), process(1), tom, tom, anybody)
			if err != nil || !changed {
				t.Fatal(changed, err)
			}
			var announcing sync.WaitGroup
			for _, replica := range []*outbox{o, other, o, other} {
				announcing.Go(func() {
					if err := replica.ownerChanged(t.Context(), process(1), 1001, owned, "Tom Sample"); err != nil {
						t.Error(err)
					}
				})
			}
			announcing.Wait()
			waittest.Eventually(t, "the card shows it", func() bool {
				card, _ := env.poster.card(channel, process(1))
				return card.fact("label.owner") == tom
			})
			waittest.Eventually(t, "she is notified", func() bool { return len(env.notices(anaDirect)) > 0 })
			for _, dest := range []string{channel, second, anaDirect} {
				waittest.Eventually(t, dest+" has an empty queue", func() bool { return queueLength(t, o, dest) == 0 })
			}
			if got := env.notices(anaDirect); !slices.Equal(got, []string{"You no longer own process 1001: Tom Sample took it over."}) {
				t.Errorf("she got %q", got)
			}
			if got := env.notices(direct); len(got) != 0 {
				t.Errorf("he got %q about what he did", got)
			}
			if all := env.poster.messages(channel); len(all) != 2 {
				t.Errorf("the channel holds %d messages", len(all))
			}
			if err := o.ownerChanged(t.Context(), process(1), 1001, owned, "Tom Sample"); err != nil {
				t.Fatal(err)
			}
			env.waitUntilIdle(o, anaDirect)
			if got := env.notices(anaDirect); len(got) != 1 {
				t.Errorf("she was notified %d times", len(got))
			}
			env.checkKeys(o)
		})
	}
}

func TestTheNewAndTheFormerOwnerAreNotified(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node")
	o := env.replica()
	env.start(o)
	rui := "slack:T0TEAM/U0RUI"
	env.setOwner(o, 1, ana, rui)
	waittest.Eventually(t, "she is notified", func() bool { return len(env.notices(anaDirect)) == 1 })
	env.setOwner(o, 1, tom, rui)
	waittest.Eventually(t, "both are notified", func() bool { return len(env.notices(anaDirect)) == 2 && len(env.notices(direct)) == 1 })
	env.setOwner(o, 1, "", tom) // nobody is notified of that
	env.waitUntilIdle(o, direct)
	if got := strings.Join(append(env.notices(anaDirect), env.notices(direct)...), "\n"); got != strings.Join([]string{
		"Rui Exemplo assigned process 1001 to you: you are mentioned at each change of its status or phase.",
		"You no longer own process 1001: Rui Exemplo assigned it to somebody else.",
		"Rui Exemplo assigned process 1001 to you: you are mentioned at each change of its status or phase.",
	}, "\n") {
		t.Errorf("they got\n%s", got)
	}
	if got := env.notices("slack:U0RUI"); len(got) != 0 {
		t.Errorf("who did it got %q", got)
	}
}

func TestARemovedUserIsNotNotifiedOfANewOwner(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node", func(c *Config) {
		c.Reader = func(dest, _ string) (*portal.User, bool) { return nil, dest != anaDirect }
	})
	o := env.replica()
	env.start(o)
	env.setOwner(o, 1, ana, ana)
	env.setOwner(o, 1, tom, tom)
	env.setOwner(o, 1, "slack:T0TEAM/U0RUI", "slack:T0TEAM/U0RUI")
	waittest.Eventually(t, "the user who is served is notified", func() bool { return len(env.notices(direct)) == 1 })
	waittest.Eventually(t, "her queue is empty", func() bool { return queueLength(t, o, anaDirect) == 0 })
	if got := env.notices(anaDirect); len(got) != 0 {
		t.Errorf("she got %q", got)
	}
}

func TestAnAnnouncementWhoseReplyWasLostIsPostedOnce(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]error{"posted": errLost, "not posted": unclearError{}, "refused": notSentError{}, "rate limited": rateLimited(5 * time.Millisecond)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := newOutboxEnv(t, "node", func(c *Config) { c.Lease = 300 * time.Millisecond })
			var mu sync.Mutex
			left := []error{fault}
			env.poster.fault = func(string, string) (err error) {
				mu.Lock()
				defer mu.Unlock()
				if len(left) > 0 {
					err, left = left[0], left[1:]
				}
				return err
			}
			o := env.replica()
			env.start(o)
			env.setOwner(o, 1, ana, ana)
			env.setOwner(o, 1, tom, tom)
			waittest.Eventually(t, "she is notified", func() bool { return len(env.notices(anaDirect)) > 0 && queueLength(t, o, anaDirect) == 0 })
			if got := env.notices(anaDirect); len(got) != 1 {
				t.Errorf("she got %q", got)
			}
		})
	}
}

func TestNoticesOfANewOwnerWaitForTheEndOfQuietHours(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node")
	clock := func(in time.Duration) string { return time.Now().Add(in).In(lisbon.Zone).Format("15:04") }
	env.changeSettings(anaDirect, func(p *destination.Settings) {
		p.Quiet = destination.QuietHours{From: clock(-time.Hour), To: clock(30 * time.Minute)}
	})
	o := env.replica()
	env.start(o)
	env.setOwner(o, 1, ana, ana)
	env.setOwner(o, 1, tom, tom)
	env.waitUntilIdle(o, anaDirect)
	if got := env.notices(anaDirect); len(got) != 0 {
		t.Errorf("in quiet hours she got %q", got)
	}
	env.clock.Add(31 * time.Minute)
	if err := o.retry(t.Context(), anaDirect); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "she is notified when they end", func() bool { return len(env.notices(anaDirect)) == 1 })
}

func TestAnOldChangeOfOwnerIsNotAnnouncedAgain(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "memory")
	o := env.replica()
	owned := conversations.Ownership{Owner: tom, Former: ana, By: tom, Version: 2, At: env.config.Now().Add(-2 * announcePeriod)}
	if err := o.ownerChanged(t.Context(), process(1), 1001, owned, "Tom Sample"); err != nil {
		t.Fatal(err)
	}
	if n := queueLength(t, o, anaDirect); n != 0 {
		t.Error("it is queued")
	}
}
