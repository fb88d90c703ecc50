package mcpapp_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/mcpapp"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/catalogue"
)

// operations returns the names that find_operation lists, in its order.
func (a *assistant) operations(t *testing.T, text string) []string {
	t.Helper()
	var names []string
	found := succeeded(t, a.call(t, "find_operation", map[string]any{"text": text}))
	for _, row := range found.StructuredContent.(map[string]any)["operations"].([]any) {
		names = append(names, row.(map[string]any)["operation"].(string))
	}
	return names
}

func TestTheCoreAndFourToolsThatReachTheRestAreListed(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			var listed []string
			for _, tool := range variant.start(t, start(t)).tools(t) {
				listed = append(listed, tool.Name)
				destructive, reads := tool.Name == "write_operation", tool.Name != "write_operation" && tool.Name != "withdraw_approval"
				if slices.Contains(ownTools, tool.Name) && (*tool.Annotations.DestructiveHint != destructive || *tool.Annotations.ReadOnlyHint != reads) {
					t.Errorf("%s has the hints %+v", tool.Name, tool.Annotations)
				}
			}
			var want []string
			for _, tool := range forAssistants(t) {
				want = append(want, tool.Name)
			}
			want = append(want, ownTools...)
			slices.Sort(want)
			if slices.Sort(listed); !slices.Equal(listed, want) {
				t.Errorf("got %v, want %v", listed, want)
			}
		})
	}
}

func TestAnOperationIsFoundByWordsOfEitherLanguage(t *testing.T) {
	t.Parallel()
	a := variants[3].start(t, start(t))
	for text, want := range map[string]string{
		"send the ESIS by e-mail":          "send_esis",
		"enviar a FINE por email":          "send_esis",
		"FINES":                            "get_esis",
		"delete a borrower":                "delete_borrower",
		"eliminar proponentes":             "delete_borrower",
		"alterações recentes":              "process_updates",
		"alteracoes":                       "process_updates",
		"marital statuses list":            "search_taxonomy",
		"listas do banco":                  "search_taxonomy",
		"add a borrower":                   "create_borrower",
		"mudar o e-mail de um proponente":  "update_borrower",
		"quiet hours":                      "set_quiet",
		"silenciar um processo":            "mute_process",
		"seguir processos de uma agência":  "follow_processes",
		"who owns a process":               "own_process",
		"search for processes by the name": "find_processes",
		"search proceses":                  "find_processes",
		"anexar um comprovativo":           "add_document",
		"upload a payslip scan":            "add_document",
		"responder ao banco":               "send_message",
		"reply to the bank":                "send_message",
		"ver o apartamento":                "get_property",
		"corrigir a morada da casa":        "update_property",
		"quanto custa a prestação":         "validate_simulation",
		"mortgage calculator":              "validate_simulation",
		"nova simulação":                   "create_simulation",
		"hand in a process":                "submit_process",
		"o que falta para submeter":        "check_process",
	} {
		if got := a.operations(t, text); len(got) == 0 || got[0] != want || len(got) > 12 {
			t.Errorf("%q: got %v, want %s", text, got, want)
		}
	}
	whole := a.operations(t, "")
	if len(whole) != len(catalogue.New().Tools()) {
		t.Errorf("without text %d operations are listed", len(whole))
	}
	if got := a.operations(t, "qwrtpsd"); !slices.Equal(got, whole) {
		t.Errorf("where nothing matches, got %v", got)
	}
	contains(t, text(a.call(t, "find_operation", map[string]any{"text": "borrower"})),
		"get_borrower: Borrower (reads)", "create_borrower: New borrower (writes)", "delete_borrower: Delete borrower (writes)")
	contains(t, text(a.call(t, "find_operation", map[string]any{"text": "follow processes"})), "(for people, in Slack: /balcao follow)")
}

