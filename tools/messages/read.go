package messages

import (
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// wholeText is the most characters of a message that are shown.
const wholeText = 10_000

// Read shows one message with its whole text (Processes Message List: the bank has no operation for one message).
var Read = tools.Define(Toolset, tools.Spec{
	Name: "read_message", Effect: tools.Reads, Operations: []portal.OperationID{portal.ProcessesMessageList},
	Next:    tools.Next{"send_message": {"process", "reply"}, "list_messages": {"process"}},
	Example: `{"process":"1043","messageNumber":1}`,
}, func(ctx context.Context, call *tools.Call, in OneMessage) (MessageRead, error) {
	process, message, err := in.find(ctx, call)
	if err != nil {
		return MessageRead{}, err
	}
	read := MessageRead{Process: process.ID, ProcessNumber: process.Number, Message: shown(call, message, wholeText)}
	if call.Actor.Assistant {
		read.Notice = call.Say(call.Actor.Lang)("notice")
	}
	return read, nil
})

// OneMessage names a message of a process.
type OneMessage struct {
	Process tools.ProcessRef `json:"process" page:"process" validate:"required"`
	Number  int32            `json:"messageNumber" page:"message" validate:"required" pii:"open"`
}

// find reads the message from the bank's list.
func (o OneMessage) find(ctx context.Context, call *tools.Call) (tools.FoundProcess, portal.Message, error) {
	process, err := call.Process(ctx, o.Process)
	if err != nil || o.Number < 1 {
		return process, portal.Message{}, orUnknown(call, err)
	}
	page, err := call.Bank.ListMessages(ctx, process.ID, portal.MessageQuery{Limit: listed, Before: int(o.Number) + 1})
	if err != nil {
		return process, portal.Message{}, err
	}
	for _, message := range page.Messages {
		if message.Number == int(o.Number) {
			return process, message, nil
		}
	}
	return process, portal.Message{}, orUnknown(call, nil)
}

func orUnknown(call *tools.Call, err error) error {
	if err != nil {
		return err
	}
	return call.Invalid("messageNumber", "message.unknown")
}

// MessageRead is one message.
type MessageRead struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Notice        string    `json:"notice,omitempty" pii:"open"`
	Message       Message   `json:"message"`
}

// Card implements [tools.Carder].
func (r MessageRead) Card(say tools.Say) tools.Card {
	answer := tools.NextStep("send_message", "process", r.Process, "reply", r.Message.Number).Labelled(say("step.reply"))
	answer.Form = true
	return tools.Card{
		Title: say("card.title", "number", r.ProcessNumber), Text: r.Message.headline(say) + "\n" + r.Message.Text,
		Next: []tools.Step{answer, tools.NextStep("list_messages", "process", r.Process)},
	}
}
