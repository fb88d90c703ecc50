package portal_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// replySpelling has the reply's names of the request's fields, where they differ by more than the case of «Id».
var replySpelling = map[string]string{
	"personalDataBorrowerRequest":     "borrowerPersonalData",
	"financialDataBorrowerRequest":    "borrowerFinancialData",
	"professionalDataBorrowerRequest": "borrowerProfessionalData",
	"matrimonialRegimeId":             "matriomonialRegimeID",
}

// inReplySpelling turns a path of the request into that of the reply.
func inReplySpelling(path string) string {
	names := strings.Split(path, ".")
	for i, name := range names {
		if odd, ok := replySpelling[name]; ok {
			names[i] = odd
		} else if rest, ok := strings.CutSuffix(name, "Id"); ok {
			names[i] = rest + "ID"
		}
	}
	return strings.Join(names, ".")
}

// leavesOf lists the values of a JSON object by their paths.
func leavesOf(t *testing.T, data []byte) map[string]string {
	t.Helper()
	found := map[string]string{}
	var collect func(any, string)
	collect = func(value any, path string) {
		object, ok := value.(map[string]any)
		if !ok {
			found[strings.TrimPrefix(path, ".")] = fmt.Sprint(value)
			return
		}
		for name, inner := range object {
			collect(inner, path+"."+name)
		}
	}
	collect(canonical(t, data), "")
	return found
}

// filled writes a JSON object that gives every field of a struct a value of its own.
func filled(t *testing.T, of reflect.Type, serial *int) map[string]any {
	t.Helper()
	object := map[string]any{}
	for field := range of.Fields() {
		if field.Anonymous {
			maps.Copy(object, filled(t, field.Type, serial))
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		kind := field.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		*serial++
		for _, value := range []any{*serial, fmt.Sprint("value ", *serial), process.String(), true} { // the first that fits
			text, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			if json.Unmarshal(text, reflect.New(kind).Interface()) == nil {
				object[name] = value
				break
			}
		}
		if kind.Kind() == reflect.Struct && object[name] == nil {
			object[name] = filled(t, kind, serial)
		}
	}
	return object
}

func TestEveryFieldOfTheRequestComesFromTheSameFieldOfTheReply(t *testing.T) {
	serial := 0
	reply, err := json.Marshal(filled(t, reflect.TypeFor[portal.Borrower](), &serial))
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := json.Marshal(filled(t, reflect.TypeFor[portal.BorrowerRequest](), &serial))
	if err != nil {
		t.Fatal(err)
	}
	var borrower portal.Borrower
	strictly(t, reply, &borrower)
	source, got := leavesOf(t, reply), leavesOf(t, inClear(t, borrower.Request()))
	if want := slices.Sorted(maps.Keys(leavesOf(t, wanted))); !slices.Equal(slices.Sorted(maps.Keys(got)), want) || len(want) < 40 {
		t.Errorf("the request lacks fields (-want +got):\n%s", cmp.Diff(want, slices.Sorted(maps.Keys(got))))
	}
	for path, value := range got {
		from := inReplySpelling(path)
		if source[from] != value {
			t.Errorf("%s is %s, and %s was %s", path, value, from, source[from])
		}
		delete(source, from)
	}
	for path := range source {
		if path != "borrowerUniqueID" && !strings.HasSuffix(path, "Description") {
			t.Errorf("%s of the reply is lost", path)
		}
	}
}

func TestWhatTheBankDoesNotKnowIsNotMadeUp(t *testing.T) {
	request := portal.Borrower{BorrowerSummary: portal.BorrowerSummary{BorrowerTypeID: 2}}.Request()
	wantSameJSON(t, inClear(t, request), []byte(`{"borrowerTypeId": 2}`))
}

func TestARequestMadeFromAReplyIsACopy(t *testing.T) {
	var borrower portal.Borrower
	strictly(t, example(t, "borrower-get.reply"), &borrower)
	request := borrower.Request()
	*request.Financial, *request.Personal, *request.Professional = portal.FinancialDataRequest{}, portal.PersonalDataRequest{}, portal.ProfessionalDataRequest{}
	wantSameJSON(t, inClear(t, borrower), example(t, "borrower-get.reply"))
}

func TestTheBanksExampleOfAReplyBecomesARequestOfTheBanksExample(t *testing.T) {
	var borrower portal.Borrower
	strictly(t, example(t, "borrower-get.reply"), &borrower)
	got, reply := leavesOf(t, inClear(t, borrower.Request())), leavesOf(t, example(t, "borrower-get.reply"))
	for _, name := range []string{"borrower-update.request", "borrower-create.request"} {
		want := slices.Sorted(maps.Keys(leavesOf(t, example(t, name))))
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
			t.Errorf("%s has other fields (-bank +ours):\n%s", name, diff)
		}
	}
	for path, value := range got {
		if value != reply[inReplySpelling(path)] {
			t.Errorf("%s is %s, want %s", path, value, reply[inReplySpelling(path)])
		}
	}
}

func TestAnUpdateOfNothingChangesNothing(t *testing.T) {
	server := httptest.NewServer(sandbox.New(sandbox.Config{}))
	t.Cleanup(server.Close)
	updated := 0
	for _, broker := range []sandbox.Broker{sandbox.BrokerA, sandbox.BrokerB} {
		user := as(t, portal.Config{
			BaseURL: server.URL, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret,
			Transport: &http.Transport{}, AttemptTimeout: 5 * time.Second,
		}, portal.Login{BrokerUID: broker.UID, Username: broker.Users[0]})
		page, err := user.ListProcesses(t.Context(), portal.ProcessQuery{Limit: 100})
		if err != nil || page.Next != "" {
			t.Fatalf("more: %v, %v", page.Next != "", err)
		}
		for _, p := range page.Processes {
			people, err := user.ListBorrowers(t.Context(), p.ProcessUniqueID)
			if err != nil {
				t.Fatal(err)
			}
			for _, person := range people {
				before, err := user.Borrower(t.Context(), p.ProcessUniqueID, person.BorrowerUniqueID)
				if err != nil {
					t.Fatal(err)
				}
				_, err = user.UpdateBorrower(t.Context(), p.ProcessUniqueID, person.BorrowerUniqueID, before.Request())
				const closed, cancelled = 7, 9
				if p.ProcessStatusID == closed || p.ProcessStatusID == cancelled {
					wantRefusal(t, err) // nobody can be changed any more
				} else if err != nil {
					t.Errorf("process %d: %v", p.ProcessNumber, err)
				} else {
					updated++
				}
				after, err := user.Borrower(t.Context(), p.ProcessUniqueID, person.BorrowerUniqueID)
				if err != nil {
					t.Fatal(err)
				}
				wantSameJSON(t, inClear(t, after), inClear(t, before))
			}
		}
	}
	if updated < 12 {
		t.Errorf("only %d borrowers were updated", updated)
	}
}