func TestAnOperationIsDescribedWithItsChoicesAndAnExample(t *testing.T) {
	t.Parallel()
	for lang, want := range map[words.Lang][]string{
		words.English: {
			"## create_borrower: New borrower (writes)", "- personal.genderId: Gender (label or id, required). One of: Female (1), Male (2), Not stated (3)",
			"A long list: search_taxonomy finds its items in countries", "personal.birthDate: Birth date (date, YYYY-MM-DD, required)",
			`Example: create_borrower {"process":"1042",`, "Answers: process, processNumber, borrower, name", "«confirmation»",
		},
		words.Portuguese: {"personal.genderId: Género (designação ou id, obrigatório). Um de: Feminino (1), Masculino (2)", "Exemplo: create_borrower {"},
	} {
		a := variants[3].start(t, start(t, func(s *options) { s.app.Actor = mcpapp.Always(tools.Actor{ID: "ana", Lang: lang}) }))
		described := succeeded(t, a.call(t, "describe_operation", map[string]any{"operation": "create_borrower"}))
		contains(t, text(described), want...)
		data := described.StructuredContent.(map[string]any)
		if genders := data["choices"].(map[string]any)["personal.genderId"].([]any); len(genders) != 3 {
			t.Errorf("the genders are %v", genders)
		}
	}
	a := variants[3].start(t, start(t))
	contains(t, text(succeeded(t, a.call(t, "describe_operation", map[string]any{"operation": "update_borrower"}))),
		`- set["personal.email"]: E-mail`, "What is not in «set» stays as it is")
	contains(t, text(succeeded(t, a.call(t, "describe_operation", map[string]any{"operation": "send_esis"}))),
		`Example: write_operation {"operation":"send_esis","arguments":{"process":"1043"`, "borrower: Borrower (a borrower's uuid, required)")
	contains(t, text(succeeded(t, a.call(t, "describe_operation", map[string]any{"operation": "search_taxonomy"}))), "maritalStatuses (Marital status)", "academicLevels")
	contains(t, text(succeeded(t, a.call(t, "describe_operation", map[string]any{"operation": "follow_processes"}))), "for people, in Slack: /balcao follow")
}

func TestEveryOperationIsDescribed(t *testing.T) {
	t.Parallel()
	for _, lang := range words.Langs {
		a := variants[3].start(t, start(t, func(s *options) { s.app.Actor = mcpapp.Always(tools.Actor{ID: "ana", Lang: lang}) }))
		for _, tool := range catalogue.New().Tools() {
			described := text(succeeded(t, a.call(t, "describe_operation", map[string]any{"operation": tool.Name})))
			contains(t, described, tool.Name, tool.Title(lang))
			lacks(t, described, "Cut here", "Texto cortado", "describe.")
			for _, field := range tool.Fields {
				if tool.ForAssistants() && strings.Contains(described, " "+pathOf(field)+": ") == field.People {
					t.Errorf("%s in %s: %s is described: %v", tool.Name, lang, field.Path, field.People)
				}
			}
		}
	}
}

func pathOf(field tools.Field) string {
	if field.Editable() {
		return `set["` + field.Path + `"]`
	}
	return field.Path
}

func TestAnOperationIsCalledThroughReadAndWrite(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			a := variant.start(t, e)
			through := func(operation string, args any) map[string]any {
				return map[string]any{"operation": operation, "arguments": args}
			}
			direct := succeeded(t, a.call(t, "get_esis", map[string]any{"process": "1043"}))
			read := succeeded(t, a.call(t, "read_operation", through("get_esis", map[string]any{"process": "1043"})))
			sameResult(t, direct, read)
			if linkOf(t, read) != linkOf(t, direct) && linkOf(t, read).URI != linkOf(t, direct).URI {
				t.Errorf("the links are %v and %v", linkOf(t, read), linkOf(t, direct))
			}
			contains(t, text(read), `Next, with borrower: write_operation {"operation":"send_esis","arguments":{"process":"`+coupleProcess.String()+`"}}`)
			sameResult(t, direct, succeeded(t, a.call(t, "read_operation", through("get_esis", `{"process":"1043"}`))))

			sending := through("send_esis", borrowerArgs(otherBorrower))
			sending["idempotencyKey"] = "k-1"
			confirmed := a.confirmed(t, "write_operation", sending, "recipient.send", "cannot be taken back")
			if n := len(e.bank.Sent()); n != 0 {
				t.Fatalf("%d are sent before the confirmation", n)
			}
			first := succeeded(t, a.call(t, "write_operation", confirmed))
			sameResult(t, first, succeeded(t, a.call(t, "write_operation", confirmed)))
			if n := len(e.bank.Sent()); n != 1 {
				t.Errorf("%d were sent", n)
			}
			contains(t, e.log.String(), `"tool":"send_esis","actor":"ana","outcome":"unconfirmed"`, `"tool":"send_esis","actor":"ana","outcome":"done"`, `"tool":"get_esis","actor":"ana","outcome":"done"`)
		})
	}
}

