package tools_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

// hurried holds calls for a moment only, however long they may take: whoever waits for a lease to be over waits little.
func hurried(c *tools.Config) {
	c.CallTimeout = 10 * heldCall
	c.Journal = brief{c.Journal}
}

type brief struct{ tools.Journal }

const moment = 100 * time.Millisecond

func (b brief) Begin(ctx context.Context, key string, intent []byte, _ time.Duration) (prior []byte, first bool, err error) {
	return b.Journal.Begin(ctx, key, intent, moment)
}

func (b brief) TakeOver(ctx context.Context, key string, token int64, _ time.Duration) (next int64, taken bool, err error) {
	return b.Journal.TakeOver(ctx, key, token, moment)
}

func (b brief) Acquire(ctx context.Context, subject, call string, _ time.Duration) (token int64, other string, left time.Duration, err error) {
	return b.Journal.Acquire(ctx, subject, call, moment)
}

func (b brief) Hold(ctx context.Context, subject string, token int64, _ time.Duration) (held bool, err error) {
	return b.Journal.Hold(ctx, subject, token, 0)
}

// deed is a call that changes something of Inês, made under one key.
type deed struct {
	tool      string
	args      string
	confirmed []string
	operation portal.OperationID
	done      func(t *testing.T, h house) bool // whether the bank shows it
}

// visible are the deeds that the bank shows.
var visible = map[string]deed{
	"an update": {"update_borrower", of(1043, ines, `"personal":{"mobile":"912 000 111"}`), nil, portal.BorrowerUpdate,
		func(t *testing.T, h house) bool {
			return h.held(t, 1043, ines).Personal.Mobile.Reveal() == "+351912000111"
		}},
	"an emptying": {"update_borrower", of(1043, ines, `"clear":["personal.floor"]`), nil, portal.BorrowerUpdate,
		func(t *testing.T, h house) bool { return h.held(t, 1043, ines).Personal.Floor.IsZero() }},
	"a deletion": {"delete_borrower", strings.ReplaceAll(of(1043, ines), "-", ""), []string{"delete.borrower"}, portal.BorrowerDelete,
		func(_ *testing.T, h house) bool {
			return !slices.Contains(h.bank.Borrowers(sandbox.SampleProcess(1043)), sandbox.SampleBorrower(1043, ines))
		}},
}

var mail = deed{"send_esis", of(1043, ines), []string{"recipient.send"}, portal.ProcessESISEmail,
	func(_ *testing.T, h house) bool { return len(h.bank.Sent()) > 0 }}

func (h house) do(t *testing.T, d deed) (tools.Result, *tools.Error) {
	t.Helper()
	return h.run(t, d.tool, d.args, confirmed(d.confirmed...), func(r *tools.Request) { r.Key = "a click" })
}

// persist does it until the call is no longer under way or unclear.
func (h house) persist(t *testing.T, d deed) (result tools.Result) {
	t.Helper()
	eventually(t, "the call has an answer", func() bool {
		var failure *tools.Error
		result, failure = h.do(t, d)
		if failure != nil && !slices.Contains([]tools.ErrorKind{tools.Busy, tools.Unclear, tools.Unavailable}, failure.Kind) {
			t.Fatal(failure)
		}
		return failure == nil
	})
	return result
}

// sweepUp sweeps until one call is finished, whatever a busy machine keeps open until then.
func (h house) sweepUp(t *testing.T) {
	t.Helper()
	eventually(t, "a call is swept up", func() bool { finished, _ := h.Recover(t.Context()); return finished == 1 })
}

// wantDone wants the bank to show it after so many calls.
func (h house) wantDone(t *testing.T, d deed, calls int) {
	t.Helper()
	if !d.done(t, h) || h.bank.Calls(d.operation) != calls {
		t.Errorf("done %v after %d calls, want %d", d.done(t, h), h.bank.Calls(d.operation), calls)
	}
}

// perish lets a replica be killed while it does it.
func (b branches) perish(t *testing.T, moment string, d deed) {
	t.Helper()
	victim := b.replica(t, hurried, func(c *tools.Config) { c.Journal = mortal{c.Journal, moment} })
	defer func() {
		if recover() == nil {
			t.Error("the replica lives on")
		}
	}()
	victim.do(t, d)
}

func TestTheSameKeyChangesDeletesAndSendsOnceAndAnswersTheSame(t *testing.T) {
	for _, d := range []deed{visible["an update"], visible["a deletion"], mail} {
		h := open(t)
		first, failure := h.do(t, d)
		if failure != nil {
			t.Fatal(failure)
		}
		second, failure := h.do(t, d)
		if failure != nil {
			t.Fatal(failure)
		}
		if first.Output != second.Output || first.Card.Text != second.Card.Text {
			t.Errorf("got %v and %v", first.Output, second.Output)
		}
		h.wantDone(t, d, 1)
		if d.tool == mail.tool && len(h.bank.Sent()) != 1 {
			t.Errorf("%d e-mails went out", len(h.bank.Sent()))
		}
		_, failure = h.run(t, d.tool, of(1043, 0), func(r *tools.Request) { r.Key = "a click" })
		if failure == nil || !slices.Equal(codes(failure), []string{"key_reused error"}) {
			t.Errorf("the key of another's gives %v", failure)
		}
	}
}

func TestAChangeThatTookHoldIsRecognisedThoughItsAnswerWasLost(t *testing.T) {
	for name, d := range visible {
		h := open(t)
		h.bank.Inject(sandbox.Fault{Operation: d.operation, DropAfter: true, Times: 1})
		result, failure := h.do(t, d)
		if failure != nil {
			t.Fatalf("%s: %v", name, failure)
		}
		if d.operation == portal.BorrowerDelete && result.Card.Text != "The borrower is no longer in process 1043." {
			t.Errorf("%s: got %q", name, result.Card.Text)
		}
		if again, failure := h.do(t, d); failure != nil || again.Output != result.Output {
			t.Errorf("%s: again, got %v, %v", name, again.Output, failure)
		}
		h.wantDone(t, d, 1)
	}
}

