package mcpapp_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/tools/catalogue"

	"github.com/google/uuid"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/mcpapp"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

// The borrowers of process 1043: Rui is the key borrower, Inês the other.
var (
	coupleProcess = sandbox.SampleProcess(sandbox.SampleCouple)
	requestKey    = sandbox.SampleBorrower(sandbox.SampleCouple, 0)
	otherBorrower = sandbox.SampleBorrower(sandbox.SampleCouple, 1)
)

// borrowerArgs returns the arguments that name a borrower of process 1043.
func borrowerArgs(borrower uuid.UUID) map[string]any {
	return map[string]any{"process": "1043", "borrower": borrower.String()}
}

// confirmed makes a call, checks that it is refused with these warnings, and returns the arguments that confirm them.
func (a *assistant) confirmed(t *testing.T, tool string, args map[string]any, codes ...string) map[string]any {
	t.Helper()
	asked := a.call(t, tool, args)
	failed(t, asked, append(codes, "«confirmation» = "+confirmationOf(asked))...)
	return withArg(args, "confirmation", confirmationOf(asked))
}

// confirmationOf returns the confirmation in an error's _meta, "" if there is none.
func confirmationOf(asked *mcp.CallToolResult) string {
	if !asked.IsError {
		return ""
	}
	return asked.Meta.AdditionalFields["balcao/error"].(map[string]any)["confirmation"].(string)
}

// storedBorrower returns the fields of a borrower as the bank stores them, unmasked, by path.
func (e *env) storedBorrower(t *testing.T, borrower uuid.UUID) map[string]any {
	t.Helper()
	found, err := e.bankAPI.Borrower(t.Context(), coupleProcess, borrower)
	must(t, err)
	data, err := pii.MarshalClear(found.Request())
	must(t, err)
	var nested map[string]any
	must(t, json.Unmarshal(data, &nested))
	fields := map[string]any{}
	for name, value := range nested {
		if group, ok := value.(map[string]any); ok {
			for inner, value := range group {
				fields[strings.TrimSuffix(name, "DataBorrowerRequest")+"."+inner] = value
			}
			continue
		}
		fields[name] = value
	}
	return fields
}

// differing returns the paths at which two borrowers differ.
func differing(a, b map[string]any) []string {
	paths := map[string]bool{}
	for _, path := range slices.Concat(slices.Collect(maps.Keys(a)), slices.Collect(maps.Keys(b))) {
		if !reflect.DeepEqual(a[path], b[path]) {
			paths[path] = true
		}
	}
	return slices.Sorted(maps.Keys(paths))
}

var uuids = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// personalDataOf returns the values of a borrower that may not appear in results or logs.
func personalDataOf(blocked map[string]any) []string {
	var values []string
	for _, path := range []string{
		"personal.birthDate", "personal.taxId", "personal.mobile", "personal.email", "personal.identificationDocumentNumber",
		"personal.checkDigit", "personal.identificationDocumentExpiredDate", "personal.socialSecurityNumber", "personal.address",
		"personal.floor", "personal.zipCode", "financial.incomeWagesPensions", "professional.employerName", "professional.employerTaxId",
	} {
		if blocked[path] != nil {
			values = append(values, fmt.Sprint(blocked[path]))
		}
	}
	_, surname, _ := strings.Cut(blocked["personal.name"].(string), " ")
	return append(values, surname)
}

// checkNothingLeaked checks that no result and no log line contains one of these values.
func (a *assistant) checkNothingLeaked(t *testing.T, e *env, personalData ...string) {
	t.Helper()
	if len(personalData) < 10 {
		t.Fatalf("there are %d values to look for", len(personalData))
	}
	for where, text := range map[string]string{"an answer": strings.ReplaceAll(a.transcript.String(), `\n`, "\n"), "the log": e.log.String()} {
		text = uuids.ReplaceAllString(text, "")
		for _, secret := range personalData { // whole: a duration or a digest may have the digits of an income in it
			if whole := regexp.MustCompile(`(^|[^0-9A-Za-z])` + regexp.QuoteMeta(secret) + `([^0-9A-Za-z]|$)`); whole.MatchString(text) {
				t.Errorf("%q is in %s:\n%s", secret, where, text)
			}
		}
	}
}

