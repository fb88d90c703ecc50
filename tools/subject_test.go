package tools_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

// by makes another person ask, keyed has the call a key of its own.
func by(actor string) func(*tools.Request) { return func(r *tools.Request) { r.Actor.ID = actor } }
func keyed(key string) func(*tools.Request) {
	return func(r *tools.Request) { r.Key = key }
}

// assistant makes an assistant ask on ana's behalf.
func assistant(r *tools.Request) { r.Actor.Assistant = true }

// unhurried leaves time for calls at a slow bank.
func unhurried(c *tools.Config) { c.CallTimeout = 10 * time.Second }

const slowBank = 2 * time.Second

func TestTwoCallersForOneBorrowerAreOneBorrower(t *testing.T) {
	type caller []func(*tools.Request)
	for name, callers := range map[string][2]caller{
		"two keys":            {{keyed("one")}, {keyed("two")}},
		"two without a key":   {{assistant}, {assistant}},
		"two colleagues":      {{keyed("one")}, {keyed("one"), by("bruno")}},
		"a person, a program": {{keyed("one")}, {assistant, by("bruno")}},
		"by number and by uuid": {{keyed("one")}, {keyed("two"), func(r *tools.Request) {
			r.Args = []byte(strings.Replace(string(r.Args), `"1042"`, `"`+sandbox.SampleProcess(1042).String()+`"`, 1))
		}}},
		"one with another name": {{keyed("one")}, {keyed("two"), func(r *tools.Request) {
			r.Args = []byte(strings.Replace(string(r.Args), "Rui Amostra", "Rui Exemplo", 1))
		}}},
	} {
		latencies := []time.Duration{0}
		if name == "two keys" || name == "two without a key" || name == "a person, a program" {
			latencies = append(latencies, slowBank)
		}
		for _, latency := range latencies {
			t.Run(fmt.Sprint(name, ", ", latency), func(t *testing.T) {
				b := openBranches(t)
				replicas := []house{b.replica(t, unhurried), b.replica(t, unhurried)}
				if latency > 0 {
					b.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Latency: latency})
				}
				results := make([]tools.Result, 2)
				failures := make([]*tools.Error, 2)
				var group sync.WaitGroup
				for i, caller := range callers {
					group.Go(func() { results[i], failures[i] = replicas[i].run(t, "create_borrower", rui(nil), caller...) })
				}
				group.Wait()
				shared := 0
				for i, failure := range failures {
					// The first may be done before the second comes: then its own check speaks.
					if failure != nil && failure.Kind != tools.Invalid {
						t.Fatalf("caller %d: %v", i, failure)
					}
					if failure != nil || results[i].Earlier != nil {
						shared++
					}
					if failure == nil {
						b.wantOnce(t, results[i], 1)
					}
				}
				if shared != 1 {
					t.Errorf("%d were told that another did it: %+v", shared, results)
				}
			})
		}
	}
}

func TestRepeatsWithoutAKeyAtAFailingGatewayAreOneBorrower(t *testing.T) {
	b := openBranches(t)
	h := b.replica(t)
	remove := b.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Status: 502})
	for range 4 {
		if _, failure := h.run(t, "create_borrower", rui(nil), assistant); failure == nil || failure.Kind != tools.Unclear || failure.RetryAfter <= 0 {
			t.Errorf("got %v", failure)
		}
	}
	remove()
	eventually(t, "all is swept up", func() bool {
		_, err := h.Recover(t.Context())
		return err == nil && len(b.bank.Borrowers(sandbox.SampleProcess(1042))) > 1
	})
	b.wantSettled(t, h, 1)
}

// wantSettled wants one new borrower, and no more after another sweep.
func (b branches) wantSettled(t *testing.T, h house, created int) {
	t.Helper()
	eventually(t, "nothing is left to sweep", func() bool {
		finished, err := h.Recover(t.Context())
		return finished == 0 && err == nil
	})
	if there := b.bank.Borrowers(sandbox.SampleProcess(1042)); len(there) != 1+created {
		t.Errorf("the bank holds %d of them", len(there)-1)
	}
}

