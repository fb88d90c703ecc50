package tools_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/tools/catalogue"

	"go.uber.org/goleak"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
	"github.com/balcao/balcao/validation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lease is how long a call may take in these stories, and how long others wait before they take it over.
const heldCall = 2 * time.Second

// branches are several replicas that share a bank and a real Redis. The bank does not notice who is sent twice.
type branches struct {
	bank  *sandbox.Bank
	url   string // of the bank
	redis string
	keys  *keys.Keys
}

func openBranches(t *testing.T) branches {
	t.Helper()
	t.Parallel() // each waits for leases to be over
	bank := sandbox.New(sandbox.Config{LenientTaxIDs: true})
	server := httptest.NewServer(bank)
	t.Cleanup(server.Close)
	keys, err := keys.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	return branches{bank, server.URL, redistest.Start(t), keys}
}

func (b branches) replica(t *testing.T, change ...func(*tools.Config)) house {
	t.Helper()
	client, err := portal.New(portal.Config{
		BaseURL: b.url, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret,
		AttemptTimeout: 5 * heldCall, TotalTimeout: 5 * heldCall, ReadAttempts: 1, // the machine may be busy
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	store, err := conversations.Open(t.Context(), b.redis, b.keys, conversations.WithLives(conversations.Lives{Call: time.Second}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	trail := &trail{}
	config := tools.Config{
		Catalogue: catalogue.New(), Bank: client, Checks: validation.New(validation.Options{}), Journal: store, AuditLog: trail, Fingerprint: b.keys.Fingerprint, Sealer: b.keys, Claims: store, CallTimeout: heldCall,
		People: tools.Team{
			"ana":   {Login: portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[0]}},
			"bruno": {Login: portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[0]}},
		},
	}
	for _, c := range change {
		c(&config)
	}
	return house{tools.NewRunner(config), b.bank, trail, tools.Actor{ID: "ana", Lang: words.English}}
}

// click runs the same call under the same key, as a second click or another assistant's retry does.
func (h house) click(t *testing.T) (tools.Result, *tools.Error) {
	t.Helper()
	return h.run(t, "create_borrower", rui(nil), func(r *tools.Request) { r.Key = "a click" })
}

// insist clicks until the call is no longer under way or unclear.
func (h house) insist(t *testing.T) (result tools.Result) {
	t.Helper()
	eventually(t, "the call has an answer", func() bool {
		var failure *tools.Error
		if result, failure = h.click(t); failure != nil && failure.Kind != tools.Busy && failure.Kind != tools.Unclear {
			t.Fatal(failure)
		}
		return failure == nil
	})
	return result
}

// sweep recovers until one call is finished.
func (h house) sweep(t *testing.T) {
	t.Helper()
	eventually(t, "a call is swept up", func() bool {
		finished, err := h.Recover(t.Context())
		if err != nil || finished > 1 {
			t.Fatalf("%d finished, %v", finished, err)
		}
		return finished == 1
	})
}

func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(20 * time.Second); !yes(); {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// wantOnce wants one borrower more than the one of the sample, after so many calls.
func (b branches) wantOnce(t *testing.T, result tools.Result, calls int) {
	t.Helper()
	there := b.bank.Borrowers(sandbox.SampleProcess(1042))
	created, _ := result.Output.(borrowers.BorrowerCreated)
	if len(there) != 2 || there[1] != created.Borrower || b.bank.Calls(portal.BorrowerCreate) != calls {
		t.Errorf("the bank holds %v after %d calls, the answer is %v", there, b.bank.Calls(portal.BorrowerCreate), created.Borrower)
	}
}

// mortal is the journal of a replica that is killed at a certain moment.
type mortal struct {
	tools.Journal
	moment string
}

const (
	beforeSending   = "it has begun the call and not sent it"
	beforeRecording = "it has the bank's answer and not recorded it"
)

func (m mortal) Begin(ctx context.Context, key string, intent []byte, lease time.Duration) (prior []byte, first bool, err error) {
	prior, first, err = m.Journal.Begin(ctx, key, intent, lease)
	if m.moment == beforeSending {
		panic("killed")
	}
	return prior, first, err
}

func (m mortal) Finish(context.Context, string, int64, []byte) error { panic("killed") }

// die lets a replica be killed while it makes the call.
func (b branches) die(t *testing.T, moment string) {
	t.Helper()
	b.dieWith(t, moment, "a click", func(*tools.Config) {})
}

func (b branches) dieWith(t *testing.T, moment, key string, change func(*tools.Config)) {
	t.Helper()
	victim := b.replica(t, change, func(c *tools.Config) { c.Journal = mortal{c.Journal, moment} })
	defer func() {
		if recover() == nil {
			t.Error("the replica lives on")
		}
	}()
	victim.run(t, "create_borrower", rui(nil), keyed(key))
}

// moments are when a maker may die, with the calls that the bank sees in all until the borrower is there.
var moments = map[string]int{beforeSending: 1, beforeRecording: 1}

func TestACallWhoseMakerDiedIsFinishedByWhoRepeatsIt(t *testing.T) {
	for moment, calls := range moments {
		t.Run(moment, func(t *testing.T) {
			b := openBranches(t)
			b.die(t, moment)
			h := b.replica(t)
			if _, failure := h.click(t); failure == nil || failure.Kind != tools.Busy || failure.RetryAfter <= 0 {
				t.Errorf("while its maker may live, got %v", failure)
			}
			b.wantOnce(t, h.insist(t), calls)
		})
	}
}

func TestACallWhoseMakerDiedIsFinishedThoughNobodyAsksForIt(t *testing.T) {
	for moment, calls := range moments {
		t.Run(moment, func(t *testing.T) {
			b := openBranches(t)
			b.die(t, moment)
			h := b.replica(t)
			h.sweep(t)
			if trail := strings.Join(h.trail.entries, "\n"); !strings.Contains(trail, `"actor":"ana"`) || !strings.Contains(trail, `"outcome":"done"`) {
				t.Errorf("the trail says %s", trail)
			}
			result, failure := h.click(t)
			if failure != nil {
				t.Fatal(failure)
			}
			b.wantOnce(t, result, calls)
			if finished, err := h.Recover(t.Context()); finished != 0 || err != nil {
				t.Errorf("swept again: %d, %v", finished, err)
			}
		})
	}
}

func TestOfManyReplicasThatSweepOneFinishesACall(t *testing.T) {
	b := openBranches(t)
	b.die(t, beforeSending)
	replicas := []house{b.replica(t), b.replica(t), b.replica(t)}
	finished := 0
	eventually(t, "it is finished", func() bool {
		var mu sync.Mutex
		var group sync.WaitGroup
		for _, h := range replicas {
			group.Go(func() {
				n, _ := h.Recover(t.Context()) // who comes second may say that the call stays open
				mu.Lock()
				defer mu.Unlock()
				finished += n
			})
		}
		group.Wait()
		return finished > 0
	})
	if finished != 1 {
		t.Errorf("finished %d times", finished)
	}
	b.wantOnce(t, replicas[0].insist(t), 1)
}

func TestWhatGotLostOnTheWayIsSentAgainOnceItCannotArriveAnyMore(t *testing.T) {
	b := openBranches(t)
	h := b.replica(t, func(c *tools.Config) { c.CallTimeout = 3 * heldCall }) // time for three looks on a busy machine
	b.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, DropBefore: true, Times: 1})
	for range 2 {
		if _, failure := h.click(t); failure == nil || failure.Kind != tools.Unclear || failure.RetryAfter <= 0 {
			t.Errorf("while it may arrive, got %v", failure)
		}
	}
	if finished, err := h.Recover(t.Context()); finished != 0 || err != nil || b.bank.Calls(portal.BorrowerCreate) != 1 {
		t.Errorf("while it may arrive, a sweep finishes %d, %v", finished, err)
	}
	h.sweep(t)
	b.wantOnce(t, h.insist(t), 2)
}

func TestWhatTookHoldIsFoundByTheNextWhoAsksThoughTheBankWasDownWhenItsMakerLooked(t *testing.T) {
	b := openBranches(t)
	h := b.replica(t)
	b.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, DropAfter: true, Times: 1})
	var remove func()
	down := b.replica(t, func(c *tools.Config) {
		c.Journal = begun{c.Journal, func() { remove = b.bank.Inject(sandbox.Fault{Operation: portal.BorrowerList, Status: 503}) }}
	})
	if _, failure := down.click(t); failure == nil || failure.Kind != tools.Unclear {
		t.Fatalf("got %v", failure)
	}
	remove()
	result, failure := h.click(t)
	if failure != nil {
		t.Fatal(failure)
	}
	b.wantOnce(t, result, 1)
}

