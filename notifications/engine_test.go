package notifications

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestWhatMovedBecomesOneUpdateForHoweverManyHintsAndReplicas(t *testing.T) {
	everywhere(t, func(t *testing.T, town *town) {
		a, b := town.replica(t), town.replica(t)
		walk(t, a)
		work(t, a)
		work(t, b)
		for range 3 {
			town.move(t, a1042)
			for range 40 {
				hint(t, a, a1042)
				hint(t, b, a1043) // nothing happened there
			}
			idle(t, a)
		}
		updates := town.wantOnce(t, a, a1042, 3)
		first := updates[0].Changes
		if len(first) != 1 || first[0].Kind != StatusChanged || first[0].From != "In Creation" || first[0].To == "" {
			t.Errorf("the first is %+v", first)
		}
		for i, update := range updates[1:] {
			if update.Changes[0].From != updates[i].Changes[0].To {
				t.Errorf("it moved to %q, and then from %q", updates[i].Changes[0].To, update.Changes[0].From)
			}
		}
		town.wantOnce(t, a, a1043, 0)
		if left := a.config.Store.Client().HLen(t.Context(), triesKey).Val(); left != 0 {
			t.Errorf("the tries of %d hints are kept that are worked off", left)
		}
	})
}

func TestAHintOfLongAgoDoesNotAskTheBank(t *testing.T) {
	town := open(t, redistest.Start(t))
	s := town.replica(t)
	walk(t, s)
	for range 450 { // some batches
		hint(t, s, a1042)
	}
	asked := town.bank.Calls(portal.ProcessDetail)
	work(t, s)
	idle(t, s)
	if asked = town.bank.Calls(portal.ProcessDetail) - asked; asked != 1 {
		t.Errorf("the bank was asked %d times", asked)
	}
}

func TestAHintThatComesWhileTheBankIsReadIsNotAnsweredByIt(t *testing.T) {
	town := open(t, redistest.Start(t))
	s := town.replica(t)
	walk(t, s)
	hint(t, s, a1042)
	upTo, err := s.engine.stream.last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Right after the bank was read, it moves and calls.
	if err := s.engine.look(t.Context(), a1042, look{upTo: upTo}); err != nil {
		t.Fatal(err)
	}
	town.move(t, a1042)
	hint(t, s, a1042)
	work(t, s)
	idle(t, s)
	town.wantOnce(t, s, a1042, 1)
}

func TestOfTwoWhoReadAtOnceTheSlowerReadsAgain(t *testing.T) {
	town := open(t, redistest.Start(t))
	s, ctx := town.replica(t), t.Context()
	walk(t, s)
	before, err := s.engine.pictures.see(ctx, a1042)
	if err != nil {
		t.Fatal(err)
	}
	stale, err := s.engine.reader.read(ctx, a1042) // of a replica that now takes its time
	if err != nil {
		t.Fatal(err)
	}
	town.move(t, a1042)
	if err := s.engine.look(ctx, a1042, look{upTo: "1-1"}); err != nil {
		t.Fatal(err)
	}
	update, err := s.engine.compare(ctx, before, &stale, look{})
	if err != nil {
		t.Fatal(err)
	}
	if done, err := s.engine.pictures.commit(ctx, before, stale, update, "1-1"); done || err != nil {
		t.Fatalf("a stale picture was committed: %v, %v", done, err)
	}
	// Many at once, of whom each sees the same.
	town.move(t, a1042)
	var crowd sync.WaitGroup
	for range 8 {
		crowd.Go(func() {
			if err := s.engine.look(ctx, a1042, look{upTo: "1-1"}); err != nil {
				t.Error(err)
			}
		})
	}
	crowd.Wait()
	town.wantOnce(t, s, a1042, 2)
}