func TestCallsLeftBehindForOneBorrowerAreFinishedOneAfterTheOther(t *testing.T) {
	b := openBranches(t)
	for i := range 4 {
		b.dieWith(t, beforeSending, fmt.Sprint("call ", i), hurried)
	}
	replicas := []house{b.replica(t, unhurried), b.replica(t, unhurried)}
	finished := 0
	var mu sync.Mutex
	eventually(t, "all are swept up", func() bool {
		var group sync.WaitGroup
		for _, h := range replicas {
			group.Go(func() {
				n, _ := h.Recover(t.Context())
				mu.Lock()
				defer mu.Unlock()
				finished += n
			})
		}
		group.Wait()
		return finished >= 4
	})
	b.wantSettled(t, replicas[0], 1)
	for i := range 4 {
		result, failure := replicas[i%2].run(t, "create_borrower", rui(nil), keyed(fmt.Sprint("call ", i)))
		if failure != nil {
			t.Fatal(failure)
		}
		b.wantOnce(t, result, 1)
	}
}

func TestWhoRepeatsWhoSweepsAndANewCallerAreOneBorrower(t *testing.T) {
	for moment := range moments {
		t.Run(moment, func(t *testing.T) {
			b := openBranches(t)
			b.die(t, moment)
			b.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Latency: slowBank})
			repeats, sweeps, fresh := b.replica(t, unhurried), b.replica(t, unhurried), b.replica(t, unhurried)
			stop := make(chan struct{})
			var group, sweeping sync.WaitGroup
			sweeping.Go(func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(20 * time.Millisecond):
						_, _ = sweeps.Recover(t.Context())
					}
				}
			})
			group.Go(func() { repeats.insist(t) })
			group.Go(func() {
				eventually(t, "the other caller has an answer", func() bool {
					_, failure := fresh.run(t, "create_borrower", rui(nil), by("bruno"))
					return failure == nil || failure.Kind == tools.Invalid
				})
			})
			group.Wait()
			close(stop)
			sweeping.Wait()
			b.wantSettled(t, sweeps, 1)
			if calls := b.bank.Calls(portal.BorrowerCreate); calls != 1 {
				t.Errorf("sent %d times", calls)
			}
		})
	}
}

func TestWhileNobodyKnowsWhatBecameOfACallNoOtherIsSentForTheSame(t *testing.T) {
	b := openBranches(t)
	h, other := b.replica(t, unhurried), b.replica(t, unhurried)
	b.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, DropBefore: true, Times: 1})
	if _, failure := h.run(t, "create_borrower", rui(nil), keyed("one")); failure == nil || failure.Kind != tools.Unclear {
		t.Fatalf("got %v", failure)
	}
	_, failure := other.run(t, "create_borrower", rui(nil), keyed("two"), by("bruno"))
	if failure == nil || failure.Kind != tools.Unclear || failure.RetryAfter <= 0 || b.bank.Calls(portal.BorrowerCreate) != 1 {
		t.Fatalf("got %v after %d calls", failure, b.bank.Calls(portal.BorrowerCreate))
	}
	if said := failure.What(h.ana.Lang); failure.Earlier == nil || failure.Earlier.Actor != "ana" || !strings.Contains(said, "Somebody else on your team made the same request at ") {
		t.Errorf("told %q, of %+v", said, failure.Earlier)
	}
	// Of another borrower they are as free as ever.
	if _, failure := other.run(t, "create_borrower", rui(map[string]string{"taxId": `"277700003"`, "email": `"p@example.com"`}), by("bruno")); failure != nil && failure.Kind != tools.Invalid {
		t.Errorf("another borrower: %v", failure)
	}
}

// overlap makes two replicas. What the first one's call came to is not recorded before the second one's waits for it.
func (b branches) overlap(t *testing.T) (first, second house) {
	t.Helper()
	waits := make(chan struct{})
	first = b.replica(t, unhurried, func(c *tools.Config) {
		c.Journal = &before{c.Journal, func() {
			select {
			case <-waits:
			case <-time.After(4 * time.Second):
				t.Error("nobody waits")
			}
		}}
	})
	return first, b.replica(t, unhurried, func(c *tools.Config) {
		c.Journal = watched{c.Journal, sync.OnceFunc(func() { close(waits) })}
	})
}

// watched is a journal that tells when a call has to wait for another.
type watched struct {
	tools.Journal
	waits func()
}

