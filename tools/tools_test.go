package tools_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/tools/catalogue"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
	"github.com/balcao/balcao/validation"
)

// house is a runner over a sandbox bank, with its journal in memory.
type house struct {
	*tools.Runner
	bank  *sandbox.Bank
	trail *trail
	ana   tools.Actor
}

func open(t *testing.T, change ...func(*tools.Config)) house {
	t.Helper()
	return openBehind(t, func(bank http.Handler) http.Handler { return bank }, change...)
}

// openBehind puts something between the house and its bank.
func openBehind(t *testing.T, between func(http.Handler) http.Handler, change ...func(*tools.Config)) house {
	t.Helper()
	bank := sandbox.New(sandbox.Config{})
	server := httptest.NewServer(between(bank))
	t.Cleanup(server.Close)
	client, err := portal.New(portal.Config{
		BaseURL: server.URL, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret,
		AttemptTimeout: 2 * time.Second, TotalTimeout: 2 * time.Second, ReadAttempts: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	keys, err := keys.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	store, err := conversations.Open(t.Context(), "memory", keys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	trail := &trail{}
	login := func(broker sandbox.Broker) portal.Login {
		return portal.Login{BrokerUID: broker.UID, Username: broker.Users[0]}
	}
	config := tools.Config{
		Catalogue: catalogue.New(), Bank: client, Checks: validation.New(validation.Options{}), Journal: store, AuditLog: trail, Fingerprint: keys.Fingerprint, Sealer: keys, Claims: store,
		People: tools.Team{
			"ana":    {Login: login(sandbox.BrokerA)},
			"reader": {Login: login(sandbox.BrokerA), ReadOnly: true},
			"rita":   {Login: login(sandbox.BrokerB)},
		},
	}
	for _, c := range change {
		c(&config)
	}
	return house{tools.NewRunner(config), bank, trail, tools.Actor{ID: "ana", Lang: words.English}}
}

// trail is an audit trail that tells what was written.
type trail struct {
	mu      sync.Mutex
	entries []string
	texts   []string // what is kept beside each, "" for nothing
}

func (t *trail) Append(_ context.Context, entry []byte, text string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.entries, t.texts = append(t.entries, string(entry)), append(t.texts, text)
	return nil
}

// run calls a tool. Warnings with a code in the request's Confirmed are confirmed as front ends do it, by a second call.
func (h house) run(t *testing.T, name string, args string, change ...func(*tools.Request)) (tools.Result, *tools.Error) {
	t.Helper()
	tool, ok := catalogue.New().Named(name)
	if !ok {
		t.Fatalf("no tool is named %s", name)
	}
	request := tools.Request{Tool: tool, Actor: h.ana, Args: json.RawMessage(args)}
	for _, c := range change {
		c(&request)
	}
	codes := request.Confirmed
	request.Confirmed = nil
	result, err := h.Run(t.Context(), request)
	if asked := tools.AsError(err); err != nil && asked.Kind == tools.Unconfirmed && codes != nil {
		request.Confirmed, request.Confirmation = agreed(asked, codes)
		result, err = h.Run(t.Context(), request)
	}
	if err == nil {
		return result, nil
	}
	var failure *tools.Error
	if !errors.As(err, &failure) {
		t.Fatalf("%s failed with %T", name, err)
	}
	return result, failure
}

// agreed is what a person gives back who agrees to warnings with these codes: their marks, or the confirmation of all.
func agreed(asked *tools.Error, codes []string) (marks []string, confirmation string) {
	confirmation = asked.Confirmation
	for _, p := range asked.Problems {
		if slices.Contains(codes, p.Code) {
			marks = append(marks, p.Mark)
		} else if p.Severity == tools.Warns {
			confirmation = ""
		}
	}
	return marks, confirmation
}

// rui is a borrower without a fault, for process 1042 unless changed.
func rui(change map[string]string) string {
	fields := map[string]string{
		"process": `"1042"`, "borrowerTypeId": "2", "keyBorrowerRelationId": "1",
		"name": `"Rui Amostra"`, "birthDate": `"1985-04-12"`, "taxId": `"299999998"`, "mobile": `"912345678"`,
		"email": `"rui@example.com"`, "genderId": "2",
	}
	maps.Copy(fields, change)
	var top, personal []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		member := `"` + name + `":` + fields[name]
		if slices.Contains([]string{"process", "borrowerTypeId", "keyBorrowerRelationId", "financial", "professional"}, name) {
			top = append(top, member)
		} else {
			personal = append(personal, member)
		}
	}
	return "{" + strings.Join(top, ",") + `,"personal":{` + strings.Join(personal, ",") + "}}"
}

func TestABorrowerIsCreatedAndThenListedMasked(t *testing.T) {
	h := open(t)
	created, failure := h.run(t, "create_borrower", rui(nil))
	if failure != nil {
		t.Fatal(failure)
	}
	if want := "Rui A. is now a borrower of process 1042."; created.Card.Text != want {
		t.Errorf("got %q, want %q", created.Card.Text, want)
	}
	listed, failure := h.run(t, "list_borrowers", `{"process":1042}`)
	if failure != nil {
		t.Fatal(failure)
	}
	if rows := listed.Card.Table.Rows; !slices.ContainsFunc(rows, func(row []string) bool { return row[0] == "Rui A." && row[3] == "••••••998" }) {
		t.Errorf("the new borrower is not in %q", rows)
	}
	structured, err := json.Marshal(listed.Output)
	if err != nil || strings.Contains(string(structured), "299999998") {
		t.Errorf("the output is not masked: %s, %v", structured, err)
	}
}

func TestTheESISIsAPDFWithALinkAndNoBytesInItsOutput(t *testing.T) {
	h := open(t)
	result, failure := h.run(t, "get_esis", `{"process":"1042"}`)
	if failure != nil {
		t.Fatal(failure)
	}
	file := result.Card.File
	if !strings.HasPrefix(string(file.Content), "%PDF") || file.Name != "FINE-1042.pdf" {
		t.Errorf("got %q beginning with %.8q", file.Name, file.Content)
	}
	if want := "balcao://processes/" + sandbox.SampleProcess(1042).String() + "/esis"; file.URI != want {
		t.Errorf("got %s, want %s", file.URI, want)
	}
	if output, err := json.Marshal(result.Output); err != nil || len(output) > 300 {
		t.Errorf("the output is %d bytes, %v", len(output), err)
	}
}

func TestProcessesAreFoundByNumberNameAndNothing(t *testing.T) {
	h := open(t)
	for text, want := range map[string]int{`{}`: 9, `{"text":"1042"}`: 1, `{"text":"nobody of that name"}`: 0} {
		result, failure := h.run(t, "find_processes", text)
		if failure != nil {
			t.Fatal(failure)
		}
		if rows := len(result.Card.Table.Rows); rows < want || want < 2 && rows != want {
			t.Errorf("%s found %d, want %d", text, rows, want)
		}
	}
}

func TestATaxonomyIsSearchedWithoutMindingAccents(t *testing.T) {
	h := open(t)
	result, failure := h.run(t, "search_taxonomy", `{"taxonomy":"keyBorrowerRelations","text":"CONJUGE"}`, func(r *tools.Request) { r.Actor.Lang = words.Portuguese })
	if failure != nil {
		t.Fatal(failure)
	}
	if rows := result.Card.Table.Rows; len(rows) != 1 || rows[0][1] != "Cônjuge" {
		t.Errorf("got %q", rows)
	}
}

func TestAListThatIsNoneIsRefusedWithoutRepeatingIt(t *testing.T) {
	h := open(t)
	_, failure := h.run(t, "search_taxonomy", `{"taxonomy":"Maria Exemplo"}`)
	if failure == nil || failure.Kind != tools.Invalid || failure.Problems[0].Code != "kind.taxonomy" || strings.Contains(failure.Error(), "Maria") {
		t.Errorf("got %v", failure)
	}
}

func TestEveryProblemComesBackAtOnceUnderItsFieldAndWithoutTheValue(t *testing.T) {
	for name, c := range map[string]struct {
		args string
		kind tools.ErrorKind
		want []string // path and code
	}{
		"a wrong tax number":                    {rui(map[string]string{"taxId": `"299999990"`}), tools.Invalid, []string{"personal.taxId nif.check_digit"}},
		"several at once":                       {rui(map[string]string{"taxId": `"1"`, "email": `"no"`, "birthDate": `"1985-13-01"`}), tools.Invalid, []string{"personal.birthDate date.format", "personal.email email.format", "personal.taxId nif.length"}},
		"nothing":                               {`{}`, tools.Invalid, []string{"borrowerTypeId required", "keyBorrowerRelationId relation.required", "personal.birthDate required", "personal.email required", "personal.genderId required", "personal.mobile required", "personal.name required", "personal.taxId required", "process required"}},
		"an unknown name beside a wrong number": {rui(map[string]string{"nif": `"1"`, "taxId": `"299999990"`, "genderId": `"male"`}), tools.Invalid, []string{"personal args.unknown_field", "personal.genderId kind.choice", "personal.taxId nif.check_digit"}},
		"an unknown name":                       {rui(map[string]string{"taxID": `"299999998"`}), tools.Invalid, []string{"personal args.unknown_field"}},
		"a word for a number":                   {rui(map[string]string{"genderId": `"male"`}), tools.Invalid, []string{"personal.genderId kind.choice"}},
		"an id that is not in the list":         {rui(map[string]string{"genderId": "77"}), tools.Invalid, []string{"personal.genderId taxonomy.unknown"}},
		"a second key borrower":                 {rui(map[string]string{"borrowerTypeId": "1", "keyBorrowerRelationId": "0"}), tools.Invalid, []string{"borrowerTypeId borrower.key_unique"}},
		"a company's tax number":                {rui(map[string]string{"taxId": `"506035220"`}), tools.Unconfirmed, []string{"personal.taxId nif.not_person"}},
		"an extension":                          {rui(map[string]string{"mobile": `"912345678 ext 5"`}), tools.Unconfirmed, []string{"personal.mobile phone.extension"}},
		"a marriage without its regime":         {rui(map[string]string{"maritalStatusId": "3"}), tools.Invalid, []string{"personal.matrimonialRegimeId marital.regime_required"}},
		"no object":                             {`[1]`, tools.Invalid, []string{" args.not_object"}},
		"two values":                            {`{} {}`, tools.Invalid, []string{" args.not_object"}},
		"garbage":                               {"\x00\xff", tools.Invalid, []string{" args.not_object"}},
		"an object where text belongs":          {rui(map[string]string{"name": `{"a":1}`}), tools.Invalid, []string{"personal.name kind.text"}},
		"text where an object belongs":          {`{"process":"1042","borrowerTypeId":2,"keyBorrowerRelationId":1,"personal":"x"}`, tools.Invalid, []string{"personal args.not_object"}},
		"a process that is no number":           {rui(map[string]string{"process": `"ten"`}), tools.Invalid, []string{"process kind.process"}},
		"a number of another's process":         {rui(map[string]string{"process": `"1051"`}), tools.NotFound, nil},
		"another's process by its uuid":         {`{"process":"` + sandbox.SampleProcess(sandbox.SampleOthers).String() + `"}`, tools.Invalid, nil},
		"ten thousand accents as a name":        {rui(map[string]string{"name": `"` + strings.Repeat("ç", 10_000) + `"`}), tools.Invalid, []string{"personal.name text.too_long"}},
	} {
		h := open(t)
		_, failure := h.run(t, "create_borrower", c.args)
		if failure == nil || failure.Kind != c.kind {
			t.Errorf("%s: got %v, want %s", name, failure, c.kind)
			continue
		}
		var got []string
		for _, p := range failure.Problems {
			got = append(got, p.Path+" "+p.Code)
			if p.Text == "" || strings.Contains(p.Text, "299999990") || strings.HasPrefix(p.Text, "problem.") {
				t.Errorf("%s: the text is %q", name, p.Text)
			}
		}
		slices.Sort(got)
		if c.want != nil && !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got  %q\n want %q", name, got, c.want)
		}
		if calls := h.bank.Calls(portal.BorrowerCreate); calls != 0 {
			t.Errorf("%s: the bank was asked to create", name)
		}
	}
}

func TestAWarningWaitsForAPersonAndThenIsSent(t *testing.T) {
	h, args := open(t), rui(map[string]string{"socialSecurityNumber": `"987-65-4321"`})
	_, failure := h.run(t, "create_borrower", args)
	if failure == nil || failure.Kind != tools.Unconfirmed || failure.Problems[0].Severity != tools.Warns {
		t.Fatalf("got %v", failure)
	}
	if _, failure := h.run(t, "create_borrower", args, func(r *tools.Request) { r.Confirmed = []string{failure.Problems[0].Code} }); failure != nil {
		t.Errorf("confirmed, it fails with %v", failure)
	}
}

func TestTheSameKeyGivesTheSameAnswerAndOneBorrower(t *testing.T) {
	h := open(t)
	withKey := func(r *tools.Request) { r.Key = "a click" }
	first, failure := h.run(t, "create_borrower", rui(nil), withKey)
	if failure != nil {
		t.Fatal(failure)
	}
	second, failure := h.run(t, "create_borrower", rui(nil), withKey)
	if failure != nil {
		t.Fatal(failure)
	}
	if first.Output != second.Output || h.bank.Calls(portal.BorrowerCreate) != 1 {
		t.Errorf("got %v and %v with %d calls", first.Output, second.Output, h.bank.Calls(portal.BorrowerCreate))
	}
	if _, failure := h.run(t, "create_borrower", rui(map[string]string{"name": `"Outra Amostra"`}), withKey); failure == nil || failure.Problems[0].Code != "key_reused" {
		t.Errorf("the key with other arguments gives %v", failure)
	}
}

func TestAKeyMayBeTriedAgainAfterAFailureThatChangedNothing(t *testing.T) {
	h := open(t)
	withKey := func(r *tools.Request) { r.Key = "a click" }
	if _, failure := h.run(t, "create_borrower", rui(map[string]string{"taxId": `"299999990"`}), withKey); failure == nil || failure.Kind != tools.Invalid {
		t.Fatalf("got %v", failure)
	}
	if _, failure := h.run(t, "create_borrower", rui(nil), withKey); failure != nil {
		t.Errorf("corrected, it fails with %v", failure)
	}
}

func TestAnUnclearOutcomeIsNotRepeatedUnderItsKeyWhileTheRequestMayLive(t *testing.T) {
	h := open(t)
	withKey := func(r *tools.Request) { r.Key = "a click" }
	remove := h.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, DropBefore: true, Times: 1})
	defer remove()
	for range 2 {
		if _, failure := h.run(t, "create_borrower", rui(nil), withKey); failure == nil || failure.Kind != tools.Unclear {
			t.Errorf("got %v", failure)
		}
	}
	if calls := h.bank.Calls(portal.BorrowerCreate); calls != 1 {
		t.Errorf("the bank was called %d times", calls)
	}
}

