package processes

import "github.com/balcao/balcao/tools"

// MorningRound has the assistant find what needs the person today, without changing anything.
var MorningRound = tools.DefinePrompt(Toolset, tools.PromptSpec{
	Name:  "morning_round",
	Needs: []string{"find_processes"},
	Uses:  []string{"process_updates", "get_process", "list_messages", "check_process"},
})

// MissingBeforeSubmitting has the assistant say what a process lacks before it is handed to the bank.
var MissingBeforeSubmitting = tools.DefinePrompt(Toolset, tools.PromptSpec{
	Name:  "missing_before_submitting",
	Needs: []string{"check_process"},
	Uses:  []string{"get_process", "list_borrowers", "list_documents", "submit_process"},
	Args:  []tools.PromptArg{{Name: "process", Required: true}},
})
