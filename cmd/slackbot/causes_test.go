package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// cause is a bank that is not as it is taken to be, and what is said of it.
type cause struct {
	faults  []sandbox.Fault
	command string // typed by Ana, who reads Portuguese
	tool    string // called by an assistant, in English
	args    map[string]any
	person  []string
	machine []string
	log     []string
	ready   string // a part of what /readyz lists
	lasting bool   // a success does not end it
}

var (
	ofProcess = map[string]any{"process": "1042"}
	ofReasons = map[string]any{"taxonomy": "proposalCancelReasons"} // which no reply names
)

var causes = map[string]cause{
	"the login is refused": {
		faults: []sandbox.Fault{{Operation: portal.Authenticate, Status: 401}}, command: "/borrowers 1042", tool: "list_borrowers", args: ofProcess,
		person:  []string{"O banco recusou o início de sessão", "avise quem administra o Balcão, com a referência "},
		machine: []string{"The bank refused the login", "tell whoever administers Balcão, with the reference "},
		log:     []string{"the bank refuses the login", `"the bank rejects the login: check PORTAL_CLIENT_ID`}, ready: "bank: login refused",
	},
	"the login lacks a header": {
		faults:  []sandbox.Fault{{Operation: portal.Authenticate, Status: 400, Reply: `{"message": "x-client-id is required"}`}},
		command: "/borrowers 1042", tool: "list_borrowers", args: ofProcess,
		person: []string{"O banco recusou o início de sessão"}, machine: []string{"The bank refused the login"},
		log: []string{"a header may be missing or have another name"}, ready: "bank: login refused",
	},
	"the login is elsewhere": {
		faults: []sandbox.Fault{{Operation: portal.Authenticate, Status: 404}}, command: "/borrowers 1042", tool: "list_borrowers", args: ofProcess,
		person:  []string{"mal configurado para este banco: o banco não tem o início de sessão no endereço configurado", "com a referência "},
		machine: []string{"not set up correctly for this bank: the bank has no login at the configured address"},
		log:     []string{"no such operation at this address", `"path":"/v1/authentication"`, "the bank answers otherwise"}, ready: "bank: login: no such operation at this path",
	},
	"the login has no token": {
		faults:  []sandbox.Fault{{Operation: portal.Authenticate, Status: 200, Reply: `{"accessToken": "abcdef"}`}},
		command: "/borrowers 1042", tool: "list_borrowers", args: ofProcess,
		person:  []string{"a resposta do banco ao início de sessão não tem a forma esperada"},
		machine: []string{"the bank's reply to the login does not have the expected form"},
		log:     []string{"the reply has no sessionToken that a header can carry; came {accessToken:string}"}, ready: "bank: login: reply not understood",
	},
	"the processes are elsewhere": {
		faults: []sandbox.Fault{{Operation: portal.ProcessList, Status: 404}}, command: "/borrowers 1042", tool: "find_processes", args: map[string]any{"text": "Maria"},
		person:  []string{"mal configurado para este banco: o banco não tem a operação «processList» no endereço configurado", "com a referência "},
		machine: []string{"the bank has no operation «processList» at the configured address", "with the reference "},
		log:     []string{"no such operation at this address", `"path":"/v1/processes"`}, ready: "bank: processList: no such operation at this path",
	},
	"the processes have another method": {
		faults: []sandbox.Fault{{Operation: portal.ProcessList, Status: 405}}, command: "/borrowers 1042", tool: "list_borrowers", args: ofProcess,
		person: []string{"o banco não tem a operação «processList»"}, machine: []string{"the bank has no operation «processList»"},
		log: []string{"no such operation at this address", `"method":"GET"`}, ready: "bank: processList: no such operation at this path",
	},
	"the processes are named otherwise": {
		faults:  []sandbox.Fault{{Operation: portal.ProcessList, Status: 200, Reply: `{"items": {"page": []}, "total": 0}`}},
		command: "/borrowers 1042", tool: "find_processes", args: map[string]any{},
		person:  []string{"a resposta do banco à operação «processList» não tem a forma esperada"},
		machine: []string{"the bank's reply to the operation «processList» does not have the expected form"},
		log:     []string{"the reply has no processList; came {items:{page:array[0]},total:int}"}, ready: "bank: processList: reply not understood",
	},
	"an ESIS is elsewhere": {
		faults: []sandbox.Fault{{Operation: portal.ProcessESISGet, Status: 404}}, command: "/esis 1043", tool: "get_esis", args: map[string]any{"process": "1043"},
		person:  []string{"o banco não tem a operação «processESISGet» no endereço configurado"},
		machine: []string{"the bank has no operation «processESISGet» at the configured address"},
		log:     []string{"no such operation at this address"}, ready: "bank: processESISGet: no such operation at this path",
	},
	"the lists are elsewhere": {
		faults: []sandbox.Fault{{Operation: "proposalCancelReasonsGet", Status: 404}}, command: "/lists proposalCancelReasons", tool: "search_taxonomy", args: ofReasons,
		person: []string{"o banco não tem a lista «Motivo de cancelamento da proposta» no endereço configurado"}, machine: []string{"the bank has no list «Proposal cancellation reason» at the configured address"},
		log: []string{"no such operation at this address"}, ready: "bank: list proposalCancelReasons: no such operation at this path",
	},
	"the items of lists are named otherwise": {
		faults:  []sandbox.Fault{{Operation: "proposalCancelReasonsGet", Status: 200, Reply: `[{"value": 1, "label": "Desistiu"}]`}},
		command: "/lists proposalCancelReasons", tool: "search_taxonomy", args: ofReasons,
		person: []string{"a lista «Motivo de cancelamento da proposta» do banco não tem a forma esperada"}, machine: []string{"the bank's list «Proposal cancellation reason» does not have the expected form"},
		log: []string{"came array[1] of {label:string,value:int}"}, ready: "bank: list proposalCancelReasons: reply not understood",
	},
	"errors are named otherwise": {
		faults:  []sandbox.Fault{{Operation: portal.BorrowerList, Status: 400, Reply: `{"falha": {"texto": "não"}}`}},
		command: "/borrowers 1042", tool: "list_borrowers", args: ofProcess, lasting: true,
		person:  []string{"O banco recusou o pedido (HTTP 400), sem um motivo que o Balcão perceba", "indique a referência "},
		machine: []string{"The bank refused the request (HTTP 400), without a reason that Balcão understands"},
		log:     []string{"a refusal of the bank is not understood"}, ready: "bank: errors not understood",
	},
	"the session is refused": {
		faults: []sandbox.Fault{{Operation: portal.BorrowerList, Status: 401}}, command: "/borrowers 1042", tool: "list_borrowers", args: ofProcess,
		person:  []string{"o banco não aceita a sessão que acabou de abrir, na operação «borrowerList»"},
		machine: []string{"the bank does not accept the session that it has just opened, in the operation «borrowerList»"},
		log:     []string{"the bank refuses a session that it has just opened"}, ready: "bank: borrowerList: session refused",
	},
	"pages are shorter": {
		faults:  []sandbox.Fault{{Operation: portal.ProcessList, Status: 400, Reply: `{"errors": [{"code": "000001", "message": "lineCount must be at most 10"}]}`}},
		command: "/borrowers 1042", tool: "find_processes", args: map[string]any{},
		person:  []string{"o banco não aceita o que o Balcão acrescenta ao pedido, na operação «processList»"},
		machine: []string{"the bank does not accept what Balcão adds to the request, in the operation «processList»"},
		log:     []string{"correct the names and limits of parameters"}, ready: "bank: processList: request not accepted",
	},
	"errors are XML": {
		faults:  []sandbox.Fault{{Operation: portal.BorrowerList, Status: 400, Reply: `<?xml version="1.0"?><Error><Code>999999</Code><Message>Só às quintas-feiras.</Message></Error>`}},
		command: "/borrowers 1042", tool: "list_borrowers", args: ofProcess,
		person: []string{"O banco recusou o pedido.", "O banco respondeu: Só às quintas-feiras."}, machine: []string{"999999, a code that Balcão does not know"},
	},
	"a process is refused in other words": {
		faults:  []sandbox.Fault{{Operation: portal.BorrowerList, Status: 403, Reply: `{"message": "Fora do horário."}`}},
		command: "/borrowers 1042", tool: "list_borrowers", args: ofProcess,
		person: []string{"O banco recusou o pedido.", "O banco respondeu: Fora do horário."}, machine: []string{"The bank refused the request."},
	},
	"the bank says with a 404 that there is no such process": {
		faults:  []sandbox.Fault{{Operation: portal.BorrowerList, Status: 404, Reply: `{"message": "The process does not exist or does not belong to the broker."}`}},
		command: "/borrowers 1042", tool: "list_borrowers", args: ofProcess,
		person: []string{"O processo não foi encontrado, ou não pertence ao seu intermediário"}, machine: []string{"There is no such process"},
	},
}

