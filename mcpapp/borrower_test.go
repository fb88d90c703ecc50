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

// The couple of process 1043: Rui is the key borrower, Inês the other.
var (
	couple = sandbox.SampleProcess(sandbox.SampleCouple)
	key    = sandbox.SampleBorrower(sandbox.SampleCouple, 0)
	ines   = sandbox.SampleBorrower(sandbox.SampleCouple, 1)
)

// about is arguments about a borrower of the couple.
func about(borrower uuid.UUID) map[string]any {
	return map[string]any{"process": "1043", "borrower": borrower.String()}
}

// agreed is a call whose warnings, which have to be these, the person has agreed to.
func (a *assistant) agreed(t *testing.T, tool string, args map[string]any, codes ...string) map[string]any {
	t.Helper()
	asked := a.call(t, tool, args)
	failed(t, asked, append(codes, "«confirmation» = "+confirmationOf(asked))...)
	return with(args, "confirmation", confirmationOf(asked))
}

// confirmationOf is what came with a question, "" when there is none.
func confirmationOf(asked *mcp.CallToolResult) string {
	if !asked.IsError {
		return ""
	}
	return asked.Meta.AdditionalFields["balcao/error"].(map[string]any)["confirmation"].(string)
}

// held is what the bank holds of a borrower of the couple, in the clear, by path.
func (h *house) held(t *testing.T, borrower uuid.UUID) map[string]any {
	t.Helper()
	found, err := h.api.Borrower(t.Context(), couple, borrower)
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

// differing lists the paths where two borrowers differ.
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

// secretsOf lists what of a borrower may be in no answer, and in no log.
func secretsOf(held map[string]any) []string {
	var values []string
	for _, path := range []string{
		"personal.birthDate", "personal.taxId", "personal.mobile", "personal.email", "personal.identificationDocumentNumber",
		"personal.checkDigit", "personal.identificationDocumentExpiredDate", "personal.socialSecurityNumber", "personal.address",
		"personal.floor", "personal.zipCode", "financial.incomeWagesPensions", "professional.employerName", "professional.employerTaxId",
	} {
		if held[path] != nil {
			values = append(values, fmt.Sprint(held[path]))
		}
	}
	_, surname, _ := strings.Cut(held["personal.name"].(string), " ")
	return append(values, surname)
}

// keepsToItself wants nothing of what the bank held in what an assistant was told, nor in the log.
func (a *assistant) keepsToItself(t *testing.T, h *house, secrets ...string) {
	t.Helper()
	if len(secrets) < 10 {
		t.Fatalf("there are %d secrets to look for", len(secrets))
	}
	for place, text := range map[string]string{"an answer": strings.ReplaceAll(a.told.String(), `\n`, "\n"), "the log": h.log.String()} {
		text = uuids.ReplaceAllString(text, "")
		for _, secret := range secrets { // whole: a duration or a digest may have the digits of an income in it
			if whole := regexp.MustCompile(`(^|[^0-9A-Za-z])` + regexp.QuoteMeta(secret) + `([^0-9A-Za-z]|$)`); whole.MatchString(text) {
				t.Errorf("%q is in %s:\n%s", secret, place, text)
			}
		}
	}
}

func same(t *testing.T, first, second *mcp.CallToolResult) {
	t.Helper()
	if text(first) != text(second) || !reflect.DeepEqual(first.StructuredContent, second.StructuredContent) {
		t.Errorf("two answers:\n%s\n%s", text(first), text(second))
	}
}

func version(t *testing.T, read *mcp.CallToolResult) string {
	t.Helper()
	found := read.StructuredContent.(map[string]any)["version"].(string)
	contains(t, text(read), found)
	return found
}

func TestAnAssistantChangesOneFieldOfABorrower(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			h := open(t, func(s *settings) { s.redis = redistest.Start(t) })
			a := door.open(t, h)
			before := h.held(t, ines)

			contains(t, text(succeeded(t, a.call(t, "list_borrowers", map[string]any{"process": "1043"}))), ines.String(), "Next: get_borrower {")
			read := succeeded(t, a.call(t, "get_borrower", about(ines)))
			contains(t, text(read), "Inês M.", "i•••@example.com", "Married", "Next: update_borrower {")
			lacks(t, text(read), "Next: delete_borrower")

			change := with(with(about(ines), "version", version(t, read)), "idempotencyKey", "k-1")
			change["personal"] = map[string]any{"email": "nova.morada@example.com"}
			agreed := a.agreed(t, "update_borrower", change, "edit.changes", "E-mail: i•••@example.com → n•••@example.com.")
			failed(t, a.call(t, "update_borrower", with(change, "confirmed", []string{"edit.changes"})), "args.unknown_field")
			failed(t, a.call(t, "update_borrower", with(change, "confirmation", "edit.changes")), "edit.changes", "confirmation.unknown")
			if n := h.bank.Calls(portal.BorrowerUpdate); n != 0 {
				t.Fatalf("the bank was asked to change %d times before anybody confirmed", n)
			}
			done := succeeded(t, a.call(t, "update_borrower", agreed))
			contains(t, text(done), "Inês M.", "Next: get_borrower {")
			after := h.held(t, ines)
			if changed := differing(before, after); !slices.Equal(changed, []string{"personal.email"}) || after["personal.email"] != "nova.morada@example.com" {
				t.Errorf("changed: %v", changed)
			}

			same(t, done, succeeded(t, a.call(t, "update_borrower", agreed)))
			failed(t, a.call(t, "update_borrower", with(agreed, "idempotencyKey", "k-2")), "edit.nothing")
			if n := h.bank.Calls(portal.BorrowerUpdate); n != 1 {
				t.Errorf("the bank was asked to change %d times", n)
			}
			a.keepsToItself(t, h, append(secretsOf(before), "nova.morada@example.com")...)
		})
	}
}

