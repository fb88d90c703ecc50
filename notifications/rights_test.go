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

// userBank is a bank at which Tom's user sees two of the processes of a test, and a reader of it: the background user for
// the team's channel, Tom's for his direct messages and for what he had a channel subscribe to.
type userBank struct {
	*bankEnv
	user   *portal.User
	served bool // whether Tom is among the people who are served
}

func withUserBank(t *testing.T, bank *userBank) func(*Config) {
	t.Helper()
	bank.bankEnv = newBankEnv(t, "memory")
	client, err := portal.New(portal.Config{BaseURL: bank.url, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret, ReadAttempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	bank.user = client.As(portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[1]}, "en")
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

// updateOf makes an update of a process of the bank's, the first of it.
func (env *outboxEnv) updateOf(number int, status string) Update {
	env.snapshots.mu.Lock()
	defer env.snapshots.mu.Unlock()
	id := sandbox.SampleProcess(number)
	version := int64(len(env.snapshots.all[id]) + 1)
	u := Update{
		Process: id, Version: version, Number: int64(number), At: env.config.Now(), Changes: []Change{{StatusChanged, "Before", status}},
		Snapshot: Snapshot{Process: id, Version: version, Number: int64(number), Status: status, Read: env.config.Now()},
	}
	env.snapshots.all[id] = append(env.snapshots.all[id], u)
	return u
}

// numbers are those of the processes that a place was told of, each once.
func (env *outboxEnv) numbers(dest string) []string {
	var delivered []string
	for _, m := range env.poster.messages(dest) {
		delivered = append(delivered, strings.TrimPrefix(m.notice.Title, "Process "))
	}
	slices.Sort(delivered)
	return slices.Compact(delivered)
}

func TestAPersonIsToldOfWhatHerOwnUserMayReadAndOfNothingElse(t *testing.T) {
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
				waittest.Eventually(t, dest+" has nothing left to hear", func() bool { return queueLength(t, o, dest) == 0 })
			}
			if got := env.numbers(channel); !slices.Equal(got, []string{"1042", "1043", "1044", "1051"}) {
				t.Errorf("the team's channel was told of %q", got)
			}
			for _, dest := range []string{direct, second} { // what Tom had the channel subscribe to is what he reads
				if got := env.numbers(dest); !slices.Equal(got, []string{"1042", "1044"}) {
					t.Errorf("%s was told of %q", dest, got)
				}
			}
		})
	}
}

func TestWhoMayReadAProcessNoMoreIsNotToldOfItAndItsCardStays(t *testing.T) {
	t.Parallel()
	bank := &userBank{}
	env := newOutboxEnv(t, "node", withUserBank(t, bank))
	env.subscribe(direct, destination.Subscription{Kind: destination.ScopeAll, By: tom})
	o := env.replica()
	env.start(o)
	env.enqueue(o, env.updateOf(1042, "Documents"))
	waittest.Eventually(t, "he is told", func() bool { return queueLength(t, o, direct) == 0 })
	bank.bank.Hide(sandbox.BrokerA.Users[1], sandbox.SampleProcess(1042))
	env.offset.Add(int64(rightTTL)) // what the bank said is believed no longer
	env.enqueue(o, env.updateOf(1042, "Analysis"))
	waittest.Eventually(t, "nothing is left", func() bool { return queueLength(t, o, direct) == 0 })
	if card, _ := env.poster.card(direct, sandbox.SampleProcess(1042)); card.edits != 0 || len(env.poster.messages(direct)) != 2 {
		t.Errorf("he was told: %+v", env.poster.messages(direct))
	}
}

func TestWhoIsServedNoMoreIsToldNothing(t *testing.T) {
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
		waittest.Eventually(t, dest+" has nothing left to hear", func() bool { return queueLength(t, o, dest) == 0 })
	}
	if got := env.numbers(direct); len(got) != 0 {
		t.Errorf("he was told of %q", got)
	}
	if got := env.numbers(second); !slices.Equal(got, []string{"1042"}) { // which a colleague's subscription brings
		t.Errorf("the channel was told of %q", got)
	}
}

func TestWhileTheBankDoesNotSayWhoMayReadNobodyIsToldAndTheRestIs(t *testing.T) {
	t.Parallel()
	bank := &userBank{}
	env := newOutboxEnv(t, "node", withUserBank(t, bank))
	mend := bank.bank.Inject(sandbox.Fault{Operation: portal.ProcessDetail, Path: sandbox.SampleProcess(1043).String(), Status: 500})
	env.subscribe(direct, destination.Subscription{Kind: destination.ScopeAll, By: tom})
	o := env.replica()
	env.start(o)
	env.enqueue(o, env.updateOf(1043, "Documents"), env.updateOf(1042, "Documents"))
	waittest.Eventually(t, "the other process is told", func() bool { return slices.Equal(env.numbers(direct), []string{"1042"}) })
	waittest.Eventually(t, "it was tried more than once", func() bool { return strings.Count(env.log.String(), "permission unknown") > 1 })
	mend()
	waittest.Eventually(t, "it is told once the bank says so", func() bool { return slices.Equal(env.numbers(direct), []string{"1042", "1043"}) })
}

func TestADigestHoldsOnlyWhatItsPersonMayRead(t *testing.T) {
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
