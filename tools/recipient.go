package tools

import (
	"context"

	"github.com/balcao/balcao/internal/pii"
)

// CheckRecipient returns the problem of a tool that sends to a borrower or to an address, in the fields borrower and email,
// unless exactly one of them is given.
func (c *Call) CheckRecipient(borrower bool, email pii.Email) []Problem {
	switch {
	case !borrower && email.IsZero():
		return []Problem{c.Problem("borrower", "recipient.missing")}
	case borrower && !email.IsZero():
		return []Problem{c.Problem("email", "recipient.two")}
	}
	return nil
}

// ConfirmRecipient returns the warnings that a person confirms before a document of the process or simulation with a number is
// sent to an address: the text problem.recipient.send, and problem.recipient.other if the address is none of its borrowers'.
// theirs reports whether it is one; nil for the address of a borrower who was chosen. An assistant may not send to an address
// that an assistant has set.
func (c *Call) ConfirmRecipient(ctx context.Context, to pii.Email, number int64, theirs func() (bool, error)) ([]Problem, error) {
	if c.Actor.Assistant {
		switch set, err := c.SetByAssistant(ctx, to); {
		case err != nil:
			return nil, err
		case set:
			return []Problem{c.Problem("borrower", "recipient.set_by_assistant", "command", c.tool.Command(c.Actor.Lang))}, nil
		}
	}
	var problems []Problem
	if c.approved {
		switch set, err := c.SetByAssistant(ctx, to); {
		case err != nil:
			return nil, err
		case set:
			problems = append(problems, c.Warning("", "recipient.was_set_by_assistant"))
		}
	}
	problems = append(problems, c.InClear(c.Warning("", "recipient.send", "email", to, "number", number), "email", to, "number", number))
	if theirs == nil {
		return problems, nil
	}
	known, err := theirs()
	if err == nil && !known {
		problems = append(problems, c.Warning("email", "recipient.other"))
	}
	return problems, err
}
