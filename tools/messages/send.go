package messages

import (
	"context"
	"html"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/validation"
)

// Send writes a message to the bank on a process (Processes Message Create). It cannot be taken back.
var Send = tools.Define(Toolset, tools.Spec{
	Name: "send_message", Effect: tools.Sends, Operations: []portal.OperationID{portal.ProcessesMessageCreate},
	Next:    tools.Next{"list_messages": {"process"}, "get_process": {"process"}},
	Example: `{"process":"1043","subject":"Recibos de vencimento","text":"Bom dia, os recibos seguem hoje."}`,
}, func(ctx context.Context, call *tools.Call, in NewMessage) (MessageSent, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return MessageSent{}, err
	}
	if _, err := call.Bank.CreateMessage(ctx, process.ID, in.message()); err != nil {
		return MessageSent{}, err
	}
	return MessageSent{Process: process.ID, ProcessNumber: process.Number}, nil
})

// NewMessage is a message to the bank.
type NewMessage struct {
	Process tools.ProcessRef `json:"process" page:"process" validate:"required"`
	Reply   int32            `json:"reply,omitzero" page:"-" pii:"open" only:"people"` // the number of the message that it answers, for its subject
	Subject pii.Title        `json:"subject" page:"message" validate:"required,text=200"`
	Text    pii.FreeText     `json:"text" page:"message" validate:"required"`
}

// Prefill implements [tools.Prefiller] with the subject of the message that is answered.
func (n NewMessage) Prefill(ctx context.Context, call *tools.Call) (any, error) {
	if n.Reply == 0 || !n.Subject.IsZero() {
		return n, nil
	}
	_, message, err := OneMessage{Process: n.Process, Number: n.Reply}.find(ctx, call)
	if err != nil {
		return n, err
	}
	subject, prefix := strings.Join(strings.Fields(message.Subject.Reveal()), " "), call.Say(call.Actor.Lang)("reply.prefix")
	if subject != "" && !strings.HasPrefix(strings.ToLower(subject), strings.ToLower(strings.TrimSpace(prefix))) {
		subject = prefix + subject
	}
	subject, _ = clipped(subject, maxSubject)
	n.Subject = pii.New[pii.Title](subject)
	return n, nil
}

const maxSubject = 200

// CheckFields implements [tools.FieldChecker] with the lengths that the bank takes. Nothing is cut.
func (n NewMessage) CheckFields(_ context.Context, call *tools.Call) []tools.Problem {
	return checkLengths(call, portal.ProcessesMessageCreate, n.message())
}

func (n NewMessage) message() portal.MessageRequest {
	return portal.MessageRequest{Subject: n.Subject, Text: n.Text}
}

func checkLengths(call *tools.Call, operation portal.OperationID, message portal.MessageRequest) (problems []tools.Problem) {
	for _, field := range []struct{ name, value string }{{"subject", message.Subject.Reveal()}, {"text", message.Text.Reveal()}} {
		length, most := utf8.RuneCountInString(field.value), call.Bank.MaxLength(operation, field.name)
		switch {
		case most > 0 && length > most:
			problems = append(problems, call.Problem(field.name, "message.too_long", "max", most, "characters", length))
		case length > 0 && strings.TrimSpace(field.value) == "":
			problems = append(problems, call.Problem(field.name, "message.blank"))
		}
	}
	return problems
}

// CheckBank implements [tools.BankChecker]: the same message is not sent twice within a day, so that one whose outcome is unclear
// can be found. An assistant needs the consent of its person to the message.
func (n NewMessage) CheckBank(ctx context.Context, call *tools.Call) ([]tools.Problem, error) {
	process, err := call.Process(ctx, n.Process)
	if err != nil {
		return nil, err
	}
	return confirm(ctx, call, n.list(call, process.ID), n.message(), "message.confirm", process.Number)
}

// pages reads a page of messages.
type pages func(context.Context, portal.MessageQuery) (portal.MessagePage, error)

func (n NewMessage) list(call *tools.Call, process uuid.UUID) pages {
	return func(ctx context.Context, query portal.MessageQuery) (portal.MessagePage, error) {
		return call.Bank.ListMessages(ctx, process, query)
	}
}