func TestACallThatTookHoldIsRecognisedThoughItsAnswerWasLost(t *testing.T) {
	h := open(t)
	h.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, DropAfter: true, Times: 1})
	result, failure := h.run(t, "create_borrower", rui(nil))
	if failure != nil {
		t.Fatal(failure)
	}
	created := result.Output.(borrowers.BorrowerCreated)
	if there := h.bank.Borrowers(sandbox.SampleProcess(1042)); !slices.Contains(there, created.Borrower) || h.bank.Calls(portal.BorrowerCreate) != 1 {
		t.Errorf("%s is not among %v", created.Borrower, there)
	}
}

func TestWhatTheBankDoesIsToldByKind(t *testing.T) {
	for name, c := range map[string]struct {
		fault sandbox.Fault
		want  tools.ErrorKind
	}{
		"an error of the bank's on a write leaves it unclear": {sandbox.Fault{Operation: portal.BorrowerCreate, Status: 500}, tools.Unclear},
		"a request that may have been dropped is unclear":     {sandbox.Fault{Operation: portal.BorrowerCreate, DropBefore: true}, tools.Unclear},
		"too many requests mean wait":                         {sandbox.Fault{Operation: portal.BorrowerCreate, Status: 429, RetryAfter: time.Second}, tools.Busy},
		"an error of the bank's on a read changed nothing":    {sandbox.Fault{Operation: portal.BorrowerList, Status: 503}, tools.Unavailable},
	} {
		h := open(t)
		h.bank.Inject(c.fault)
		if _, failure := h.run(t, "create_borrower", rui(nil)); failure == nil || failure.Kind != c.want {
			t.Errorf("%s: got %v, want %s", name, failure, c.want)
		}
	}
}

