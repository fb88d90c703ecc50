package notifications

import (
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

const (
	direct = "slack:U0TOM"
	tom    = "slack:T0TEAM/U0TOM"
	second = "slack:C0SECOND"
)

// userBank is a bank at which Tom's user can read some of the processes of a test. Its Reader is the service user for
// the team's channel, and Tom for his direct messages and for what he subscribed a channel to.
type userBank struct {
	*bankEnv
	user   *portal.User
	served bool // whether Tom is among the users who are served
}

func withUserBank(t *testing.T, bank *userBank) func(*Config) {
	t.Helper()
	bank.bankEnv = newBankEnv(t, "memory")
	bank.user = bank.Client.As(portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[1]}, "en")
	bank.served = true
	return func(c *Config) {
		c.Reader = func(dest, by string) (*portal.User, bool) {
			if dest == direct || by == tom {
				return bank.user, bank.served
			}
			return nil, true
		}
	}
}

// updateOf adds an update of a process of the bank and returns it.
func (env *outboxEnv) updateOf(number int, status string) Update {
	env.snapshots.mu.Lock()
	defer env.snapshots.mu.Unlock()
	id := sandbox.SampleProcess(number)
	version := int64(len(env.snapshots.all[id]) + 1)
	u := Update{
		Subject: OfProcess(id), Version: version, Number: int64(number), At: env.config.Now(), Changes: []Change{{StatusChanged, "Before", status}},
		Snapshot: Snapshot{Subject: OfProcess(id), Version: version, Number: int64(number), Status: status, Read: env.config.Now()},
	}
	env.snapshots.all[id] = append(env.snapshots.all[id], u)
	return u
}

// numbers returns the numbers of the processes that were posted at a destination, each once.
func (env *outboxEnv) numbers(dest string) []string {
	var delivered []string
	for _, m := range env.poster.messages(dest) {
		delivered = append(delivered, strings.TrimPrefix(m.notice.Title, "Process "))
	}
	slices.Sort(delivered)
	return slices.Compact(delivered)
}

func TestAPersonIsNotifiedOnlyOfWhatHerOwnUserMayRead(t *testing.T) {
	t.Parallel()
	for kind := range redisKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			bank := &userBank{}
			env := newOutboxEnv(t, kind, withUserBank(t, bank))
			bank.bank.Hide(sandbox.BrokerA.Users[1], sandbox.SampleProcess(1043))
			env.subscribe(direct, destination.Subscription{Kind: destination.ScopeAll, By: tom})
			env.subscribe(second, destination.Subscription{Kind: destination.ScopeAll, By: tom})
			o := env.replica()
			env.start(o)
			env.enqueue(o, env.updateOf(1042, "Documents"), env.updateOf(1043, "Documents"), env.updateOf(1044, "Documents"), env.updateOf(1051, "Documents"))
			for _, dest := range []string{channel, direct, second} {
				waittest.Eventually(t, dest+" has an empty queue", func() bool { return queueLength(t, o, dest) == 0 })
			}
			if got := env.numbers(channel); !slices.Equal(got, []string{"1042", "1043", "1044", "1051"}) {
				t.Errorf("the team's channel got %q", got)
			}
			for _, dest := range []string{direct, second} { // a channel shows what Tom, who subscribed it, can read
				if got := env.numbers(dest); !slices.Equal(got, []string{"1042", "1044"}) {
					t.Errorf("%s got %q", dest, got)
				}
			}
		})
	}
}

func TestALostPermissionEndsNotificationsAndTheCardStays(t *testing.T) {
	t.Parallel()
	bank := &userBank{}
	env := newOutboxEnv(t, "node", withUserBank(t, bank))
	env.subscribe(direct, destination.Subscription{Kind: destination.ScopeAll, By: tom})
	o := env.replica()
	env.start(o)
	env.enqueue(o, env.updateOf(1042, "Documents"))
	waittest.Eventually(t, "he is notified", func() bool { return queueLength(t, o, direct) == 0 })
	bank.bank.Hide(sandbox.BrokerA.Users[1], sandbox.SampleProcess(1042))
	env.clock.Add(rightTTL) // the cached answer has expired
	env.enqueue(o, env.updateOf(1042, "Analysis"))
	waittest.Eventually(t, "nothing is left", func() bool { return queueLength(t, o, direct) == 0 })
	if card, _ := env.poster.card(direct, sandbox.SampleProcess(1042)); card.edits != 0 || len(env.poster.messages(direct)) != 2 {
		t.Errorf("he got %+v", env.poster.messages(direct))
	}
}