// begun is a journal after whose Begin something happens.
type begun struct {
	tools.Journal
	then func()
}

func (b begun) Begin(ctx context.Context, key string, intent []byte, lease time.Duration) ([]byte, bool, error) {
	defer b.then()
	return b.Journal.Begin(ctx, key, intent, lease)
}

// slow is the journal of a replica that stands still before it records.
type slow struct {
	tools.Journal
	until <-chan struct{}
	err   *error
}

func (s slow) Finish(ctx context.Context, key string, token int64, outcome []byte) error {
	<-s.until
	*s.err = s.Journal.Finish(context.WithoutCancel(ctx), key, token, outcome)
	return *s.err
}

func TestAMakerThatStoodStillRecordsNothingOverWhatOthersDid(t *testing.T) {
	b := openBranches(t)
	wake := make(chan struct{})
	var recorded error
	sleeper := b.replica(t, func(c *tools.Config) { c.Journal = slow{c.Journal, wake, &recorded} })
	var late tools.Result
	var group sync.WaitGroup
	group.Go(func() { late, _ = sleeper.click(t) })
	h := b.replica(t)
	eventually(t, "the call was sent", func() bool { return len(b.bank.Borrowers(sandbox.SampleProcess(1042))) == 2 })
	result := h.insist(t)
	close(wake)
	group.Wait()
	if !errors.Is(recorded, conversations.ErrConflict) || late.Output != result.Output {
		t.Errorf("it recorded with %v, and answered %v", recorded, late.Output)
	}
	b.wantOnce(t, h.insist(t), 1)
}

