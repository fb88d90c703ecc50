package borrowers

import "github.com/balcao/balcao/tools"

// PrepareBorrower has the assistant fill in a new borrower from what the person has.
var PrepareBorrower = tools.DefinePrompt(Toolset, tools.PromptSpec{
	Name:  "prepare_borrower",
	Needs: []string{"create_borrower"},
	Uses:  []string{"list_borrowers", "search_taxonomy", "check_process"},
	Args:  []tools.PromptArg{{Name: "process", Required: true}, {Name: "given"}},
})