// untrue is said of no bank that differs: the person's data are right, her process exists, and another try is useless.
var untrue = []string{"Algo correu mal do nosso lado", "Something went wrong on our side", "corrija os dados", "tente de novo dentro", "Tente de novo", "try again in"}

func TestEachCauseIsToldToPeopleAndOperatorsAsWhatItIs(t *testing.T) {
	t.Parallel()
	for name, c := range causes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, h := testContext(t), newHarness(t)
			var removes []func()
			for _, fault := range c.faults {
				removes = append(removes, h.bank.Inject(fault))
			}
			_, stop := h.runInProcess(t, "MCP_TOKEN="+assistantToken)
			defer stop()
			waittest.Eventually(t, "the program runs", func() bool { return h.readyz() != "" })

			if err := h.ana.Command(ctx, slacksim.TeamChannel, c.command); err != nil {
				t.Fatal(err)
			}
			shown := func() string {
				view, _ := h.ana.TopView()
				text := view.Text()
				for _, message := range h.ana.Messages(slacksim.TeamChannel) {
					text += "\n" + message.FullText()
				}
				return text
			}
			waittest.Eventually(t, "the person is told", func() bool { return strings.Contains(shown(), c.person[0]) })
			wantSaid(t, "a person", shown(), c.person, untrue)

			request := mcp.CallToolRequest{}
			request.Params.Name, request.Params.Arguments = c.tool, c.args
			client := assistant(t, ctx, h)
			result, err := client.CallTool(ctx, request)
			if err != nil || !result.IsError {
				t.Fatalf("an assistant gets %+v, %v", result, err)
			}
			wantSaid(t, "an assistant", resultText(result), c.machine, untrue)
			wantSaid(t, "the log", h.logs.String(), c.log, []string{"Desistiu", "abcdef", "quintas"})
			if said := h.readyz(); !strings.Contains(said, `"ready":true`) || !strings.Contains(said, c.ready) {
				t.Errorf("/readyz says %s, want %q", said, c.ready)
			}
			if c.ready == "" && strings.Contains(h.readyz(), ": no such operation") {
				t.Errorf("/readyz says %s", h.readyz())
			}

			for _, remove := range removes {
				remove()
			}
			if result, err = client.CallTool(ctx, request); err != nil || result.IsError {
				t.Errorf("of a bank that is as expected, an assistant gets %s, %v", resultText(result), err)
			}
			if said := h.readyz(); c.ready != "" && !c.lasting && strings.Contains(said, c.ready) {
				t.Errorf("/readyz still says %s", said)
			}
		})
	}
}

// readyz returns what /readyz says, "" if nobody answers.
func (h *harness) readyz() string {
	response, err := http.Get("http://" + h.addr + "/readyz")
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return string(text)
}

func wantSaid(t *testing.T, where, text string, want, unwanted []string) {
	t.Helper()
	for _, each := range want {
		if !strings.Contains(text, each) {
			t.Errorf("%s: %q is missing in\n%s", where, each, text)
		}
	}
	for _, each := range unwanted {
		if strings.Contains(text, each) {
			t.Errorf("%s: %q is in\n%s", where, each, text)
		}
	}
}

func resultText(result *mcp.CallToolResult) string {
	if result == nil {
		return ""
	}
	var text strings.Builder
	for _, content := range result.Content {
		if part, ok := content.(mcp.TextContent); ok {
			text.WriteString(part.Text)
		}
	}
	return text.String()
}
