package assistant

import (
	"slices"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal/sandbox"
)

// payslip stands for a file that the person has: the model gives it at the address that it is told.
const payslip = "the payslip"

var tasks = []task{
	{asked: "Which of my processes wait on the client?", goals: []goal{
		{words: "find processes", facts: map[string]any{"turn": "client"}, wants: []string{"1042", "1043"}},
	}},
	{asked: "Add the key borrower's wife to 1042", goals: []goal{
		{words: "add borrower", facts: map[string]any{
			"process": "1042", "relation": "wife", "borrower type": "borrower", "name": "Rita Exemplo", "birth date": "1991-05-20", "tax number": "256893152",
			"mobile": "934567890", "personal e-mail": "rita@example.com", "gender": "female", "marital status": "married", "nationality": "portuguesa",
		}, wants: []string{"1042", "Rita E."}},
	}, check: func(e *testenv.Env) bool { return len(e.Bank.Borrowers(sandbox.SampleProcess(1042))) == 2 }},
	{asked: "Add the brother to 1042, once I have looked at it", waits: true, goals: []goal{
		{words: "add borrower", facts: map[string]any{
			"process": "1042", "relation": "sibling", "borrower type": "borrower", "name": "Rui Exemplo", "birth date": "1991-05-20", "tax number": "256893152",
			"mobile": "934567890", "personal e-mail": "rui@example.com", "gender": "male", "marital status": "single", "nationality": "portuguesa",
		}, wants: []string{"approved it, and it is done", "Rui E."}},
	}, check: func(e *testenv.Env) bool { return len(e.Bank.Borrowers(sandbox.SampleProcess(1042))) == 2 }},
	{asked: "Change Inês's e-mail in 1043, and send her the FINE", goals: []goal{
		{words: "change borrower", facts: map[string]any{"process": "1043", "borrower": "Inês", "personal e-mail": "ines.nova@example.com"}, wants: []string{"1043"}},
		// Nobody but a person sends to an address that an assistant set.
		{words: "e-mail fine", facts: map[string]any{"process": "1043", "borrower": "Inês"}, handsOver: "/esis send"},
	}},
	{asked: "Who are the borrowers of 1043?", goals: []goal{
		{words: "list borrowers", facts: map[string]any{"process": "1043"}, wants: []string{"Inês M.", "Rui A."}},
	}},
	{asked: "What happened since yesterday?", goals: []goal{
		{words: "recent changes", facts: map[string]any{"since": "24"}, wants: []string{"1044", "analysis"}},
	}},
	{asked: "Show me process 1044", goals: []goal{
		{words: "show process", facts: map[string]any{"process": "1044"}, wants: []string{"1044"}},
	}},
	{asked: "Which process is Teresa Protótipo's?", goals: []goal{
		{words: "find processes", facts: map[string]any{"borrower": "Teresa Prototipo"}, wants: []string{"1045"}},
	}},
	{asked: "Which processes of the Lisbon branch are in documents?", goals: []goal{
		{words: "find processes", facts: map[string]any{"branch": "Lisboa", "state": "Documents"}, wants: []string{"1043"}},
	}},
	{asked: "Get the FINE of 1042", goals: []goal{
		{words: "gets fine", facts: map[string]any{"process": "1042"}, wants: []string{"FINE-1042.pdf"}},
	}},
	{asked: "Which marital statuses does the bank know?", goals: []goal{
		{words: "values list marital statuses", facts: map[string]any{"list": "maritalStatuses"}, wants: []string{"Married"}},
	}},
	{asked: "Add this payslip to process 1043", goals: []goal{
		{words: "add document", facts: map[string]any{"process": "1043", "document type": "payslip", "title": "Payslip of October", "file": payslip}, wants: []string{"1043"}},
	}, check: func(e *testenv.Env) bool { return len(e.Bank.Documents(sandbox.SampleProcess(1043))) > 0 }},
	{asked: "Which documents does the bank want for 1043?", goals: []goal{
		{words: "list documents", facts: map[string]any{"process": "1043"}, wants: []string{"1043"}},
	}},
	{asked: "What does the bank say about 1043? Answer that the payslips follow today", goals: []goal{
		{words: "list messages", facts: map[string]any{"process": "1043"}, wants: []string{"1043"}},
		{words: "send message", facts: map[string]any{"process": "1043", "subject": "Recibos", "text": "Os recibos seguem hoje."}, wants: []string{"1043"}},
	}, check: func(e *testenv.Env) bool {
		return slices.Contains(e.Bank.Messages(sandbox.SampleProcess(1043)), "Os recibos seguem hoje.")
	}},
	{asked: "The client of 1042 wants 65,000 euros over 15 years", goals: []goal{
		{words: "edit process", facts: map[string]any{"process": "1042", "loan amount": 65000, "months": 180}, wants: []string{"1042"}},
	}},
	{asked: "What is missing before I can submit 1042? Submit it", goals: []goal{
		{words: "missing", facts: map[string]any{"process": "1042"}, wants: []string{"1042"}},
		{words: "submit", facts: map[string]any{"process": "1042"}, wants: []string{"1042"}},
	}, check: func(e *testenv.Env) bool { return e.Bank.State(sandbox.SampleProcess(1042)) != 1 }},
	{asked: "The home of 1042 is in Barcarena, Oeiras, and has 102.5 m2", goals: []goal{
		{words: "edit property", facts: map[string]any{
			"process": "1042", "district": "Lisboa", "county": "Oeiras", "parish": "Barcarena", "gross area": 102.5,
		}, wants: []string{"1042", "Barcarena"}},
	}},
	{asked: "What would 180,000 euros over 35 years cost for a home of 225,000?", goals: []goal{
		{words: "calculate loan", facts: map[string]any{
			"loan amount": 180000, "term": 420, "index": "Euribor 12 months", "use": "own permanent home", "loan purpose": "purchase",
			"estimated value": 225000, "borrower age": 34, "borrower income": 2400,
		}, wants: []string{"TAEG"}},
	}},
	{asked: "Get simulation 2103, and open its process", goals: []goal{
		{words: "show simulation", facts: map[string]any{"simulation": "2103"}, wants: []string{"2103", "TAEG"}},
		{words: "create process", wants: []string{"3001"}},
	}},
	{asked: "Which simulations has the bank approved?", goals: []goal{
		{words: "find simulations", facts: map[string]any{"status": "approved"}},
	}},
	{asked: "Cancel simulation 2101", waits: true, goals: []goal{
		{words: "cancel simulation", facts: map[string]any{"simulation": "2101"}, wants: []string{"approved it, and it is done", "2101"}},
	}},
	{asked: "Cancel process 1047", waits: true, goals: []goal{
		{words: "cancel process", facts: map[string]any{"process": "1047", "reason": "client"}, wants: []string{"approved it, and it is done", "1047"}},
	}},
	{asked: "Remove Inês from 1043", waits: true, goals: []goal{
		{words: "delete borrower", facts: map[string]any{"process": "1043", "borrower": "Inês"}, wants: []string{"approved it, and it is done", "1043"}},
	}, check: func(e *testenv.Env) bool { return len(e.Bank.Borrowers(sandbox.SampleProcess(1043))) == 1 }},
	{asked: "Tell the channel what happens on 1043", goals: []goal{{words: "follow process", people: true}}},
}
