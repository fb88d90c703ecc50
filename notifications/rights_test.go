package notifications

import (
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

const (
	direct = "slack:U0TOM"
	tom    = "slack:T0TEAM/U0TOM"
	second = "slack:C0SECOND"
)

// tomsBank is a bank at which Tom's user sees two of the processes of a test, and a reader of it: the background user for
// the team's channel, Tom's for his direct messages and for what he had a channel subscribe to.
type tomsBank struct {
	*town
	user   *portal.User
	served bool // whether Tom is among the people who are served
}

func withTomsBank(t *testing.T, bank *tomsBank) func(*Config) {
	t.Helper()
	bank.town = open(t, "memory")
	client, err := portal.New(portal.Config{BaseURL: bank.url, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret, ReadAttempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	bank.user = client.As(portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[1]}, "en")
	bank.served = true
	return func(c *Config) {
		c.Reader = func(place, by string) (*portal.User, bool) {
			if place == direct || by == tom {
				return bank.user, bank.served
			}
			return nil, true
		}
	}
}

// movesAt makes an update of a process of the bank's, the first of it.
func (h *team) movesAt(number int, status string) Update {
	h.album.mu.Lock()
	defer h.album.mu.Unlock()
	id := sandbox.SampleProcess(number)
	version := int64(len(h.album.moved[id]) + 1)
	u := Update{
		Process: id, Version: version, Number: int64(number), At: h.config.Now(), Changes: []Change{{StatusChanged, "Before", status}},
		Snapshot: Snapshot{Process: id, Version: version, Number: int64(number), Status: status, Read: h.config.Now()},
	}
	h.album.moved[id] = append(h.album.moved[id], u)
	return u
}

// numbers are those of the processes that a place was told of, each once.
func (h *team) numbers(place string) []string {
	var told []string
	for _, m := range h.board.at(place) {
		told = append(told, strings.TrimPrefix(m.notice.Title, "Process "))
	}
	slices.Sort(told)
	return slices.Compact(told)
}

func TestAPersonIsToldOfWhatHerOwnUserMayReadAndOfNothingElse(t *testing.T) {
	for kind := range redises {
		t.Run(kind, func(t *testing.T) {
			bank := &tomsBank{}
			h := newTeam(t, kind, withTomsBank(t, bank))
			bank.bank.Hide(sandbox.BrokerA.Users[1], sandbox.SampleProcess(1043))
			h.watch(direct, destination.Subscription{Kind: destination.ScopeAll, By: tom})
			h.watch(second, destination.Subscription{Kind: destination.ScopeAll, By: tom})
			o := h.replica()
			h.start(o)
			h.put(o, h.movesAt(1042, "Documents"), h.movesAt(1043, "Documents"), h.movesAt(1044, "Documents"), h.movesAt(1051, "Documents"))
			for _, place := range []string{channel, direct, second} {
				eventually(t, place+" has nothing left to hear", func() bool { return queueLength(t, o, place) == 0 })
			}
			if got := h.numbers(channel); !slices.Equal(got, []string{"1042", "1043", "1044", "1051"}) {
				t.Errorf("the team's channel was told of %q", got)
			}
			for _, place := range []string{direct, second} { // what Tom had the channel subscribe to is what he reads
				if got := h.numbers(place); !slices.Equal(got, []string{"1042", "1044"}) {
					t.Errorf("%s was told of %q", place, got)
				}
			}
		})
	}
}

func TestWhoMayReadAProcessNoMoreIsNotToldOfItAndItsCardStays(t *testing.T) {
	bank := &tomsBank{}
	h := newTeam(t, "node", withTomsBank(t, bank))
	h.watch(direct, destination.Subscription{Kind: destination.ScopeAll, By: tom})
	o := h.replica()
	h.start(o)
	h.put(o, h.movesAt(1042, "Documents"))
	eventually(t, "he is told", func() bool { return queueLength(t, o, direct) == 0 })
	bank.bank.Hide(sandbox.BrokerA.Users[1], sandbox.SampleProcess(1042))
	h.ahead.Add(int64(rightLife)) // what the bank said is believed no longer
	h.put(o, h.movesAt(1042, "Analysis"))
	eventually(t, "nothing is left", func() bool { return queueLength(t, o, direct) == 0 })
	if card, _ := h.board.card(direct, sandbox.SampleProcess(1042)); card.edits != 0 || len(h.board.at(direct)) != 2 {
		t.Errorf("he was told: %+v", h.board.at(direct))
	}
}

func TestWhoIsServedNoMoreIsToldNothing(t *testing.T) {
	bank := &tomsBank{}
	h := newTeam(t, "node", withTomsBank(t, bank))
	bank.served = false
	h.watch(direct, destination.Subscription{Kind: destination.ScopeAll, By: tom})
	h.watch(second, destination.Subscription{Kind: destination.ScopeAll, By: tom}, destination.Subscription{Kind: destination.ScopePhase, Value: "1", By: ana})
	o := h.replica()
	h.start(o)
	h.put(o, h.movesAt(1042, "Documents"), h.movesAt(1043, "Valuation"))
	for _, place := range []string{channel, direct, second} {
		eventually(t, place+" has nothing left to hear", func() bool { return queueLength(t, o, place) == 0 })
	}
	if got := h.numbers(direct); len(got) != 0 {
		t.Errorf("he was told of %q", got)
	}
	if got := h.numbers(second); !slices.Equal(got, []string{"1042"}) { // which a colleague's subscription brings
		t.Errorf("the channel was told of %q", got)
	}
}

func TestWhileTheBankDoesNotSayWhoMayReadNobodyIsToldAndTheRestIs(t *testing.T) {
	bank := &tomsBank{}
	h := newTeam(t, "node", withTomsBank(t, bank))
	mend := bank.bank.Inject(sandbox.Fault{Operation: portal.ProcessDetail, Path: sandbox.SampleProcess(1043).String(), Status: 500})
	h.watch(direct, destination.Subscription{Kind: destination.ScopeAll, By: tom})
	o := h.replica()
	h.start(o)
	h.put(o, h.movesAt(1043, "Documents"), h.movesAt(1042, "Documents"))
	eventually(t, "the other process is told", func() bool { return slices.Equal(h.numbers(direct), []string{"1042"}) })
	eventually(t, "it was tried more than once", func() bool { return strings.Count(h.log.String(), "a place waits to be told") > 1 })
	mend()
	eventually(t, "it is told once the bank says so", func() bool { return slices.Equal(h.numbers(direct), []string{"1042", "1043"}) })
}

func TestADigestHoldsOnlyWhatItsPersonMayRead(t *testing.T) {
	bank := &tomsBank{}
	h := newTeam(t, "node", withTomsBank(t, bank))
	bank.bank.Hide(sandbox.BrokerA.Users[1], sandbox.SampleProcess(1043))
	h.at("2026-11-26 08:00")
	h.changePlace(direct, func(p *destination.Settings) {
		p.Subscriptions, p.Digest = []destination.Subscription{{Kind: destination.ScopeAll, By: tom}}, "09:00"
	})
	o := h.replica()
	h.start(o)
	h.put(o, h.movesAt(1042, "Documents"), h.movesAt(1043, "Documents"), h.movesAt(1044, "Documents"))
	h.rests(o, direct)
	h.at("2026-11-26 09:00")
	if err := o.retry(t.Context(), direct); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the digest is there", func() bool { return len(h.board.at(direct)) > 0 && queueLength(t, o, direct) == 0 })
	all := h.board.at(direct)
	if len(all) != 1 || len(all[0].notice.Lines) != 2 || strings.Contains(strings.Join(all[0].notice.Lines, " ")+all[0].notice.Text, "1043") || !strings.HasPrefix(all[0].notice.Text, "2 processes") {
		t.Errorf("the digest is %+v", all)
	}
}
