package portal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

var borrower = uuid.MustParse("b3d9f6a1-2c34-4e9f-9f5a-1d2e3f4a5b6c")

// writes are the calls that change something and give nothing back but a status.
var writes = []struct {
	op   portal.OperationID
	call func(*testing.T, *portal.User) (portal.OperationStatus, error)
}{
	{portal.BorrowerUpdate, func(t *testing.T, u *portal.User) (portal.OperationStatus, error) {
		return u.UpdateBorrower(t.Context(), process, borrower, rui())
	}},
	{portal.BorrowerDelete, func(t *testing.T, u *portal.User) (portal.OperationStatus, error) {
		return u.DeleteBorrower(t.Context(), process, borrower)
	}},
	{portal.ProcessESISEmail, func(t *testing.T, u *portal.User) (portal.OperationStatus, error) {
		return u.EmailProcessESIS(t.Context(), process, portal.ESISEmail{To: pii.New[pii.Email]("maria+casa@example.com")})
	}},
	{portal.ProcessUpdate, func(t *testing.T, u *portal.User) (portal.OperationStatus, error) {
		months := int32(360)
		return u.UpdateProcess(t.Context(), process, portal.ProcessUpdateRequest{LoanDurationMonths: &months})
	}},
	{portal.ProcessSubmit, func(t *testing.T, u *portal.User) (portal.OperationStatus, error) {
		return u.SubmitProcess(t.Context(), process)
	}},
	{portal.ProcessCancel, func(t *testing.T, u *portal.User) (portal.OperationStatus, error) {
		return u.CancelProcess(t.Context(), process, 3)
	}},
	{portal.ProcessesMessageCreate, func(t *testing.T, u *portal.User) (portal.OperationStatus, error) {
		return u.CreateMessage(t.Context(), process, portal.MessageRequest{Subject: pii.New[pii.Title]("a"), Text: pii.New[pii.FreeText]("b")})
	}},
}

func TestEachWriteIsSentOnceToItsPath(t *testing.T) {
	path := "/v1/processes/" + process.String()
	want := map[portal.OperationID]string{
		portal.BorrowerUpdate:         "PUT " + path + "/borrower/" + borrower.String(),
		portal.BorrowerDelete:         "DELETE " + path + "/borrower/" + borrower.String(),
		portal.ProcessUpdate:          "PUT " + path,
		portal.ProcessSubmit:          "POST " + path + "/submit",
		portal.ProcessCancel:          "DELETE " + path + "/cancel?proposalCancelReasonId=3",
		portal.ProcessesMessageCreate: "POST " + path + "/message",
		portal.ProcessESISEmail:       "GET " + path + "/esis/email?sendAddress=maria%2Bcasa%40example.com",
	}
	for _, write := range writes {
		for name, answer := range map[string]struct {
			answer http.HandlerFunc
			kind   portal.Kind // "" for success
		}{
			"the bank's example":  {text(200, string(example(t, "borrower-update.reply"))), ""},
			"no content":          {text(204, ""), ""},
			"an empty body":       {text(200, ""), ""},
			"a text":              {text(200, `"done"`), ""},
			"nothing of a status": {text(200, `{"error": "maintenance"}`), portal.Unclear},
			"an empty text":       {text(200, `""`), portal.Unclear},
			"null":                {text(200, `null`), portal.Unclear},
			"a list":              {text(200, `[]`), portal.Unclear},
			"a page of a proxy":   {text(200, "<html>hello</html>"), portal.Unclear},
			"a failure":           {text(503, ""), portal.Unclear},
			"a cut":               {cut, portal.Unclear},
			"a cut in the midst":  {halfway, portal.Unclear},
			"a redirect":          {text(302, ""), portal.Unclear},
			"a refusal":           {text(400, `{"code": "050011", "message": "no"}`), portal.Refused},
			"no such operation":   {text(404, ""), portal.WrongPath},
			"no such method":      {text(405, ""), portal.WrongPath},
			"too many":            {text(429, ""), portal.TooMany},
		} {
			t.Run(string(write.op)+"/"+name, func(t *testing.T) {
				bank, config := overTCP(t, answer.answer)
				_, err := write.call(t, as(t, config, maria))
				wantKind(t, err, answer.kind)
				bank.wantSeen(t, 1, 1)
				if got := bank.calls[0].Method + " " + bank.calls[0].URL.RequestURI(); got != want[write.op] {
					t.Errorf("got %s, want %s", got, want[write.op])
				}
			})
		}
	}
}

func TestAWriteIsSentOnlyAfterItsCheck(t *testing.T) {
	no := errors.New("no")
	for _, answer := range []error{nil, no} {
		bank, config := overTCP(t, inTurn(text(200, nobody), text(200, "")))
		user, asked := as(t, config, maria), 0
		ctx := portal.BeforeWrites(t.Context(), func(context.Context) error {
			asked++
			bank.wantSeen(t, 1, 1) // logged in already
			return answer
		})
		if _, err := user.ListBorrowers(ctx, process); err != nil || asked != 0 {
			t.Errorf("a read: asked %d times, %v", asked, err)
		}
		if _, err := user.DeleteBorrower(ctx, process, borrower); !errors.Is(err, answer) || asked != 1 {
			t.Errorf("a write: asked %d times, %v", asked, err)
		}
		want := 2
		if answer != nil {
			want = 1
		}
		bank.wantSeen(t, 1, want)
	}
}

