package tools_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"testing"
	"testing/fstest"
	"time"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/validation"
)

// unverifiable is the input of a tool whose effect cannot be seen at the bank.
type unverifiable struct {
	Process tools.ProcessRef `json:"process" page:"process" validate:"required"`
}

type nothing struct{}

func (nothing) Card(tools.Say) tools.Card { return tools.Card{} }

func (nothing) Subject() tools.Subject { return tools.Subject{} }

// defineUnverifiable defines a tool that deletes a borrower and cannot tell whether it did.
func defineUnverifiable(t *testing.T) (*tools.Tool, *tools.Catalogue) {
	t.Helper()
	tool := tools.Define(tools.Spec{Name: "unverifiable", Effect: tools.Creates}, func(ctx context.Context, call *tools.Call, _ unverifiable) (nothing, error) {
		_, err := call.Bank.DeleteBorrower(ctx, sandbox.SampleProcess(sandbox.SampleCouple), sandbox.SampleBorrower(sandbox.SampleCouple, 1))
		return nothing{}, err
	})
	files := fstest.MapFS{"words/en.toml": {}, "words/pt-PT.toml": {}}
	catalogue, err := tools.NewCatalogue(tools.NewToolset("test", files, tool))
	if err != nil {
		t.Fatal(err)
	}
	return tool, catalogue
}

// unverifiableRunner runs it. Calls that nobody holds are found once the store's call is over.
func unverifiableRunner(t *testing.T, bank *sandbox.Bank, catalogue *tools.Catalogue, journal func(tools.Journal) tools.Journal) *tools.Runner {
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
	return tools.NewRunner(tools.Config{
		Catalogue: catalogue,
		Bank:      client, Checks: validation.New(validation.Options{}), Journal: journal(store), AuditLog: store, Fingerprint: secrets.Fingerprint,
		People:      tools.Team{"": {Login: portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[0]}}},
		CallTimeout: 10 * time.Second,
	})
}

// delete1043 is one click.
func delete1043(tool *tools.Tool) tools.Request {
	return tools.Request{Tool: tool, Actor: tools.Actor{ID: "ana", Lang: words.English}, Key: "a click", Args: json.RawMessage(`{"process":"1043"}`)}
}

func TestWhatCannotBeSeenAtTheBankIsNeverRepeated(t *testing.T) {
	tool, catalogue := defineUnverifiable(t)
	bank := sandbox.New(sandbox.Config{})
	r := unverifiableRunner(t, bank, catalogue, func(journal tools.Journal) tools.Journal { return journal })
	bank.Inject(sandbox.Fault{Operation: portal.BorrowerDelete, DropBefore: true, Times: 1})
	for range 2 {
		_, err := r.Run(t.Context(), delete1043(tool))
		if failure := tools.AsError(err); failure.Kind != tools.Unclear || failure.RetryAfter != 0 {
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
type unfinished struct{ tools.Journal }

func (u unfinished) Begin(ctx context.Context, key string, intent []byte, _ time.Duration) ([]byte, bool, error) {
	return u.Journal.Begin(ctx, key, intent, time.Millisecond)
}

func (unfinished) Finish(context.Context, string, int64, []byte) error { panic("killed") }

func TestWhatCannotBeSeenAtTheBankStaysUnclearWhenItsMakerDies(t *testing.T) {
	tool, catalogue := defineUnverifiable(t)
	bank := sandbox.New(sandbox.Config{})
	var journal tools.Journal
	r := unverifiableRunner(t, bank, catalogue, func(j tools.Journal) tools.Journal { journal = j; return unfinished{j} })
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
	if _, err := r.Run(t.Context(), delete1043(tool)); tools.AsError(err).Kind != tools.Unclear {
		t.Errorf("got %v", err)
	}
	if calls := bank.Calls(portal.BorrowerDelete); calls != 1 {
		t.Errorf("the bank was called %d times", calls)
	}
}