func TestAChangeThroughBalcaoSaysWhoMadeIt(t *testing.T) {
	town := open(t, redistest.Start(t))
	s := work(t, town.replica(t))
	walk(t, s)
	ctx := t.Context()
	if _, _, err := s.config.Store.ChangeOwner(ctx, a1042, "slack:T1/U0ANA", "slack:T1/U0ANA", anybody); err != nil {
		t.Fatal(err)
	}
	hints := func(actor string) {
		if err := s.Trigger(ctx, Trigger{Process: a1042, Source: Balcao, Actor: actor}); err != nil {
			t.Fatal(err)
		}
		idle(t, s)
	}
	created, err := town.user(t).CreateBorrower(ctx, a1042, town.rui(t))
	if err != nil {
		t.Fatal(err)
	}
	hints("slack:T1/U0ANA")
	changed := town.rui(t)
	changed.Personal.DependentsNumber = new(int32(3))
	if _, err := town.user(t).UpdateBorrower(ctx, a1042, created.BorrowerUniqueID, changed); err != nil {
		t.Fatal(err)
	}
	hints("slack:T1/U0TOM")
	if _, err := town.user(t).DeleteBorrower(ctx, a1042, created.BorrowerUniqueID); err != nil {
		t.Fatal(err)
	}
	hints("mcp:local")
	updates := town.wantOnce(t, s, a1042, 3)
	for i, want := range []struct{ kind, actor string }{
		{BorrowerAdded, "slack:T1/U0ANA"}, {BorrowerChanged, "slack:T1/U0TOM"}, {BorrowerRemoved, "mcp:local"},
	} {
		got := updates[i]
		if len(got.Changes) != 1 || got.Changes[0] != (Change{Kind: want.kind, To: "1"}) || got.Actor != want.actor || got.Owner != "slack:T1/U0ANA" {
			t.Errorf("got %+v by %q of %q, want %s by %s", got.Changes, got.Actor, got.Owner, want.kind, want.actor)
		}
	}
}

func TestAnActionOfWhichNothingIsSeenIsAChangeToo(t *testing.T) {
	town := open(t, redistest.Start(t))
	s := work(t, town.replica(t))
	walk(t, s)
	if err := town.bank.WriteMessage(a1042); err != nil {
		t.Fatal(err)
	}
	hint(t, s, a1042)
	idle(t, s)
	if got := town.wantOnce(t, s, a1042, 1)[0].Changes; len(got) != 1 || got[0].Kind != Acted {
		t.Errorf("got %+v", got)
	}
}

func TestAProcessSeenAfterTheFirstWalkIsNews(t *testing.T) {
	town := open(t, redistest.Start(t))
	s := work(t, town.replica(t))
	hint(t, s, a1042) // before any walk: nobody knows whether it is new
	idle(t, s)
	walk(t, s)
	town.wantOnce(t, s, a1042, 0)
	opened := town.bank.AddProcess(sandbox.BrokerA)
	hint(t, s, opened)
	idle(t, s)
	if got := town.wantOnce(t, s, opened, 1)[0]; got.Changes[0] != (Change{Kind: Opened, To: "In Creation"}) || got.Number == 0 {
		t.Errorf("got %+v", got)
	}
}

func TestWhatIsNotOursIsDroppedAndAskedForOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, town *town) {
		s := town.replica(t)
		walk(t, s)
		calls := town.bank.Calls(portal.ProcessDetail)
		forged := uuid.New()
		for range 150 {
			hint(t, s, b1051) // another broker's
			hint(t, s, forged)
		}
		work(t, s)
		idle(t, s)
		if calls = town.bank.Calls(portal.ProcessDetail) - calls; calls != 2 {
			t.Errorf("the bank was asked %d times for two processes", calls)
		}
		town.wantOnce(t, s, b1051, 0)
		town.wantOnce(t, s, forged, 0)
		if letters, err := s.DeadLetters(t.Context()); err != nil || len(letters) != 0 {
			t.Errorf("letters: %v, %v", letters, err)
		}
	})
}

func TestWhileTheBankIsDownHintsWaitAndItIsLeftInPeace(t *testing.T) {
	town := open(t, redistest.Start(t))
	s := town.replica(t)
	walk(t, s)
	town.move(t, a1042)
	back := town.bank.Inject(sandbox.Fault{Status: 503})
	hint(t, s, a1042)
	before := town.bank.Calls(portal.ProcessDetail)
	work(t, s)
	eventually(t, "the bank was asked a few times", func() bool { return town.bank.Calls(portal.ProcessDetail)-before >= 3 })
	if hints, _, err := s.engine.stream.backlog(t.Context(), time.Now()); hints != 1 || err != nil {
		t.Fatalf("%d hints wait, %v", hints, err)
	}
	back()
	idle(t, s)
	town.wantOnce(t, s, a1042, 1)
	if letters, err := s.DeadLetters(t.Context()); err != nil || len(letters) != 0 {
		t.Errorf("letters: %v, %v", letters, err)
	}
}

func TestWhoIsSlowKeepsItsHints(t *testing.T) {
	town := open(t, redistest.Start(t))
	s := town.replica(t)
	walk(t, s)
	town.move(t, a1042)
	town.bank.Inject(sandbox.Fault{Operation: portal.ProcessDetail, Times: 1, Latency: 4 * aLease})
	hint(t, s, a1042)
	before := town.bank.Calls(portal.ProcessDetail)
	work(t, s)
	eventually(t, "the bank is asked", func() bool { return town.bank.Calls(portal.ProcessDetail) > before })
	work(t, town.replica(t)) // which finds nothing to claim
	idle(t, s)
	if calls := town.bank.Calls(portal.ProcessDetail) - before; calls != 1 {
		t.Errorf("the bank was asked %d times", calls)
	}
	town.wantOnce(t, s, a1042, 1)
}