func (w watched) Acquire(ctx context.Context, subject, call string, lease time.Duration) (token int64, other string, left time.Duration, err error) {
	token, other, left, err = w.Journal.Acquire(ctx, subject, call, lease)
	if err == nil && token == 0 {
		w.waits()
	}
	return token, other, left, err
}

func TestAfterARefusalTheNextCallerGoesAhead(t *testing.T) {
	b := openBranches(t)
	h, next := b.overlap(t)
	b.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Status: 429, Times: 1})
	var group sync.WaitGroup
	group.Go(func() {
		if _, failure := h.run(t, "create_borrower", rui(nil), keyed("one")); failure == nil || failure.Kind != tools.Busy {
			t.Errorf("the first got %v", failure)
		}
	})
	eventually(t, "the first is at the bank", func() bool { return b.bank.Calls(portal.BorrowerCreate) == 1 })
	result, failure := next.run(t, "create_borrower", rui(nil), keyed("two"))
	group.Wait()
	if failure != nil || result.Earlier != nil {
		t.Fatalf("the second got %v, %+v", failure, result.Earlier)
	}
	b.wantOnce(t, result, 2)
}

func TestTwoChangesOfOneBorrowerAreMadeOneAfterTheOther(t *testing.T) {
	b := openBranches(t)
	replicas := []house{b.replica(t, unhurried), b.replica(t, unhurried)}
	b.bank.Inject(sandbox.Fault{Operation: portal.BorrowerUpdate, Latency: 300 * time.Millisecond})
	var group sync.WaitGroup
	for i, change := range []string{`"personal":{"floor":"3"}`, `"personal":{"mobile":"912 000 111"}`} {
		group.Go(func() {
			if result, failure := replicas[i].run(t, "update_borrower", of(1043, ines, change)); failure != nil || result.Earlier != nil {
				t.Errorf("%s: %v, %+v", change, failure, result.Earlier)
			}
		})
	}
	group.Wait()
	if p := replicas[0].held(t, 1043, ines).Personal; p.Floor.Reveal() != "3" || p.Mobile.Reveal() != "+351912000111" {
		t.Error("one change is lost")
	}
}

func TestTheSecondWhoDeletesOrChangesTheSameIsToldOfTheFirst(t *testing.T) {
	for name, d := range visible {
		t.Run(name, func(t *testing.T) {
			b := openBranches(t)
			h, next := b.overlap(t)
			var group sync.WaitGroup
			group.Go(func() {
				if result, failure := h.run(t, d.tool, d.args, confirmed(d.confirmed...)); failure != nil || result.Earlier != nil {
					t.Errorf("the first got %v, %+v", failure, result.Earlier)
				}
			})
			eventually(t, "the first is at the bank", func() bool { return b.bank.Calls(d.operation) == 1 })
			result, failure := next.run(t, d.tool, d.args, confirmed(d.confirmed...), by("bruno"))
			group.Wait()
			if failure != nil || result.Earlier == nil || result.Earlier.Actor != "ana" {
				t.Errorf("the second got %v, %+v", failure, result.Earlier)
			}
			h.wantDone(t, d, 1)
		})
	}
}

func TestWhoIsToldOfAnotherIsToldTheSameAgainUnderTheSameKey(t *testing.T) {
	b := openBranches(t)
	other, h := b.overlap(t)
	var group sync.WaitGroup
	group.Go(func() { other.run(t, "create_borrower", rui(nil), by("bruno")) })
	eventually(t, "the first is at the bank", func() bool { return b.bank.Calls(portal.BorrowerCreate) == 1 })
	for range 2 {
		result, failure := h.click(t)
		if failure != nil {
			t.Fatal(failure)
		}
		b.wantOnce(t, result, 1)
		if result.Earlier == nil || result.Earlier.Actor != "bruno" || !strings.Contains(result.Card.Note, "Somebody else on your team already made this request at ") {
			t.Errorf("told %+v, %q", result.Earlier, result.Card.Note)
		}
	}
	group.Wait()
	if entries := strings.Join(h.trail.entries, "\n"); strings.Count(entries, `"outcome":"already_done"`) != 2 || strings.Contains(entries, `"outcome":"done"`) {
		t.Errorf("the trail says %s", entries)
	}
}