func TestWhatTheBankSaysOfAWriteIsHandedOn(t *testing.T) {
	for _, c := range []struct {
		body string
		want portal.OperationStatus
	}{
		{`{"operationStatus": {"operationStatusCode": "050401", "operationStatusMessage": "gone"}}`, portal.OperationStatus{Code: "050401", Message: "gone"}},
		{`"sent"`, portal.OperationStatus{Message: "sent"}},
		{``, portal.OperationStatus{}},
	} {
		for _, write := range writes {
			_, config := overTCP(t, text(200, c.body))
			if got, err := write.call(t, as(t, config, maria)); err != nil || got != c.want {
				t.Errorf("%s: got %+v, %v, want %+v", write.op, got, err, c.want)
			}
		}
	}
}

func TestTheAddressOfAnEmailIsNeverLogged(t *testing.T) {
	refusal := `{"code": "070005", "message": "no", "url": "/esis/email?sendAddress=maria%2Bcasa%40example.com", "to": "maria+casa@example.com"}`
	for name, answer := range map[string]http.HandlerFunc{"refused": text(400, refusal), "failed": text(500, refusal), "cut": cut, "sent": text(204, "")} {
		_, config := overTCP(t, answer)
		var log bytes.Buffer
		config.Log = logTo(&log)
		_, err := writes[2].call(t, as(t, config, maria))
		said := log.String() + fmt.Sprintf("%v %+v %#v", err, err, err)
		for _, secret := range []string{"maria+", "maria%2B", "casa", "example.com"} {
			if strings.Contains(said, secret) {
				t.Errorf("%s: %q is in %s", name, secret, said)
			}
		}
		if !strings.Contains(said, string(portal.ProcessESISEmail)) {
			t.Errorf("%s: the call is not logged: %s", name, said)
		}
	}
}

func TestABorrowerIsChangedAndTakenOutAtTheSandbox(t *testing.T) {
	bank, user := sandboxUser(t)
	couple, second := sandbox.SampleProcess(sandbox.SampleCouple), sandbox.SampleBorrower(sandbox.SampleCouple, 1)
	if status, err := user.UpdateBorrower(t.Context(), couple, second, rui()); err != nil || status.Code != "050201" {
		t.Fatalf("got %+v, %v", status, err)
	}
	if got, err := user.Borrower(t.Context(), couple, second); err != nil || got.Personal.Name.Reveal() != "Rui Exemplo" || got.Professional != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err := user.DeleteBorrower(t.Context(), couple, sandbox.SampleBorrower(sandbox.SampleCouple, 0))
	wantRefusal(t, err)
	if status, err := user.DeleteBorrower(t.Context(), couple, second); err != nil || status.Code != "050401" || len(bank.Borrowers(couple)) != 1 {
		t.Errorf("got %+v, %v", status, err)
	}
}

func TestAnEmailGoesOutOnceWhateverBecomesOfTheAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		fault sandbox.Fault
		kind  portal.Kind
		sent  int
	}{
		"answered":      {sandbox.Fault{ExpireSession: true}, "", 1}, // renewed, since a 401 means that nothing happened
		"cut before":    {sandbox.Fault{DropBefore: true}, portal.Unclear, 0},
		"cut after":     {sandbox.Fault{DropAfter: true}, portal.Unclear, 1},
		"failed":        {sandbox.Fault{Status: 503, RetryAfter: time.Second}, portal.Unclear, 0},
		"cut short":     {sandbox.Fault{Body: sandbox.Truncated}, portal.Unclear, 1},
		"HTML instead":  {sandbox.Fault{Body: sandbox.HTML}, portal.Unclear, 1},
		"asked to wait": {sandbox.Fault{Status: 429, RetryAfter: time.Second}, portal.TooMany, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bank, user := sandboxUser(t)
			open := sandbox.SampleProcess(sandbox.SampleOpen)
			if _, err := user.Process(t.Context(), open); err != nil { // opens the session
				t.Fatal(err)
			}
			c.fault.Operation, c.fault.Times = portal.ProcessESISEmail, 1
			bank.Inject(c.fault)
			_, err := user.EmailProcessESIS(t.Context(), open, portal.ESISEmail{To: pii.New[pii.Email]("maria@example.com"), IgnoreRules: true})
			wantKind(t, err, c.kind)
			if sent := bank.Sent(); len(sent) != c.sent || c.sent == 1 && (sent[0].To.Reveal() != "maria@example.com" || !sent[0].IgnoreRules) {
				t.Errorf("%d went out: %+v", len(sent), sent)
			}
		})
	}
}
