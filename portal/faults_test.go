package portal_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
)

// answers is a bank whose answers a test changes: to logins, and to all other calls.
type answers struct {
	login, call atomic.Pointer[http.HandlerFunc]
}

func (a *answers) set(login, call http.HandlerFunc) {
	a.login.Store(&login)
	a.call.Store(&call)
}

func (a *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handler := a.call.Load()
	if strings.HasSuffix(r.URL.Path, "/authentication") {
		handler = a.login.Load()
	}
	(*handler)(w, r)
}

func faults(client *portal.Client) (found []string) {
	for _, fault := range client.Faults() {
		found = append(found, strings.TrimSpace(fmt.Sprintf("%s %s %d", fault.Operation, fault.Kind, fault.Status)))
	}
	return found
}

func TestAFaultHoldsUntilItsOperationSucceeds(t *testing.T) {
	t.Parallel()
	opened := text(200, `"token"`)
	for name, c := range map[string]struct {
		login, call http.HandlerFunc
		want        []string
		log         string
	}{
		"no such operation":            {opened, text(404, ""), []string{"borrowerList wrong-path 404"}, "no such operation"},
		"no such method":               {opened, text(405, ""), []string{"borrowerList wrong-path 405"}, "no such operation"},
		"an operation that is lacking": {opened, text(501, ""), []string{"borrowerList wrong-path 501"}, "no such operation"},
		"another reply":                {opened, text(200, `{"items":[]}`), []string{"borrowerList garbled 200"}, "the reply has no borrowerList; came {items:array[0]}"},
		"no JSON":                      {opened, text(415, ""), []string{"borrowerList mismatch 415"}, "is sent beside the caller's data"},
		"a refusal in an unknown form": {opened, text(400, `{"falha":{"texto":"no"}}`), []string{"borrowerList refused 400"}, "a refusal of the bank is not understood"},
		"a session that is not taken":  {opened, text(401, ""), []string{"borrowerList unauthorized 401"}, "just opened"},
		"a login that is refused":      {text(401, ""), text(200, nobody), []string{"authenticate login-refused 401"}, "refuses the login"},
		"a login without its headers":  {text(400, ""), text(200, nobody), []string{"authenticate login-refused 400"}, "a header may be missing"},
		"no such login":                {text(404, ""), text(200, nobody), []string{"authenticate wrong-path 404"}, "no such operation"},
		"a login without a token":      {text(200, `{"accessToken":"x"}`), text(200, nobody), []string{"authenticate garbled 200"}, "no sessionToken that a header can carry; came {accessToken:string}"},
		"a bank that is down":          {opened, text(500, ""), nil, ""},
		"too many calls":               {opened, text(429, ""), nil, ""},
		"a login that fails":           {text(503, ""), text(200, nobody), nil, ""},
		"a refusal without a word":     {opened, text(400, ""), nil, ""},
		"a refusal with nothing in it": {opened, text(400, "{}"), nil, ""},
		"a refusal that is understood": {opened, text(400, `{"code":"050001","message":"no"}`), nil, ""},
		"a thing that does not exist":  {opened, text(404, `{"message":"O processo não existe ou não pertence ao intermediário."}`), nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var bank answers
				bank.set(c.login, c.call)
				config := inside(t, &bank)
				var log bytes.Buffer
				config.Log = logTo(&log)
				client, err := portal.New(config)
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				for range 3 {
					if _, err := client.As(maria, "").ListBorrowers(t.Context(), process); err == nil {
						t.Fatal("the call succeeds")
					}
				}
				if found := faults(client); !cmp.Equal(found, c.want) {
					t.Errorf("got %q, want %q", found, c.want)
				}
				errs := strings.Count(log.String(), `"level":"ERROR"`)
				if c.want != nil && errs != 1 || c.want == nil && errs != 0 || !strings.Contains(log.String(), c.log) {
					t.Errorf("%d errors are logged, want %q:\n%s", errs, c.log, &log)
				}
				bank.set(opened, text(200, nobody))
				time.Sleep(time.Minute) // past the circuit
				if _, err := client.As(maria, "").ListBorrowers(t.Context(), process); err != nil {
					t.Fatal(err)
				}
				if found := faults(client); found != nil && !strings.Contains(name, "unknown form") {
					t.Errorf("after a success there is %q", found)
				}
			})
		})
	}
}

func TestARefusalThatIsNotUnderstoodCountsUntilOneIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unread, read := text(400, `{"falha":{"texto":"no"}}`), text(400, `{"code":"050001","message":"no"}`)
		var bank answers
		client, err := portal.New(inside(t, &bank))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		for _, step := range []struct {
			answer http.HandlerFunc
			after  time.Duration
			want   []string
		}{
			{unread, 0, []string{"borrowerList refused 400"}},
			{text(200, nobody), 0, []string{"borrowerList refused 400"}}, // a success shows nothing of refusals
			{read, 0, nil},
			{unread, 25 * time.Hour, nil},
		} {
			bank.set(text(200, `"token"`), step.answer)
			_, err := client.As(maria, "").ListBorrowers(t.Context(), process)
			if failure, ok := errors.AsType[*portal.Error](err); ok && failure.Unread == (len(failure.Messages) > 0) {
				t.Errorf("unread is %t of %d messages", failure.Unread, len(failure.Messages))
			}
			if time.Sleep(step.after); !cmp.Equal(faults(client), step.want) {
				t.Errorf("got %q, want %q", faults(client), step.want)
			}
		}
	})
}

func TestAFaultIsLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bank answers
		var log bytes.Buffer
		config := inside(t, &bank)
		config.Log = logTo(&log)
		client, err := portal.New(config)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		opened := text(200, `"token"`)
		for range 20 { // on and off
			for _, answer := range []http.HandlerFunc{text(404, ""), text(200, nobody)} {
				bank.set(opened, answer)
				_, _ = client.As(maria, "").ListBorrowers(t.Context(), process)
			}
		}
		if begun, ended := strings.Count(log.String(), "no such operation at this address: correct"), strings.Count(log.String(), "as expected again"); begun != 1 || ended != 1 {
			t.Errorf("it is logged %d times that it begins and %d times that it ends", begun, ended)
		}
		time.Sleep(time.Minute)
		bank.set(opened, text(404, ""))
		_, _ = client.As(maria, "").ListBorrowers(t.Context(), process)
		if begun := strings.Count(log.String(), "no such operation at this address: correct"); begun != 2 {
			t.Errorf("after a minute it is logged %d times", begun)
		}
		if since := client.Faults()[0].Since; time.Since(since) != 0 {
			t.Errorf("it holds since %v, and not since it began again", since)
		}
	})
}

func TestTheLoginsThatAreRefusedAreKeptByUserAndBounded(t *testing.T) {
	t.Parallel()
	var refused sync.Map // by the user's name
	var bank answers
	bank.set(func(w http.ResponseWriter, r *http.Request) {
		if _, is := refused.Load(r.Header.Get("xUsername")); is {
			text(401, "")(w, r)
			return
		}
		text(200, `"token"`)(w, r)
	}, text(200, nobody))
	client, err := portal.New(plain(t, &bank))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	login := func(name string) portal.Login { return portal.Login{BrokerUID: uuid.Nil, Username: name} }
	for i := range 150 {
		name := fmt.Sprint("user", i)
		refused.Store(name, true)
		_ = list(client.As(login(name), ""))
	}
	if err := list(client.As(maria, "")); err != nil {
		t.Fatal(err)
	}
	if found := client.Faults(); len(found) != 100 || found[0].Login == (portal.Login{}) {
		t.Fatalf("%d faults", len(found))
	}
	refused.Delete("user149")
	if err := list(client.As(login("user149"), "")); err != nil {
		t.Fatal(err)
	}
	for _, fault := range client.Faults() {
		if fault.Login == login("user149") || strings.Contains(fmt.Sprintf("%v %+v", fault, fault), "user") {
			t.Errorf("got %+v", fault)
		}
	}
}

func TestARefusalOfWhatTheClientAddsIsNotTheCallers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body  string
		limit int
		want  portal.Kind
	}{
		"a parameter in the text":        {`{"message":"lineCount must be at most 50"}`, 100, portal.Mismatch},
		"a parameter as the field":       {`{"errors":[{"field":"lineCount","message":"too large"}]}`, 100, portal.Mismatch},
		"one that was not sent":          {`{"message":"lineCount must be at most 50"}`, 0, portal.Refused},
		"what the caller asks for":       {`{"errors":[{"field":"filterByText","message":"too short"}]}`, 100, portal.Refused},
		"the form of the request":        {`{"message":"The body of the request is not valid JSON."}`, 0, portal.Mismatch},
		"both":                           {`{"message":"filterByText and lineCount exclude each other"}`, 100, portal.Refused},
		"something else":                 {`{"message":"no"}`, 100, portal.Refused},
		"something without any messages": {``, 100, portal.Refused},
	} {
		_, config := overTCP(t, text(400, c.body))
		_, err := as(t, config, maria).ListProcesses(t.Context(), portal.ProcessQuery{Limit: c.limit})
		if portal.KindOf(err) != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

func TestSomethingIsMissingOnlyIfTheBankSaysSo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		want   portal.Reason
	}{
		"a known text":                      {400, `{"code":"040001","message":"The process does not exist or does not belong to the broker."}`, portal.ProcessMissing},
		"a known text of a borrower":        {422, `["O proponente não existe neste processo"]`, portal.BorrowerMissing},
		"a known text with a 404":           {404, `{"message":"The process does not exist or does not belong to the broker."}`, portal.ProcessMissing},
		"a code alone":                      {400, `{"code":"040001"}`, portal.ProcessMissing},
		"a code that the bank explains":     {400, `{"code":"040001","message":"The term is too long."}`, ""},
		"a text that is not known":          {400, `{"message":"Not today."}`, ""},
		"a 404":                             {404, ``, ""},
		"a 404 with the words of a web app": {404, `{"title":"Not Found","status":404}`, ""},
		"nothing":                           {400, ``, ""},
	} {
		_, config := overTCP(t, text(c.status, c.body))
		_, err := as(t, config, maria).Process(t.Context(), process)
		if got := portal.MissingReason(err); got != c.want || portal.IsMissing(err) != (c.want != "") {
			t.Errorf("%s: got %q (%v), want %q", name, got, err, c.want)
		}
	}
}
