package sandbox_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
)

// user is the first user of broker A behind the real client.
func (d *harness) user(t *testing.T) *portal.User {
	t.Helper()
	client, err := portal.New(portal.Config{BaseURL: d.url, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client.As(portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[0]}, "en")
}

func vera() portal.BorrowerRequest {
	gender := int32(1)
	return portal.BorrowerRequest{
		BorrowerTypeID: 2,
		Personal: &portal.PersonalDataRequest{
			Name: pii.New[pii.Name]("Vera Exemplar"), BirthDate: pii.New[pii.BirthDate]("1990-05-01"), TaxID: pii.New[pii.TaxID]("299999998"),
			Mobile: pii.New[pii.Phone]("+351912345678"), Email: pii.New[pii.Email]("vera@example.com"), GenderID: &gender,
		},
		Financial: &portal.FinancialDataRequest{IncomeWagesPensions: pii.Euros(decimal.RequireFromString("1200.50"))},
	}
}

func TestTheRealClientDoesEverythingAgainstTheSandbox(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	user, ctx := d.user(t), t.Context()

	page, err := user.ListProcesses(ctx, portal.ProcessQuery{Text: pii.New[pii.Name]("1042")})
	if err != nil || len(page.Processes) != 1 || page.Processes[0].KeyBorrowerName.Reveal() != "Maria Exemplo" {
		t.Fatalf("%+v, %v", page, err)
	}
	process := page.Processes[0].ProcessUniqueID
	detail, err := user.Process(ctx, process)
	if err != nil || detail.ProcessNumber != sandbox.SampleOpen || *detail.LoanDurationMonths != 120 {
		t.Errorf("%+v, %v", detail, err)
	}
	created, err := user.CreateBorrower(ctx, process, vera())
	if err != nil {
		t.Fatal(err)
	}
	list, err := user.ListBorrowers(ctx, process)
	if err != nil || len(list) != 2 || list[1].BorrowerTypeDescription != "Borrower" {
		t.Errorf("%+v, %v", list, err)
	}
	ids := d.Borrowers(process)
	back, err := user.Borrower(ctx, process, ids[1])
	if err != nil || back.Personal.Name.Reveal() != "Vera Exemplar" || back.Personal.GenderDescription != "Female" || created.BorrowerUniqueID != ids[1] {
		t.Errorf("%+v, %v", back, err)
	}
	sheet, err := user.ProcessESIS(ctx, process, portal.ESISOptions{})
	if err != nil || !bytes.HasPrefix(sheet.Head(), []byte("%PDF-")) {
		t.Errorf("%d bytes, %v", sheet.Size(), err)
	}
	for _, key := range portal.Taxonomies() {
		if items, err := user.Taxonomy(ctx, key); err != nil || len(items) == 0 {
			t.Errorf("%s: %d items, %v", key, len(items), err)
		}
	}
	if d.Logins() != 2 { // the test's own, and the client's
		t.Errorf("%d logins", d.Logins())
	}
}

func TestTheRealClientReportsTheKindOfEachFault(t *testing.T) {
	process := sandbox.SampleProcess(sandbox.SampleOpen)
	create := func(u *portal.User) error {
		_, err := u.CreateBorrower(context.Background(), process, vera())
		return err
	}
	list := func(u *portal.User) error {
		_, err := u.ListBorrowers(context.Background(), process)
		return err
	}
	for name, c := range map[string]struct {
		fault     sandbox.Fault
		do        func(*portal.User) error
		kind      portal.Kind // "" for success
		borrowers int
	}{
		"a read is tried again":             {sandbox.Fault{Operation: portal.BorrowerList, Times: 1, Status: 503}, list, "", 1},
		"a session that ended is renewed":   {sandbox.Fault{Operation: portal.BorrowerCreate, Times: 1, ExpireSession: true}, create, "", 2},
		"a write that was dropped after":    {sandbox.Fault{Operation: portal.BorrowerCreate, Times: 1, DropAfter: true}, create, portal.Unclear, 2},
		"a write that was dropped before":   {sandbox.Fault{Operation: portal.BorrowerCreate, Times: 1, DropBefore: true}, create, portal.Unclear, 1},
		"a write answered by nobody's page": {sandbox.Fault{Operation: portal.BorrowerCreate, Times: 1, Status: 502, Body: sandbox.HTML}, create, portal.Unclear, 1},
		"a write that came too soon":        {sandbox.Fault{Operation: portal.BorrowerCreate, Times: 1, Status: 429, RetryAfter: time.Second}, create, portal.TooMany, 1},
	} {
		t.Run(name, func(t *testing.T) {
			d := newHarness(t, sandbox.Config{})
			user := d.user(t)
			if err := list(user); err != nil {
				t.Fatal(err)
			}
			d.Inject(c.fault)
			err := c.do(user)
			if got := portal.KindOf(err); got != c.kind || (err == nil) != (c.kind == "") {
				t.Errorf("%v, want %q", err, c.kind)
			}
			if got := len(d.Borrowers(process)); got != c.borrowers {
				t.Errorf("%d borrowers, want %d", got, c.borrowers)
			}
		})
	}
}

func TestTheRealClientUnderstandsEveryEnvelope(t *testing.T) {
	for envelope, file := range errorShapes {
		if envelope == profile.XMLShape {
			continue
		}
		d := newHarness(t, withProfile(t, file))
		_, err := d.user(t).Process(t.Context(), uuid.New())
		failure, ok := err.(*portal.Error)
		if !ok || failure.Kind != portal.Refused || len(failure.Messages) != 1 || failure.Messages[0].Text != "The process does not exist or does not belong to the broker." {
			t.Errorf("shape %s: %v %+v", envelope, err, failure)
		}
	}
}

func Example() {
	bank := sandbox.New(sandbox.Config{})
	server := httptest.NewServer(http.StripPrefix("/bank", bank))
	defer server.Close()

	client, err := portal.New(portal.Config{
		BaseURL:  server.URL + "/bank",
		ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ana := client.As(portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[0]}, "en")

	borrowers, err := ana.ListBorrowers(context.Background(), sandbox.SampleProcess(sandbox.SampleCouple))
	if err != nil {
		log.Fatal(err)
	}
	for _, b := range borrowers {
		fmt.Println(b.BorrowerTypeID, b.BorrowerTypeDescription)
	}
	// Output:
	// 1 KeyBorrower
	// 2 Borrower
}

func TestAProcessMayBeHiddenFromOneUserOfItsBroker(t *testing.T) {
	bank := sandbox.New(sandbox.Config{})
	server := httptest.NewServer(bank)
	t.Cleanup(server.Close)
	client, err := portal.New(portal.Config{BaseURL: server.URL, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	hidden := sandbox.SampleProcess(sandbox.SampleCouple)
	bank.Hide(sandbox.BrokerA.Users[1], hidden)
	for i, want := range []bool{true, false} {
		user := client.As(portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[i]}, "en")
		_, err := user.Process(t.Context(), hidden)
		page, listing := user.ListProcesses(t.Context(), portal.ProcessQuery{Text: pii.New[pii.Name]("1043")})
		if listing != nil || (err == nil) != want || (len(page.Processes) == 1) != want || !want && portal.KindOf(err) != portal.Refused {
			t.Errorf("%s sees it: %v, and %d in the list (%v)", sandbox.BrokerA.Users[i], err, len(page.Processes), listing)
		}
	}
	bank.Hide(sandbox.BrokerA.Users[1])
	if _, err := client.As(portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[1]}, "en").Process(t.Context(), hidden); err != nil {
		t.Error(err)
	}
}
