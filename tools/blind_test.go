package tools

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/validation"
)

// blind is the input of a tool whose effect cannot be seen at the bank.
type blind struct {
	Process ProcessRef `json:"process" page:"process" validate:"required"`
}

type nothing struct {
	Process uuid.UUID `json:"process"`
}

func (nothing) Card(Say) Card { return Card{} }

// defineBlind defines a tool for one test, which deletes a borrower and cannot tell.
func defineBlind(t *testing.T) *Tool {
	t.Helper()
	before := catalogue
	t.Cleanup(func() { catalogue = before })
	return Define(Spec{Name: "blind", Command: "blind", Toolset: Borrowers, Effect: Creates}, func(ctx context.Context, call *Call, _ blind) (nothing, error) {
		_, err := call.Bank.DeleteBorrower(ctx, sandbox.SampleProcess(sandbox.SampleCouple), sandbox.SampleBorrower(sandbox.SampleCouple, 1))
		return nothing{}, err
	})
}

// blindRunner runs it. Calls that nobody holds are found once the store's call is over.
func blindRunner(t *testing.T, bank *sandbox.Bank, journal func(Journal) Journal) *Runner {
	t.Helper()
	server := httptest.NewServer(bank)
	t.Cleanup(server.Close)
	client, err := portal.New(portal.Config{BaseURL: server.URL, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	secrets, err := keys.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	store, err := conversations.Open(t.Context(), "memory", secrets, conversations.WithLives(conversations.Lives{Call: time.Second}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return NewRunner(Config{
		Bank: client, Checks: validation.New(validation.Options{}), Journal: journal(store), AuditLog: store, Fingerprint: secrets.Fingerprint,
		People:      Team{"": {Login: portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[0]}}},
		CallTimeout: 10 * time.Second,
	})
}

// delete1043 is one click.
func delete1043(tool *Tool) Request {
	return Request{Tool: tool, Actor: Actor{ID: "ana", Lang: words.English}, Key: "a click", Args: json.RawMessage(`{"process":"1043"}`)}
}

func TestWhatCannotBeSeenAtTheBankIsNeverRepeated(t *testing.T) {
	tool, bank := defineBlind(t), sandbox.New(sandbox.Config{})
	r := blindRunner(t, bank, func(journal Journal) Journal { return journal })
	bank.Inject(sandbox.Fault{Operation: portal.BorrowerDelete, DropBefore: true, Times: 1})
	for range 2 {
		_, err := r.Run(t.Context(), delete1043(tool))
		if failure := AsError(err); failure.Kind != Unclear || failure.RetryAfter != 0 {
			t.Errorf("got %v, to try again after %s", failure, failure.RetryAfter)
		}
	}
	if abandoned, err := r.Journal.Orphaned(t.Context(), 10); len(abandoned) != 0 || err != nil {
		t.Errorf("%d calls are open, %v", len(abandoned), err)
	}
	if calls := bank.Calls(portal.BorrowerDelete); calls != 1 {
		t.Errorf("the bank was called %d times", calls)
	}
}

// unfinished is the journal of a replica that dies before it records, when its lease is over.
type unfinished struct{ Journal }

func (u unfinished) Begin(ctx context.Context, key string, intent []byte, _ time.Duration) ([]byte, bool, error) {
	return u.Journal.Begin(ctx, key, intent, time.Millisecond)
}

func (unfinished) Finish(context.Context, string, int64, []byte) error { panic("killed") }

func TestWhatCannotBeSeenAtTheBankStaysUnclearWhenItsMakerDies(t *testing.T) {
	tool, bank := defineBlind(t), sandbox.New(sandbox.Config{})
	var journal Journal
	r := blindRunner(t, bank, func(j Journal) Journal { journal = j; return unfinished{j} })
	func() {
		defer func() { _ = recover() }()
		_, _ = r.Run(t.Context(), delete1043(tool))
	}()
	r.Journal = journal
	deadline := time.Now().Add(30 * time.Second)
	for {
		finished, err := r.Recover(t.Context()) // on a busy machine the store may fail once
		if finished == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d finished, %v", finished, err)
		}
		<-time.After(20 * time.Millisecond)
	}
	if _, err := r.Run(t.Context(), delete1043(tool)); AsError(err).Kind != Unclear {
		t.Errorf("got %v", err)
	}
	if calls := bank.Calls(portal.BorrowerDelete); calls != 1 {
		t.Errorf("the bank was called %d times", calls)
	}
}