func TestACallOfTheWrongKindIsRefusedWithTheRightOne(t *testing.T) {
	t.Parallel()
	e := start(t)
	a := variants[3].start(t, e)
	for name, c := range map[string]struct {
		tool string
		args map[string]any
		want []string
	}{
		"a write as a read":        {"read_operation", map[string]any{"operation": "send_esis", "arguments": borrowerArgs(otherBorrower)}, []string{"Call it with write_operation."}},
		"a write of the core":      {"read_operation", map[string]any{"operation": "update_borrower"}, []string{"Call it with update_borrower."}},
		"a read as a write":        {"write_operation", map[string]any{"operation": "get_process", "arguments": map[string]any{"process": "1042"}}, []string{"Call it with get_process."}},
		"a deletion as a read":     {"read_operation", map[string]any{"operation": "delete_borrower", "arguments": borrowerArgs(otherBorrower)}, []string{"Call it with write_operation."}},
		"one for people":           {"write_operation", map[string]any{"operation": "follow_processes", "arguments": map[string]any{}}, []string{"Only a person may do this", "with /balcao follow"}},
		"one for people as a read": {"read_operation", map[string]any{"operation": "follow_processes", "arguments": map[string]any{}}, []string{"Only a person may do this", "with /balcao follow"}},
		"an unknown one":           {"read_operation", map[string]any{"operation": "list_borrower"}, []string{"There is no such operation. Nearest: list_borrowers"}},
		"none":                     {"read_operation", map[string]any{}, []string{"operation: Give the name of an operation"}},
		"one of the four":          {"read_operation", map[string]any{"operation": "find_operation"}, []string{"call it directly"}},
		"an argument outside":      {"read_operation", map[string]any{"operation": "get_process", "process": "1042"}, []string{"Put it into «arguments»"}},
		"arguments as a list":      {"read_operation", map[string]any{"operation": "get_process", "arguments": []string{"1042"}}, []string{"Give the arguments as an object."}},
		"an unknown argument":      {"find_operation", map[string]any{"query": "documents"}, []string{"Known: text"}},
	} {
		t.Run(name, func(t *testing.T) {
			lacks(t, failed(t, a.call(t, c.tool, c.args), c.want...), "list_borrower.", "1042")
		})
	}
	if n := e.bank.Calls(portal.BorrowerUpdate) + e.bank.Calls(portal.ProcessESISEmail) + e.bank.Calls(portal.BorrowerDelete); n != 0 {
		t.Errorf("the bank was called %d times", n)
	}
}

func TestWhoOnlyReadsIsOfferedNoWayToWrite(t *testing.T) {
	t.Parallel()
	a := variants[3].start(t, start(t, asActor("reader")))
	for _, tool := range a.tools(t) {
		if tool.Name == "write_operation" {
			t.Error("it is offered")
		}
	}
	if got := a.operations(t, ""); slices.Contains(got, "send_esis") || slices.Contains(got, "delete_borrower") || !slices.Contains(got, "get_esis") {
		t.Errorf("got %v", got)
	}
	failed(t, a.call(t, "write_operation", map[string]any{"operation": "send_esis", "arguments": borrowerArgs(otherBorrower)}), "not permitted")
	stranger := variants[3].start(t, start(t, asActor("nobody")))
	for _, tool := range ownTools {
		failed(t, stranger.call(t, tool, map[string]any{}), "not permitted")
	}
}

// Every step that an answer names is called as it stands. It may ask for a confirmation, and nothing else.
func TestStepsWorkAsTheyAreNamed(t *testing.T) {
	t.Parallel()
	called := 0
	for _, lang := range words.Langs {
		actor := func(s *options) { s.app.Actor = mcpapp.Always(tools.Actor{ID: "ana", Lang: lang}) }
		for _, tool := range catalogue.New().Tools() {
			takesFile := slices.ContainsFunc(tool.Fields, func(f tools.Field) bool { return f.Kind.Control == tools.ControlFile })
			if !tool.ForAssistants() || takesFile { // a file has to be uploaded first
				continue
			}
			t.Run(fmt.Sprint(tool.Name, " ", lang), func(t *testing.T) {
				a := variants[3].start(t, start(t, actor))
				name, args := "read_operation", map[string]any{"operation": tool.Name, "arguments": tool.Example}
				if tool.Effect.Writes() {
					name = "write_operation"
				}
				answer := a.call(t, name, args)
				if code := confirmationOf(answer); code != "" {
					answer = a.call(t, name, withArg(args, "confirmation", code))
				}
				for _, step := range stepsIn(t, succeeded(t, answer)) {
					called++
					if after := a.call(t, step.tool, step.args); after.IsError && confirmationOf(after) == "" {
						t.Errorf("%s leads to %s %v, which fails: %s", tool.Name, step.tool, step.args, text(after))
					}
				}
			})
		}
	}
	if called < 20 {
		t.Errorf("%d steps were called", called)
	}
}

// namedStep is a step that an answer names.
type namedStep struct {
	tool string
	args map[string]any
}

var nextLine = regexp.MustCompile(`(?m)^(?:Next|A seguir): (\w+) (\{.*\}) \(`)

func stepsIn(t *testing.T, answer *mcp.CallToolResult) (steps []namedStep) {
	t.Helper()
	for _, found := range nextLine.FindAllStringSubmatch(text(answer), -1) {
		step := namedStep{tool: found[1]}
		must(t, json.Unmarshal([]byte(found[2]), &step.args))
		steps = append(steps, step)
	}
	return steps
}