func sameResult(t *testing.T, first, second *mcp.CallToolResult) {
	t.Helper()
	if text(first) != text(second) || !reflect.DeepEqual(first.StructuredContent, second.StructuredContent) {
		t.Errorf("two answers:\n%s\n%s", text(first), text(second))
	}
}

func versionOf(t *testing.T, read *mcp.CallToolResult) string {
	t.Helper()
	found := read.StructuredContent.(map[string]any)["version"].(string)
	contains(t, text(read), found)
	return found
}

func TestAnAssistantChangesOneFieldOfABorrower(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			e := start(t, func(s *options) { s.redis = redistest.Start(t) })
			a := variant.start(t, e)
			before := e.storedBorrower(t, otherBorrower)

			contains(t, text(succeeded(t, a.call(t, "list_borrowers", map[string]any{"process": "1043"}))), otherBorrower.String(), "Next, with borrower: get_borrower {")
			read := succeeded(t, a.call(t, "get_borrower", borrowerArgs(otherBorrower)))
			contains(t, text(read), "Inês M.", "i•••@example.com", "Married", "Next, with set: update_borrower {")
			lacks(t, text(read), "delete_borrower")

			change := withArg(withArg(borrowerArgs(otherBorrower), "version", versionOf(t, read)), "idempotencyKey", "k-1")
			change["personal"] = map[string]any{"email": "nova.morada@example.com"}
			confirmed := a.confirmed(t, "update_borrower", change, "edit.changes", "E-mail: i•••@example.com → n•••@example.com.")
			failed(t, a.call(t, "update_borrower", withArg(change, "confirmed", []string{"edit.changes"})), "args.unknown_field")
			failed(t, a.call(t, "update_borrower", withArg(change, "confirmation", "edit.changes")), "edit.changes", "confirmation.unknown")
			if n := e.bank.Calls(portal.BorrowerUpdate); n != 0 {
				t.Fatalf("the bank was called %d times before the confirmation", n)
			}
			done := succeeded(t, a.call(t, "update_borrower", confirmed))
			contains(t, text(done), "Inês M.", "Next: get_borrower {")
			after := e.storedBorrower(t, otherBorrower)
			if changed := differing(before, after); !slices.Equal(changed, []string{"personal.email"}) || after["personal.email"] != "nova.morada@example.com" {
				t.Errorf("changed: %v", changed)
			}

			sameResult(t, done, succeeded(t, a.call(t, "update_borrower", confirmed)))
			failed(t, a.call(t, "update_borrower", withArg(confirmed, "idempotencyKey", "k-2")), "edit.nothing")
			if n := e.bank.Calls(portal.BorrowerUpdate); n != 1 {
				t.Errorf("the bank was called %d times", n)
			}
			a.checkNothingLeaked(t, e, append(personalDataOf(before), "nova.morada@example.com")...)
		})
	}
}

func TestAnAssistantClearsAFieldByItsPath(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			a := variant.start(t, e)
			before := e.storedBorrower(t, otherBorrower)
			emptying := func(path string) map[string]any { return withArg(borrowerArgs(otherBorrower), "clear", []string{path}) }
			for _, path := range []string{"personal.name", "process", "version", "floor"} {
				refused := a.call(t, "update_borrower", emptying(path))
				if failed(t, refused, "edit.clear"); confirmationOf(refused) != "" {
					t.Errorf("%s: an error has a confirmation", path)
				}
			}
			succeeded(t, a.call(t, "update_borrower", a.confirmed(t, "update_borrower", emptying("personal.floor"), "edit.changes", "Floor: •••••• → —")))
			after := e.storedBorrower(t, otherBorrower)
			if changed := differing(before, after); !slices.Equal(changed, []string{"personal.floor"}) || after["personal.floor"] != nil {
				t.Errorf("changed: %v", changed)
			}
			a.checkNothingLeaked(t, e, personalDataOf(before)...)
		})
	}
}