func TestAnAssistantEmptiesAFieldByItsPath(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			h := open(t)
			a := door.open(t, h)
			before := h.held(t, ines)
			emptying := func(path string) map[string]any { return with(about(ines), "clear", []string{path}) }
			for _, path := range []string{"personal.name", "process", "version", "floor"} {
				refused := a.call(t, "update_borrower", emptying(path))
				if failed(t, refused, "edit.clear"); confirmationOf(refused) != "" {
					t.Errorf("%s: what is wrong can be confirmed", path)
				}
			}
			succeeded(t, a.call(t, "update_borrower", a.agreed(t, "update_borrower", emptying("personal.floor"), "edit.changes", "Floor: •••••• → —")))
			after := h.held(t, ines)
			if changed := differing(before, after); !slices.Equal(changed, []string{"personal.floor"}) || after["personal.floor"] != nil {
				t.Errorf("changed: %v", changed)
			}
			a.keepsToItself(t, h, secretsOf(before)...)
		})
	}
}

func TestAnAssistantHearsThatSomebodyElseChangedTheBorrower(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			h := open(t)
			a := door.open(t, h)
			stale := version(t, succeeded(t, a.call(t, "get_borrower", about(ines))))

			meanwhile, err := h.api.Borrower(t.Context(), couple, ines)
			must(t, err)
			request := meanwhile.Request()
			request.Personal.Mobile = pii.New[pii.Phone]("+351919876543")
			_, err = h.api.UpdateBorrower(t.Context(), couple, ines, request)
			must(t, err)
			before := h.held(t, ines)

			change := with(about(ines), "version", stale)
			change["personal"] = map[string]any{"dependentsNumber": 2}
			agreed := a.agreed(t, "update_borrower", change, "edit.meanwhile", "edit.changes", "Number of dependants: 1 → 2")
			lacks(t, text(a.call(t, "update_borrower", with(change, "version", version(t, a.call(t, "get_borrower", about(ines)))))), "edit.meanwhile")
			succeeded(t, a.call(t, "update_borrower", agreed))
			if changed := differing(before, h.held(t, ines)); !slices.Equal(changed, []string{"personal.dependentsNumber"}) {
				t.Errorf("changed: %v", changed) // what the other one did stays
			}
			a.keepsToItself(t, h, secretsOf(before)...)
		})
	}
}

func TestDeletingIsNotOfferedToAnAssistantAndRefusedWhenAskedFor(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			h := open(t)
			a := door.open(t, h)
			for _, tool := range a.tools(t) {
				if known, _ := tools.Named(tool.Name); known.Effect == tools.Deletes {
					t.Errorf("%s is offered", tool.Name)
				}
			}
			for _, args := range []map[string]any{about(ines), with(about(ines), "confirmation", "yes"), with(about(ines), "idempotencyKey", "k-1")} {
				failed(t, a.call(t, "delete_borrower", args), "Only a person may do this", "in Slack, with /borrower-delete")
			}
			if n := h.bank.Calls(portal.BorrowerDelete); n != 0 {
				t.Errorf("the bank was asked to delete %d times", n)
			}
			contains(t, h.log.String(), `"tool":"delete_borrower","outcome":"people_only"`)
		})
	}
}