func TestARemovedUserIsNotNotified(t *testing.T) {
	t.Parallel()
	bank := &userBank{}
	env := newOutboxEnv(t, "node", withUserBank(t, bank))
	bank.served = false
	env.subscribe(direct, destination.Subscription{Kind: destination.ScopeAll, By: tom})
	env.subscribe(second, destination.Subscription{Kind: destination.ScopeAll, By: tom}, destination.Subscription{Kind: destination.ScopePhase, Value: "1", By: ana})
	o := env.replica()
	env.start(o)
	env.enqueue(o, env.updateOf(1042, "Documents"), env.updateOf(1043, "Valuation"))
	for _, dest := range []string{channel, direct, second} {
		waittest.Eventually(t, dest+" has an empty queue", func() bool { return queueLength(t, o, dest) == 0 })
	}
	if got := env.numbers(direct); len(got) != 0 {
		t.Errorf("he got %q", got)
	}
	if got := env.numbers(second); !slices.Equal(got, []string{"1042"}) { // which a colleague's subscription brings
		t.Errorf("the channel got %q", got)
	}
}

func TestAnUnknownPermissionDelaysOnlyItsProcess(t *testing.T) {
	t.Parallel()
	bank := &userBank{}
	env := newOutboxEnv(t, "node", withUserBank(t, bank))
	mend := bank.bank.Inject(sandbox.Fault{Operation: portal.ProcessDetail, Path: sandbox.SampleProcess(1043).String(), Status: 500})
	env.subscribe(direct, destination.Subscription{Kind: destination.ScopeAll, By: tom})
	o := env.replica()
	env.start(o)
	env.enqueue(o, env.updateOf(1043, "Documents"), env.updateOf(1042, "Documents"))
	waittest.Eventually(t, "the other process is posted", func() bool { return slices.Equal(env.numbers(direct), []string{"1042"}) })
	waittest.Eventually(t, "it was tried more than once", func() bool { return strings.Count(env.log.String(), "permission unknown") > 1 })
	mend()
	waittest.Eventually(t, "it is posted once the bank answers", func() bool { return slices.Equal(env.numbers(direct), []string{"1042", "1043"}) })
}

func TestADigestContainsOnlyWhatItsReaderMayRead(t *testing.T) {
	t.Parallel()
	bank := &userBank{}
	env := newOutboxEnv(t, "node", withUserBank(t, bank))
	bank.bank.Hide(sandbox.BrokerA.Users[1], sandbox.SampleProcess(1043))
	env.setClock("2026-11-26 08:00")
	env.changeSettings(direct, func(p *destination.Settings) {
		p.Subscriptions, p.Digest = []destination.Subscription{{Kind: destination.ScopeAll, By: tom}}, "09:00"
	})
	o := env.replica()
	env.start(o)
	env.enqueue(o, env.updateOf(1042, "Documents"), env.updateOf(1043, "Documents"), env.updateOf(1044, "Documents"))
	env.waitUntilIdle(o, direct)
	env.setClock("2026-11-26 09:00")
	if err := o.retry(t.Context(), direct); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "the digest is there", func() bool { return len(env.poster.messages(direct)) > 0 && queueLength(t, o, direct) == 0 })
	all := env.poster.messages(direct)
	if len(all) != 1 || len(all[0].notice.Lines) != 2 || strings.Contains(strings.Join(all[0].notice.Lines, " ")+all[0].notice.Text, "1043") || !strings.HasPrefix(all[0].notice.Text, "2 processes") {
		t.Errorf("the digest is %+v", all)
	}
}
