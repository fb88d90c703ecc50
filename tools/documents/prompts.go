package documents

import "github.com/balcao/balcao/tools"

// ExplainESIS has the assistant explain an ESIS in words that a client understands.
var ExplainESIS = tools.DefinePrompt(Toolset, tools.PromptSpec{
	Name:  "explain_esis",
	Needs: []string{"get_esis"},
	Uses:  []string{"get_process", "send_esis"},
	Args:  []tools.PromptArg{{Name: "process", Required: true}},
})