func TestWhoEndsLeavesTheGroupUnlessOthersHaveToClaim(t *testing.T) {
	everywhere(t, func(t *testing.T, town *town) {
		s, heir := town.replica(t), town.replica(t)
		ctx, cancel := context.WithCancel(t.Context())
		consumers := func() int {
			all, err := s.config.Store.Client().XInfoConsumers(t.Context(), hintsKey, group).Result()
			if err != nil {
				t.Fatal(err)
			}
			return len(all)
		}
		hint(t, s, a1042)
		if batch, err := s.engine.stream.next(ctx); len(batch) != 1 || err != nil {
			t.Fatal(len(batch), err)
		}
		cancel()
		if err := s.engine.run(ctx); err != nil || consumers() != 1 {
			t.Errorf("it left %d consumers, %v", consumers(), err)
		}
		work(t, heir)
		idle(t, heir)
		town.wantOnce(t, heir, a1042, 0)
		if err := s.engine.run(ctx); err != nil || consumers() != 1 {
			t.Errorf("it left %d consumers beside the heir, %v", consumers(), err)
		}
	})
}

func TestAllHintsPauseOnlyWhereTheBankAnswersNothing(t *testing.T) {
	town := open(t, redistest.Start(t))
	s := town.replica(t)
	walk(t, s)
	work := func(path string) error {
		hint(t, s, a1042)
		hint(t, s, a1043)
		batch, err := s.engine.stream.next(t.Context())
		if err != nil || len(batch) != 2 {
			t.Fatal(len(batch), err)
		}
		defer town.bank.Inject(sandbox.Fault{Operation: portal.ProcessDetail, Path: path, Status: 500})()
		return s.engine.work(t.Context(), batch)
	}
	if err := work(a1042.String()); err != nil {
		t.Errorf("one that fails stops the others: %v", err)
	}
	if err := work(""); portal.KindOf(err) != portal.Unavailable {
		t.Errorf("nothing is answered, and it goes on: %v", err)
	}
}

func TestAPauseGrowsAndHeedsTheBank(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	p := pause{least: time.Second, most: time.Minute}
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		if p.wait(ended, nil); p.now != want*time.Second {
			t.Errorf("it is %s, want %ds", p.now, want)
		}
	}
	p.over()
	if p.wait(ended, nil); p.now != time.Second {
		t.Errorf("it is %s after all went well", p.now)
	}
}

func TestNothingInRedisTellsOfAPersonOrLivesForEver(t *testing.T) {
	everywhere(t, func(t *testing.T, town *town) {
		s := town.replica(t, func(c *Config) { c.MaxTries = 1 })
		walk(t, s)
		if _, err := town.user(t).CreateBorrower(t.Context(), a1042, town.rui(t)); err != nil {
			t.Fatal(err)
		}
		town.move(t, a1042)
		for _, hint := range []Trigger{
			{Process: a1042, Source: Balcao, Actor: "slack:T1/U0ANA"}, {Process: b1051, Source: Callback, Type: 3},
			{Source: Callback, Type: 2}, {Process: a1043, Source: "nonsense"},
		} {
			if err := s.Trigger(t.Context(), hint); err != nil {
				t.Fatal(err)
			}
		}
		work(t, s)
		idle(t, s)
		if err := s.registration.note(t.Context(), "at", 1); err != nil {
			t.Fatal(err)
		}
		keys := 0
		client := s.config.Store.Client()
		for _, key := range client.Keys(t.Context(), "*").Val() {
			keys++
			if left := client.PTTL(t.Context(), key).Val(); left <= 0 {
				t.Errorf("%s lives for ever", key)
			}
			value := strings.Join([]string{
				key, client.Get(t.Context(), key).Val(), strings.Join(client.LRange(t.Context(), key, 0, -1).Val(), " "),
				strings.Join(client.HVals(t.Context(), key).Val(), " "), strings.Join(client.ZRange(t.Context(), key, 0, -1).Val(), " "),
			}, " ")
			for _, m := range client.XRange(t.Context(), key, "-", "+").Val() {
				for _, v := range m.Values {
					value += " " + v.(string)
				}
			}
			for _, secret := range []string{"Rui", "Amostra", "299999998", "1985", "Maria", "Exemplo", "example.com", "+351"} {
				if strings.Contains(value, secret) {
					t.Errorf("%s tells %q", key, secret)
				}
			}
		}
		if keys < 6+len(town.told.of(a1042)) {
			t.Errorf("only %d keys were found", keys)
		}
	})
}