func TestThirtyClicksOnThreeReplicasAreOneBorrower(t *testing.T) {
	b := openBranches(t)
	patient := func(c *tools.Config) { c.CallTimeout = 10 * heldCall }
	replicas := []house{b.replica(t, patient), b.replica(t, patient), b.replica(t, patient)}
	var mu sync.Mutex
	said := map[string]int{}
	var group sync.WaitGroup
	for i := range 30 {
		group.Go(func() {
			result, failure := replicas[i%3].click(t)
			mu.Lock()
			defer mu.Unlock()
			if failure != nil {
				said[string(failure.Kind)]++
			} else {
				said[fmt.Sprint(result.Output.(borrowers.BorrowerCreated).Borrower)]++
			}
		})
	}
	group.Wait()
	result := replicas[0].insist(t)
	b.wantOnce(t, result, 1)
	if one := said[fmt.Sprint(result.Output.(borrowers.BorrowerCreated).Borrower)]; one == 0 || one+said["busy"] != 30 {
		t.Errorf("got %v", said)
	}
}

func TestWhoMayNoLongerActIsNotActedFor(t *testing.T) {
	for name, change := range map[string]func(*tools.Config){
		"left the team":   func(c *tools.Config) { c.People = tools.Team{} },
		"may only read":   func(c *tools.Config) { c.People = tools.Team{"ana": {ReadOnly: true}} },
		"asked too early": func(c *tools.Config) { c.Now = func() time.Time { return time.Now().Add(25 * time.Hour) } },
	} {
		t.Run(name, func(t *testing.T) {
			b := openBranches(t)
			b.die(t, beforeSending)
			h := b.replica(t, change)
			h.sweep(t)
			if calls := b.bank.Calls(portal.BorrowerCreate); calls != 0 || !strings.Contains(h.trail.entries[0], `"outcome":"unclear"`) {
				t.Errorf("%d calls; the trail says %s", calls, h.trail.entries)
			}
			if _, failure := b.replica(t).click(t); failure == nil || failure.Kind != tools.Unclear || b.bank.Calls(portal.BorrowerCreate) != 0 {
				t.Errorf("back again, she is told %v", failure)
			}
		})
	}
}