func TestAnAssistantIsWarnedThatSomebodyElseChangedTheBorrower(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			a := variant.start(t, e)
			stale := versionOf(t, succeeded(t, a.call(t, "get_borrower", borrowerArgs(otherBorrower))))

			meanwhile, err := e.bankAPI.Borrower(t.Context(), coupleProcess, otherBorrower)
			must(t, err)
			request := meanwhile.Request()
			request.Personal.Mobile = pii.New[pii.Phone]("+351919876543")
			_, err = e.bankAPI.UpdateBorrower(t.Context(), coupleProcess, otherBorrower, request)
			must(t, err)
			before := e.storedBorrower(t, otherBorrower)

			change := withArg(borrowerArgs(otherBorrower), "version", stale)
			change["personal"] = map[string]any{"dependentsNumber": 2}
			confirmed := a.confirmed(t, "update_borrower", change, "edit.meanwhile", "edit.changes", "Number of dependants: 1 → 2")
			lacks(t, text(a.call(t, "update_borrower", withArg(change, "version", versionOf(t, a.call(t, "get_borrower", borrowerArgs(otherBorrower)))))), "edit.meanwhile")
			succeeded(t, a.call(t, "update_borrower", confirmed))
			if changed := differing(before, e.storedBorrower(t, otherBorrower)); !slices.Equal(changed, []string{"personal.dependentsNumber"}) {
				t.Errorf("changed: %v", changed) // the other change remains
			}
			a.checkNothingLeaked(t, e, personalDataOf(before)...)
		})
	}
}

func TestAnAssistantDeletesABorrowerOnlyWithTheApprovalOfItsPerson(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			e := start(t, withApprovals, func(o *options) { o.policy = tools.Policy{"*": tools.Allow} }) // which does not count for what deletes
			a := variant.start(t, e)
			for _, tool := range a.tools(t) {
				if known, ok := catalogue.New().Named(tool.Name); ok && known.Effect == tools.Deletes {
					t.Errorf("%s is in the list of the core", tool.Name)
				}
			}
			deletion := func(more string, value any) map[string]any {
				return withArg(map[string]any{"operation": "delete_borrower", "arguments": borrowerArgs(otherBorrower)}, more, value)
			}
			asked := approvalIn(t, a.call(t, "write_operation", deletion("confirmation", "yes")))
			if again := approvalIn(t, a.call(t, "write_operation", deletion("confirmation", "again"))); again.ID != asked.ID || asked.Status != "waiting" {
				t.Errorf("got %+v and %+v", asked, again)
			}
			if n := e.bank.Calls(portal.BorrowerDelete); n != 0 {
				t.Fatalf("the bank was called %d times", n)
			}
			person := tools.Actor{ID: account, Lang: words.Portuguese}
			review, err := e.runner.Review(t.Context(), person, asked.ID)
			must(t, err)
			if len(review.Problems) != 1 || review.Problems[0].Code != "delete.borrower" || review.Altered {
				t.Errorf("she is shown %+v, altered: %v", review.Problems, review.Altered)
			}
			_, err = e.runner.Approve(t.Context(), person, asked.ID, tools.Approved{Seen: review.Seen})
			must(t, err)
			if told := approvalIn(t, a.call(t, "await_approval", map[string]any{"approval": asked.ID})); told.Status != "done" || e.bank.Calls(portal.BorrowerDelete) != 1 {
				t.Errorf("got %+v after %d calls", told, e.bank.Calls(portal.BorrowerDelete))
			}
		})
	}
}

func TestAnAssistantSendsTheESISOnce(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			a := variant.start(t, e)
			personalData := append(personalDataOf(e.storedBorrower(t, otherBorrower)), "outra.pessoa@example.com")
			sending := withArg(borrowerArgs(otherBorrower), "idempotencyKey", "k-1")
			confirmed := a.confirmed(t, "send_esis", sending, "i•••@example.com", "cannot be taken back", "recipient.send")
			done := succeeded(t, a.call(t, "send_esis", confirmed))
			contains(t, text(done), "i•••@example.com")
			sameResult(t, done, succeeded(t, a.call(t, "send_esis", confirmed)))
			failed(t, a.call(t, "send_esis", withArg(confirmed, "idempotencyKey", "k-2")), "confirmation.used")
			failed(t, a.call(t, "send_esis", withArg(withArg(confirmed, "idempotencyKey", "k-3"), "borrower", requestKey.String())), "confirmation.arguments")
			sent := e.bank.Sent()
			if len(sent) != 1 || sent[0].Process != coupleProcess || sent[0].To.Reveal() != "ines.modelo@example.com" || sent[0].IgnoreRules {
				t.Fatalf("sent: %+v", sent)
			}

			elsewhere := map[string]any{"process": "1043", "email": "outra.pessoa@example.com"}
			failed(t, a.call(t, "send_esis", elsewhere), "only_people", "in Slack")
			failed(t, a.call(t, "send_esis", withArg(elsewhere, "borrower", otherBorrower.String())), "only_people")
			failed(t, a.call(t, "send_esis", withArg(elsewhere, "confirmation", confirmed["confirmation"])), "only_people")
			failed(t, a.call(t, "send_esis", map[string]any{"process": "1043"}), "recipient.missing")
			failed(t, a.call(t, "send_esis", withArg(borrowerArgs(otherBorrower), "ignoreRules", true)), "args.unknown_field")
			if n := len(e.bank.Sent()); n != 1 {
				t.Errorf("sent %d times", n)
			}
			a.checkNothingLeaked(t, e, personalData...)
		})
	}
}

