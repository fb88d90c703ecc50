package slackapp

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/slack-go/slack"

	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/kindtest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/validation"
)

// appWithKinds is an app with a tool for each kind, with a sandbox bank.
func appWithKinds(t *testing.T, kinds ...*tools.Kind) (*App, request) {
	t.Helper()
	app, req, _ := newAppWithModal(t)
	bank := httptest.NewServer(sandbox.New(sandbox.Config{}))
	t.Cleanup(bank.Close)
	client, err := portal.New(portal.Config{BaseURL: bank.URL, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	secrets, err := keys.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	app.runner = tools.NewRunner(tools.Config{
		Catalogue: kindtest.Catalogue(t, kinds...), Bank: client, Checks: validation.New(validation.Options{}), Journal: app.store, AuditLog: app.store,
		Fingerprint: secrets.Fingerprint, Index: app.store,
		People: tools.Team{"": {Login: portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[0]}}},
	})
	req.actor.ID, req.actor.Lang, req.ackBy = "slack:T0BALCAO/U0ANA", words.Portuguese, time.Now().Add(time.Minute)
	return app, req
}

// kindForm is a form of a tool at its second page, about a process with borrowers.
func kindForm(t *testing.T, app *App, req request, tool *tools.Tool) (*form, view) {
	t.Helper()
	draft, err := app.store.StartDraft(t.Context(), req.actor.ID, tool.Name, "1043")
	if err != nil {
		t.Fatal(err)
	}
	f := &form{tool, draft}
	f.Page, f.Notes = "value", map[string]string{noteView: req.view}
	f.Answers = map[string]string{"process": sandbox.SampleProcess(1043).String(), "simulation": sandbox.SampleSimulation(2103).String()}
	if err := app.save(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	return f, view{ID: req.view, Callback: tool.Name, Metadata: string(encode(formState{f.ID, f.Page}))}
}

// elements is what Slack shows for each control.
var elements = map[tools.Control]string{
	tools.ControlText: "plain_text_input", tools.ControlLines: "plain_text_input", tools.ControlNumber: "number_input",
	tools.ControlEmail: "email_text_input", tools.ControlDate: "plain_text_input", tools.ControlYesNo: "static_select",
	tools.ControlSelect: "external_select", tools.ControlPerson: "users_select", tools.ControlFile: "file_input",
}

// samples are values of which each kind reads at least one.
var samples = []string{"2", "true", "0f0c3f2e-6a53-4b7e-9d6b-0d8f1a2b3c4d", "genders", "bank"}

// answerState is what Slack reports of an element with a value in it.
func answerState(element, value string) string {
	switch element {
	case "static_select", "external_select":
		return fmt.Sprintf(`{"type":%q,"selected_option":{"value":%q,"text":{"text":"Label"}}}`, element, value)
	case "users_select":
		return fmt.Sprintf(`{"type":%q,"selected_user":%q}`, element, value)
	case "file_input":
		return fmt.Sprintf(`{"type":%q,"files":[{"id":"F1","name":"contrato.pdf","size":10}]}`, element)
	}
	return fmt.Sprintf(`{"type":%q,"value":%q}`, element, value)
}

// inputOf returns the input of a field in a view, and the type of its element.
func inputOf(view slack.ModalViewRequest, path string) (*slack.InputBlock, string) {
	for _, block := range view.Blocks.BlockSet {
		if input, ok := block.(*slack.InputBlock); ok && input.BlockID == path {
			return input, string(input.Element.ElementType())
		}
	}
	return nil, ""
}

func TestEachKindHasAnInputWhoseAnswerIsReadBack(t *testing.T) {
	app, req := appWithKinds(t, kindtest.Kinds()...)
	for _, kind := range kindtest.Kinds() {
		t.Run(kind.Name, func(t *testing.T) {
			tool, known := app.runner.Catalogue.Named(kindtest.ToolName(kind))
			if !known {
				t.Fatal("it has no tool")
			}
			f, _ := kindForm(t, app, req, tool)
			page := pageView(words.Portuguese, f)
			if err := app.show(t.Context(), &req, page); err != nil {
				t.Fatalf("Slack refuses its page: %v", err)
			}
			block, element := inputOf(page, "value")
			if block == nil || element != elements[kind.Control] {
				t.Fatalf("a control %s is shown as a %s", kind.Control, element)
			}
			if text, ok := block.Element.(*slack.PlainTextInputBlockElement); ok && text.Multiline != (kind.Control == tools.ControlLines) {
				t.Errorf("its input has several lines: %v", text.Multiline)
			}
			read := slices.ContainsFunc(samples, func(sample string) bool {
				var given answer
				if err := json.Unmarshal([]byte(answerState(element, sample)), &given); err != nil {
					t.Fatal(err)
				}
				f.collect("value", state{Values: map[string]map[string]answer{"value": {"x": given}}})
				args, problems := tool.Args(f.Answers, words.Portuguese)
				return problems == nil && strings.Contains(string(args), `"value":`)
			})
			if !read {
				t.Errorf("no answer is read back: the last was %q", f.Answers["value"])
			}
			again := pageView(words.Portuguese, f)
			if err := app.show(t.Context(), &req, again); err != nil {
				t.Errorf("Slack refuses its page with an answer: %v", err)
			}
		})
	}
}

func TestEachKindWithChoicesAnswersASuggestion(t *testing.T) {
	app, req := appWithKinds(t, kindtest.Kinds()...)
	for _, kind := range kindtest.Kinds() {
		if kind.Choices == nil {
			continue
		}
		t.Run(kind.Name, func(t *testing.T) {
			tool, _ := app.runner.Catalogue.Named(kindtest.ToolName(kind))
			_, shown := kindForm(t, app, req, tool)
			found := app.suggest(t.Context(), req, interaction{View: shown, BlockID: "value"})
			if len(found.Options) == 0 || slices.ContainsFunc(found.Options, func(o *slack.OptionBlockObject) bool { return o.Value == unanswered }) {
				t.Fatalf("it suggests %s", encode(found.Options))
			}
			field, _ := tool.Field("value")
			answers := map[string]string{"process": "1043", "simulation": "2103"}
			option, ok := app.runner.Option(t.Context(), req.actor, field, found.Options[0].Value, answers)
			if !ok || option.Value != found.Options[0].Value || option.Text == "" {
				t.Errorf("what it suggests is found as %+v, %v", option, ok)
			}
		})
	}
}

func TestAnotherProcessEndsAChoiceThatDependedOnIt(t *testing.T) {
	app, req := appWithKinds(t, kindtest.Attachment)
	f, _ := kindForm(t, app, req, app.runner.Catalogue.Tools()[0])
	f.Answers["value"], f.Notes[noteLabel+"value"], f.Answers["borrower"] = kindtest.Contract, "Contrato 1043", uuid.NewString()
	chosen := func(process string) {
		f.collect("about", state{Values: map[string]map[string]answer{"process": {"x": {Chosen: &selectedOption{Value: process}}}}})
	}
	if chosen(f.Answers["process"]); f.Answers["value"] != kindtest.Contract || f.Answers["borrower"] == "" {
		t.Errorf("the same process: %v", f.Answers)
	}
	if chosen(uuid.NewString()); f.Answers["value"] != "" || f.Notes[noteLabel+"value"] != "" || f.Answers["borrower"] != "" {
		t.Errorf("another process: %v, %v", f.Answers, f.Notes)
	}
}

func TestAFileIsKeptUntilAnotherReplacesIt(t *testing.T) {
	app, req := appWithKinds(t, tools.Upload)
	f, _ := kindForm(t, app, req, app.runner.Catalogue.Tools()[0])
	give := func(files ...uploadedFile) string {
		f.collect("value", state{Values: map[string]map[string]answer{"value": {"x": {Files: files}}}})
		return f.Answers["value"]
	}
	first := give(uploadedFile{"F1", "contrato Rui Amostra.pdf", 10})
	if again := give(); again != first || first == "" {
		t.Errorf("an empty input leaves %q of %q", again, first)
	}
	if block, _ := inputOf(pageView(words.English, f), "value"); !block.Optional || block.Hint == nil {
		t.Error("Slack wants the file again")
	}
	for _, refused := range []uploadedFile{{"", "contrato.pdf", 10}, {"F3", "contrato.pdf", 33 << 20}, {"F4", "contrato.pdf", -1}} {
		give(refused)
		problems := app.runner.CheckPage(t.Context(), req.actor, f.tool, "value", f.toForm())
		if len(problems) == 0 || problems[0].Code != "kind.file" {
			t.Errorf("%s of %d bytes: got %v", refused.Name, refused.Size, problems)
		}
	}
}