func TestWhoMayNotIsToldAndTheBankIsNotAsked(t *testing.T) {
	for name, actor := range map[string]tools.Actor{
		"a stranger":     {ID: "nobody", Lang: words.English},
		"a guest":        {ID: "ana", Lang: words.English, Guest: true},
		"who only reads": {ID: "reader", Lang: words.English},
	} {
		h := open(t)
		create, _ := catalogue.New().Named("create_borrower")
		if h.Permits(t.Context(), actor, create) {
			t.Errorf("%s is permitted", name)
		}
		_, failure := h.run(t, "create_borrower", rui(nil), func(r *tools.Request) { r.Actor = actor })
		if failure == nil || failure.Kind != tools.Forbidden || h.bank.Logins() != 0 {
			t.Errorf("%s: got %v after %d logins", name, failure, h.bank.Logins())
		}
	}
}

func TestTheTrailTellsWhoDidWhatAndNothingOfThePerson(t *testing.T) {
	h := open(t)
	h.run(t, "create_borrower", rui(nil))
	h.run(t, "create_borrower", rui(map[string]string{"taxId": `"299999990"`}))
	h.run(t, "list_borrowers", `{"process":"1042"}`, func(r *tools.Request) { r.Actor.ID = "nobody" })
	trail := strings.Join(h.trail.entries, "\n")
	for _, outcome := range []string{`"outcome":"done"`, `"outcome":"invalid"`, `"outcome":"forbidden"`, `"process":"1042"`} {
		if !strings.Contains(trail, outcome) {
			t.Errorf("%s is missing from\n%s", outcome, trail)
		}
	}
	for _, clear := range []string{"299999998", "299999990", "Rui", "rui@", "912345678", "1985"} {
		if strings.Contains(trail, clear) {
			t.Errorf("%s is in\n%s", clear, trail)
		}
	}
}
