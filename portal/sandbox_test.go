package portal_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// sandboxUser serves the sandbox and returns it with a user of its first broker.
func sandboxUser(t *testing.T) (*sandbox.Bank, *portal.User) {
	bank := sandbox.New(sandbox.Config{})
	server := httptest.NewServer(bank)
	t.Cleanup(server.Close)
	login := portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[0]}
	return bank, as(t, portal.Config{
		BaseURL: server.URL, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret,
		Transport: &http.Transport{}, AttemptTimeout: 5 * time.Second,
	}, login)
}

// rui is a person that the bank does not know yet.
func rui() portal.BorrowerRequest {
	gender, relation := int32(2), int32(1)
	return portal.BorrowerRequest{
		BorrowerTypeID: 2, KeyBorrowerRelationID: &relation,
		Personal: &portal.PersonalDataRequest{
			Name: pii.New[pii.Name]("Rui Exemplo"), BirthDate: pii.New[pii.BirthDate]("1990-04-12"), TaxID: pii.New[pii.TaxID]("123456789"),
			Mobile: pii.New[pii.Phone]("912345678"), Email: pii.New[pii.Email]("rui@example.com"), GenderID: &gender,
		},
		Financial: &portal.FinancialDataRequest{HasSocialSecurityDebt: pii.No()},
	}
}

func TestABorrowerGoesAllTheWayToTheBankAndBack(t *testing.T) {
	bank, user := sandboxUser(t)
	page, err := user.ListProcesses(t.Context(), portal.ProcessQuery{Limit: 50})
	if err != nil || len(page.Processes) == 0 || page.TotalRecords < len(page.Processes) {
		t.Fatalf("got %+v, %v", page, err)
	}
	open := sandbox.SampleProcess(sandbox.SampleOpen)
	if detail, err := user.Process(t.Context(), open); err != nil || detail.ProcessNumber != sandbox.SampleOpen || detail.CreationDate.IsZero() {
		t.Errorf("got %+v, %v", detail, err)
	}
	bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Times: 1, ExpireSession: true})
	created, err := user.CreateBorrower(t.Context(), open, rui())
	if err != nil {
		t.Fatal(err)
	}
	got, err := user.Borrower(t.Context(), open, created.BorrowerUniqueID)
	if err != nil || got.Personal == nil || got.Personal.TaxID.Reveal() != "123456789" {
		t.Errorf("got %+v, %v", got, err)
	}
	if esis, err := user.ProcessESIS(t.Context(), open, portal.ESISOptions{}); err != nil || esis.Size() == 0 {
		t.Errorf("got %v, %v", esis, err)
	}
	for _, key := range portal.Taxonomies() {
		if items, err := user.Taxonomy(t.Context(), key); err != nil || len(items) == 0 {
			t.Errorf("%s: got %d items, %v", key, len(items), err)
		}
	}
}

func TestWhetherAnUnclearWriteTookHoldIsFoundByLooking(t *testing.T) {
	for name, c := range map[string]struct {
		fault sandbox.Fault
		added int
	}{
		"cut before":   {sandbox.Fault{DropBefore: true}, 0},
		"cut after":    {sandbox.Fault{DropAfter: true}, 1},
		"failed":       {sandbox.Fault{Status: 502}, 0},
		"cut short":    {sandbox.Fault{Body: sandbox.Truncated}, 1},
		"HTML instead": {sandbox.Fault{Body: sandbox.HTML}, 1},
		"no JSON":      {sandbox.Fault{Body: sandbox.Garbage}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			bank, user := sandboxUser(t)
			open := sandbox.SampleProcess(sandbox.SampleOpen)
			before, err := user.ListBorrowers(t.Context(), open)
			if err != nil {
				t.Fatal(err)
			}
			c.fault.Operation, c.fault.Times = portal.BorrowerCreate, 1
			bank.Inject(c.fault)
			_, err = user.CreateBorrower(t.Context(), open, rui())
			wantKind(t, err, portal.Unclear)
			after, err := user.ListBorrowers(t.Context(), open)
			if err != nil || len(after)-len(before) != c.added || bank.Calls(portal.BorrowerCreate) != 1 {
				t.Errorf("%d borrowers were added in %d calls, %v", len(after)-len(before), bank.Calls(portal.BorrowerCreate), err)
			}
		})
	}
}

func TestTheSandboxRefusesWithMessages(t *testing.T) {
	_, user := sandboxUser(t)
	_, err := user.CreateBorrower(t.Context(), sandbox.SampleProcess(sandbox.SampleOpen), portal.BorrowerRequest{BorrowerTypeID: 2})
	wantRefusal(t, err)
	_, err = user.ListBorrowers(t.Context(), sandbox.SampleProcess(sandbox.SampleOthers))
	wantRefusal(t, err)
	_, err = user.ProcessESIS(t.Context(), sandbox.SampleProcess(sandbox.SampleTooOld), portal.ESISOptions{})
	wantRefusal(t, err)
}

func TestAnOutageOfTheBankLeavesNothingHalfDone(t *testing.T) {
	bank := sandbox.New(sandbox.Config{})
	server := httptest.NewServer(bank)
	t.Cleanup(server.Close)
	user := as(t, portal.Config{
		BaseURL: server.URL, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret,
		Transport: &http.Transport{}, MaxPause: time.Millisecond, TripAfter: 4, OpenFor: 200 * time.Millisecond,
	}, portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[0]})
	open := sandbox.SampleProcess(sandbox.SampleOpen)
	if _, err := user.ListBorrowers(t.Context(), open); err != nil {
		t.Fatal(err)
	}

	repair := bank.Inject(sandbox.Fault{Status: http.StatusServiceUnavailable})
	_, err := user.ListBorrowers(t.Context(), open) // tried four times
	wantKind(t, err, portal.Unavailable)
	_, err = user.CreateBorrower(t.Context(), open, rui())
	wantNotSent(t, err, portal.Unavailable, time.Millisecond, time.Second) // and not unclear: it was not sent
	if bank.Calls(portal.BorrowerCreate) != 0 {
		t.Error("a bank that is down was asked to create a borrower")
	}

	repair()
	for deadline := time.Now().Add(10 * time.Second); ; {
		_, err := user.CreateBorrower(t.Context(), open, rui())
		if err == nil {
			break
		}
		wantKind(t, err, portal.Unavailable)
		if time.Now().After(deadline) {
			t.Fatal("the bank is back, and the client has not noticed")
		}
	}
	if got := len(bank.Borrowers(open)); got != 2 || bank.Calls(portal.BorrowerCreate) != 1 {
		t.Errorf("%d borrowers after %d calls", got, bank.Calls(portal.BorrowerCreate))
	}
}