func TestAnAssistantSendsTheESISOnce(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			h := open(t)
			a := door.open(t, h)
			secrets := append(secretsOf(h.held(t, ines)), "outra.pessoa@example.com")
			sending := with(about(ines), "idempotencyKey", "k-1")
			agreed := a.agreed(t, "send_esis", sending, "i•••@example.com", "cannot be taken back", "recipient.send")
			done := succeeded(t, a.call(t, "send_esis", agreed))
			contains(t, text(done), "i•••@example.com")
			same(t, done, succeeded(t, a.call(t, "send_esis", agreed)))
			failed(t, a.call(t, "send_esis", with(agreed, "idempotencyKey", "k-2")), "confirmation.used")
			failed(t, a.call(t, "send_esis", with(with(agreed, "idempotencyKey", "k-3"), "borrower", key.String())), "confirmation.arguments")
			sent := h.bank.Sent()
			if len(sent) != 1 || sent[0].Process != couple || sent[0].To.Reveal() != "ines.modelo@example.com" || sent[0].IgnoreRules {
				t.Fatalf("sent: %+v", sent)
			}

			elsewhere := map[string]any{"process": "1043", "email": "outra.pessoa@example.com"}
			failed(t, a.call(t, "send_esis", elsewhere), "only_people", "in Slack")
			failed(t, a.call(t, "send_esis", with(elsewhere, "borrower", ines.String())), "only_people")
			failed(t, a.call(t, "send_esis", with(elsewhere, "confirmation", agreed["confirmation"])), "only_people")
			failed(t, a.call(t, "send_esis", map[string]any{"process": "1043"}), "recipient.missing")
			failed(t, a.call(t, "send_esis", with(about(ines), "ignoreRules", true)), "args.unknown_field")
			if n := len(h.bank.Sent()); n != 1 {
				t.Errorf("sent %d times", n)
			}
			a.keepsToItself(t, h, secrets...)
		})
	}
}

func TestAnAssistantHearsFirstThatAProcessIsClosed(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			a := door.open(t, open(t))
			result := a.call(t, "create_borrower", map[string]any{"process": "1049", "personal": map[string]any{"taxId": "1"}})
			told := failed(t, result, "Process 1049", "Closed", "list_borrowers", "get_esis", sandbox.SampleProcess(sandbox.SampleClosed).String())
			lacks(t, told, "check digit", "required", "create_borrower")
			if kind := result.Meta.AdditionalFields["balcao/error"].(map[string]any)["kind"]; kind != string(tools.Closed) {
				t.Errorf("the kind is %v", kind)
			}
			lacks(t, text(succeeded(t, a.call(t, "list_borrowers", map[string]any{"process": "1049"}))), "create_borrower")
		})
	}
}

func TestWhatOnlyPeopleMayDecideIsRefusedToAnAssistant(t *testing.T) {
	for _, door := range doors {
		t.Run(door.name, func(t *testing.T) {
			h := open(t)
			a := door.open(t, h)
			skipping := map[string]any{"process": fmt.Sprint(sandbox.SampleTooOld), "ignoreRules": true}
			for _, args := range []map[string]any{skipping, with(skipping, "reason", "for the file")} {
				told := failed(t, a.call(t, "get_esis", args), "ignoreRules: Only a person may", "only_people")
				lacks(t, told, "for the file", "reason.missing")
			}
			if n := h.bank.Calls(portal.ProcessESISGet); n != 0 {
				t.Errorf("the bank made %d of them", n)
			}
			failed(t, a.call(t, "get_esis", map[string]any{"process": sandbox.SampleTooOld}), "The bank refused")
		})
	}
}

func TestAWholeBorrowerFitsInFourKilobytes(t *testing.T) {
	for _, lang := range words.Langs {
		h := open(t, func(s *settings) { s.app.Actor = mcpapp.Always(tools.Actor{ID: "ana", Lang: lang}) })
		a := doors[3].open(t, h)
		rest := about(ines)
		rest["personal"] = map[string]any{"phone": "+351212345678", "address": strings.Repeat("Rua das Amostras ", 10)}
		rest["financial"] = map[string]any{
			"installmentHousingCredit": 12345.67, "installmentAutoLeasingCredit": 12345.67, "installmentCreditCard": 12345.67,
			"installmentBankOverdraft": 12345.67, "installmentOther": 12345.67,
		}
		succeeded(t, a.call(t, "update_borrower", with(rest, "confirmation", confirmationOf(a.call(t, "update_borrower", rest)))))
		read := succeeded(t, a.call(t, "get_borrower", about(ines)))
		whole, err := json.Marshal(read)
		must(t, err)
		fields := 2 // role and relation
		for _, group := range read.StructuredContent.(map[string]any)["fields"].(map[string]any) {
			fields += len(group.(map[string]any))
		}
		t.Logf("%s: %d fields in %d bytes", lang, fields, len(whole))
		if create, _ := tools.Named("create_borrower"); fields != len(create.Fields)-1 || len(whole) > 4<<10 { // all but the process
			t.Errorf("%s: %d fields of %d in %d bytes", lang, fields, len(create.Fields)-1, len(whole))
		}
	}
}