func TestACallStaysOpenWhileTheBankIsDownAndIsFinishedWhenItIsBack(t *testing.T) {
	for name, c := range map[string]struct {
		fault sandbox.Fault
		calls int
	}{
		"when it is looked at":   {sandbox.Fault{Operation: portal.BorrowerList, Status: 503}, 1},
		"and talks nonsense":     {sandbox.Fault{Operation: portal.BorrowerList, Body: sandbox.Garbage}, 1},
		"when it is made anew":   {sandbox.Fault{Operation: portal.BorrowerCreate, Status: 429, Times: 1}, 2},
		"and nobody may come in": {sandbox.Fault{Operation: portal.Authenticate, Status: 503}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := openBranches(t)
			b.die(t, beforeSending)
			h := b.replica(t)
			remove := b.bank.Inject(c.fault)
			eventually(t, "a sweep fails", func() bool {
				finished, err := h.Recover(t.Context())
				return finished == 0 && err != nil && strings.Contains(err.Error(), "stays open")
			})
			remove()
			eventually(t, "it is finished", func() bool { finished, _ := h.Recover(t.Context()); return finished == 1 })
			b.wantOnce(t, h.insist(t), c.calls)
		})
	}
}

// broken is a journal of which a part fails.
type broken struct {
	tools.Journal
	look, begin error
}

func (b broken) Look(ctx context.Context, key string) ([]byte, int64, time.Duration, error) {
	if b.look != nil {
		return nil, 0, 0, b.look
	}
	return b.Journal.Look(ctx, key)
}

func (b broken) Begin(ctx context.Context, key string, intent []byte, lease time.Duration) ([]byte, bool, error) {
	if b.begin != nil {
		return nil, false, b.begin
	}
	return b.Journal.Begin(ctx, key, intent, lease)
}

func TestWhatCannotBeJournalledIsNotSent(t *testing.T) {
	lost := errors.New("no Redis")
	for want, journal := range map[tools.ErrorKind]broken{tools.Unavailable: {look: lost}, tools.Unclear: {begin: lost}} {
		h := open(t, func(c *tools.Config) { journal.Journal = c.Journal; c.Journal = journal })
		if _, failure := h.click(t); failure == nil || failure.Kind != want || h.bank.Calls(portal.BorrowerCreate) != 0 {
			t.Errorf("got %v after %d calls, want %s", failure, h.bank.Calls(portal.BorrowerCreate), want)
		}
	}
}

func TestWhatIsNotAcceptedIsNotJournalled(t *testing.T) {
	var intents []string
	h := open(t, func(c *tools.Config) { c.Journal = begun{c.Journal, func() { intents = append(intents, "one") }} })
	h.run(t, "create_borrower", rui(map[string]string{"taxId": `"299999990"`}))
	h.run(t, "create_borrower", rui(map[string]string{"process": `"1051"`}))
	if !slices.Equal(intents, nil) {
		t.Errorf("%d were begun", len(intents))
	}
	if _, failure := h.click(t); failure != nil || len(intents) != 1 {
		t.Errorf("%d were begun, %v", len(intents), failure)
	}
}