func TestAClosedProcessIsReportedBeforeOtherProblems(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			a := variant.start(t, start(t))
			result := a.call(t, "create_borrower", map[string]any{"process": "1049", "personal": map[string]any{"taxId": "1"}})
			failure := failed(t, result, "Process 1049", "Closed", "list_borrowers", "get_esis", sandbox.SampleProcess(sandbox.SampleClosed).String())
			lacks(t, failure, "check digit", "required", "create_borrower")
			if kind := result.Meta.AdditionalFields["balcao/error"].(map[string]any)["kind"]; kind != string(tools.Closed) {
				t.Errorf("the kind is %v", kind)
			}
			lacks(t, text(succeeded(t, a.call(t, "list_borrowers", map[string]any{"process": "1049"}))), "create_borrower")
		})
	}
}

func TestWhatOnlyPeopleMayDecideIsRefusedToAnAssistant(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			a := variant.start(t, e)
			skipping := map[string]any{"process": fmt.Sprint(sandbox.SampleTooOld), "ignoreRules": true}
			for _, args := range []map[string]any{skipping, withArg(skipping, "reason", "for the file")} {
				failure := failed(t, a.call(t, "get_esis", args), "ignoreRules: Only a person may", "only_people")
				lacks(t, failure, "for the file", "reason.missing")
			}
			if n := e.bank.Calls(portal.ProcessESISGet); n != 0 {
				t.Errorf("the bank was called %d times", n)
			}
			failed(t, a.call(t, "get_esis", map[string]any{"process": sandbox.SampleTooOld}), "The bank refused")
		})
	}
}

func TestAWholeBorrowerFitsInFourKilobytes(t *testing.T) {
	t.Parallel()
	for _, lang := range words.Langs {
		e := start(t, func(s *options) { s.app.Actor = mcpapp.Always(tools.Actor{ID: "ana", Lang: lang}) })
		a := variants[3].start(t, e)
		rest := borrowerArgs(otherBorrower)
		rest["personal"] = map[string]any{"phone": "+351212345678", "address": strings.Repeat("Rua das Amostras ", 10)}
		rest["financial"] = map[string]any{
			"installmentHousingCredit": 12345.67, "installmentAutoLeasingCredit": 12345.67, "installmentCreditCard": 12345.67,
			"installmentBankOverdraft": 12345.67, "installmentOther": 12345.67,
		}
		succeeded(t, a.call(t, "update_borrower", withArg(rest, "confirmation", confirmationOf(a.call(t, "update_borrower", rest)))))
		read := succeeded(t, a.call(t, "get_borrower", borrowerArgs(otherBorrower)))
		whole, err := json.Marshal(read)
		must(t, err)
		fields := 2 // role and relation
		for _, group := range read.StructuredContent.(map[string]any)["fields"].(map[string]any) {
			fields += len(group.(map[string]any))
		}
		t.Logf("%s: %d fields in %d bytes", lang, fields, len(whole))
		if create, _ := catalogue.New().Named("create_borrower"); fields != len(create.Fields)-1 || len(whole) > 4<<10 { // all but the process
			t.Errorf("%s: %d fields of %d in %d bytes", lang, fields, len(create.Fields)-1, len(whole))
		}
	}
}