// confirm returns what speaks against a message on the process or simulation with a number: see [NewMessage.CheckBank]. question is
// the code of what an assistant's person is asked.
func confirm(ctx context.Context, call *tools.Call, list pages, message portal.MessageRequest, question string, number int64) ([]tools.Problem, error) {
	sent, err := list.have(ctx, call, message)
	switch {
	case err != nil:
		return nil, err
	case sent:
		return []tools.Problem{call.Problem("text", "message.repeated")}, nil
	case call.Actor.Assistant:
		args := []any{"number", number, "subject", tools.Clean(message.Subject.Reveal()), "characters", utf8.RuneCountInString(message.Text.Reveal())}
		return []tools.Problem{call.Warning("", question, args...)}, nil
	}
	return nil, nil
}

// recent is for how long a message is looked for: longer than a call is recovered.
const recent = 25 * time.Hour

// maxPages is how many pages of messages are read to find one.
const maxPages = 10

// have reports whether the messages have this one, from the broker's side and within the last day: the bank may call
// its users by other names than their logins. It may change spaces and special characters of a text, and may cut it.
func (list pages) have(ctx context.Context, call *tools.Call, sent portal.MessageRequest) (bool, error) {
	oldest := validation.Today(call.Now().Add(-recent))
	query := portal.MessageQuery{}
	for range maxPages {
		page, err := list(ctx, query)
		if err != nil {
			return false, err
		}
		for _, message := range page.Messages {
			at := message.CreationDate.Time
			if !at.IsZero() && validation.Today(at).Compare(oldest) < 0 {
				return false, nil
			}
			if writer(call, message) != FromBank && like(sent, message) {
				return true, nil
			}
		}
		if page.Next == "" {
			return false, nil
		}
		query.After = page.Next
	}
	return false, &tools.Error{Kind: tools.Unclear}
}

// storedLeast is the fewest characters that a bank which cuts texts is taken to keep.
const storedLeast = 200

// like reports whether a message of the bank is the one that was sent.
func like(sent portal.MessageRequest, message portal.Message) bool {
	stored, text := essence(message.Text.Reveal()), essence(sent.Text.Reveal())
	same := stored == text || utf8.RuneCountInString(stored) >= storedLeast && strings.HasPrefix(text, stored)
	return same && essence(message.Subject.Reveal()) == essence(sent.Subject.Reveal())
}

// essence returns a text in lower case without spaces and punctuation; one that has nothing else as it is.
func essence(text string) string {
	kept := strings.Map(func(c rune) rune {
		if unicode.In(c, unicode.L, unicode.N) {
			return unicode.ToLower(c)
		}
		return -1
	}, html.UnescapeString(text))
	if kept == "" {
		return strings.TrimSpace(text)
	}
	return kept
}

// FindEffect implements [tools.Verifier]: the process has the message. It did not have it when the call was checked.
func (n NewMessage) FindEffect(ctx context.Context, call *tools.Call) (tools.Carder, bool, error) {
	process, err := call.Process(ctx, n.Process)
	if err != nil {
		return nil, false, err
	}
	sent, err := n.list(call, process.ID).have(ctx, call, n.message())
	if err != nil || !sent {
		return nil, false, err
	}
	return MessageSent{Process: process.ID, ProcessNumber: process.Number}, true, nil
}

// Target implements [tools.Verifier].
func (n NewMessage) Target(ctx context.Context, call *tools.Call) ([]string, error) {
	process, err := call.Process(ctx, n.Process)
	return []string{"message", process.ID.String(), essence(n.Subject.Reveal()), essence(n.Text.Reveal())}, err
}

// MessageSent is a message that the bank has.
type MessageSent struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
}

// Subject implements [tools.Subjecter].
func (m MessageSent) Subject() tools.Subject { return tools.Subject{Process: m.Process} }

// Card implements [tools.Carder].
func (m MessageSent) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title"), Text: say("card.text", "number", m.ProcessNumber),
		Next: []tools.Step{tools.NextStep("list_messages", "process", m.Process), tools.NextStep("get_process", "process", m.Process)},
	}
}