func TestAChangeThatGotLostIsNotTakenForDone(t *testing.T) {
	for name, d := range visible {
		t.Run(name, func(t *testing.T) {
			b := openBranches(t)
			h := b.replica(t, hurried)
			b.bank.Inject(sandbox.Fault{Operation: d.operation, DropBefore: true, Times: 1})
			if _, failure := h.do(t, d); failure == nil || failure.Kind != tools.Unclear || failure.RetryAfter <= 0 {
				t.Fatalf("while it may arrive, got %v", failure)
			}
			if d.done(t, h) || h.bank.Calls(d.operation) != 1 {
				t.Error("it was not lost")
			}
			h.persist(t, d)
			h.wantDone(t, d, 2)
		})
	}
}

func TestAChangeWhoseMakerDiedIsMadeOnceByWhoRepeatsItOrSweeps(t *testing.T) {
	for name, d := range visible {
		for moment := range moments {
			t.Run(name+", "+moment, func(t *testing.T) {
				b := openBranches(t)
				b.perish(t, moment, d)
				h := b.replica(t, hurried)
				if moment == beforeSending {
					h.sweepUp(t)
				}
				result := h.persist(t, d)
				if again, failure := h.do(t, d); failure != nil || again.Output != result.Output {
					t.Errorf("again, got %v, %v", again.Output, failure)
				}
				if finished, err := h.Recover(t.Context()); finished != 0 || err != nil {
					t.Errorf("swept again: %d, %v", finished, err)
				}
				h.wantDone(t, d, 1)
			})
		}
	}
}

func TestAnotherReplicasTakeoverKeepsWhatOthersChangedMeanwhile(t *testing.T) {
	b, d := openBranches(t), visible["an update"]
	b.perish(t, beforeSending, d)
	h := b.replica(t, hurried)
	if _, failure := h.run(t, "update_borrower", of(1043, ines, `"personal":{"floor":"3"}`)); failure != nil {
		t.Fatal(failure)
	}
	h.sweepUp(t)
	if p := h.held(t, 1043, ines).Personal; p.Floor.Reveal() != "3" || !d.done(t, h) {
		t.Error("one change is lost")
	}
}

func TestAnUpdateOfWhoIsGoneComesToAnEnd(t *testing.T) {
	b, d := openBranches(t), visible["an update"]
	b.perish(t, beforeSending, d)
	h := b.replica(t, hurried)
	if _, failure := h.run(t, "delete_borrower", of(1043, ines), confirmed("delete.borrower")); failure != nil {
		t.Fatal(failure)
	}
	h.sweepUp(t)
	if _, failure := h.do(t, d); failure == nil || !slices.Equal(codes(failure), []string{"borrower borrower.unknown error"}) || h.bank.Calls(d.operation) != 0 {
		t.Errorf("got %v after %d calls", failure, h.bank.Calls(d.operation))
	}
}

func TestAnEMailInDoubtIsNeverSentAgain(t *testing.T) {
	for name, fault := range map[string]sandbox.Fault{
		"its answer was lost": {Operation: portal.ProcessESISEmail, DropAfter: true},
		"it was lost":         {Operation: portal.ProcessESISEmail, DropBefore: true},
		"the bank broke":      {Operation: portal.ProcessESISEmail, Status: 503},
		"nonsense came":       {Operation: portal.ProcessESISEmail, Body: sandbox.Garbage},
	} {
		fault.Times = 1
		h := open(t, hurried)
		h.bank.Inject(fault)
		for range 3 {
			_, failure := h.do(t, mail)
			if failure == nil || failure.Kind != tools.Unclear || failure.RetryAfter != 0 {
				t.Fatalf("%s: got %v", name, failure)
			}
			if said := failure.What(h.ana.Lang) + failure.Next(h.ana.Lang); !strings.Contains(said, "the e-mail may or may not have gone out") || !strings.Contains(said, "send again only if it did not") {
				t.Errorf("%s: it says %q", name, said)
			}
			if finished, err := h.Recover(t.Context()); finished != 0 || err != nil {
				t.Errorf("%s: a sweep finishes %d, %v", name, finished, err)
			}
		}
		arrived := 0
		if fault.DropAfter || fault.Body != "" {
			arrived = 1
		}
		if calls := h.bank.Calls(portal.ProcessESISEmail); calls != 1 || len(h.bank.Sent()) != arrived {
			t.Errorf("%s: %d calls, %d e-mails", name, calls, len(h.bank.Sent()))
		}
	}
}

func TestAnEMailWhoseSenderDiedIsNotSentByAnybodyElse(t *testing.T) {
	for moment, arrived := range map[string]int{beforeSending: 0, beforeRecording: 1} {
		t.Run(moment, func(t *testing.T) {
			b := openBranches(t)
			b.perish(t, moment, mail)
			h := b.replica(t, hurried)
			h.sweepUp(t)
			if trail := fmt.Sprint(h.trail.entries); !strings.Contains(trail, `"outcome":"unclear"`) {
				t.Errorf("the trail says %s", trail)
			}
			if _, failure := h.do(t, mail); failure == nil || failure.Kind != tools.Unclear || failure.RetryAfter != 0 {
				t.Errorf("got %v", failure)
			}
			if len(h.bank.Sent()) != arrived {
				t.Errorf("%d e-mails went out", len(h.bank.Sent()))
			}
		})
	}
}
