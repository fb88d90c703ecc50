package messages

import (
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// listed is how many messages a page has, and listedText how many characters of each text.
const (
	listed     = 10
	listedText = 700
	newestText = 1500 // of the newest message
	shortText  = 160  // in a row of the card
)

// List shows the messages on a process, the newest first (Processes Message List).
var List = tools.Define(Toolset, tools.Spec{
	Name: "list_messages", Effect: tools.Reads, Operations: []portal.OperationID{portal.ProcessesMessageList}, CardOrder: 2,
	Next: tools.Next{
		"send_message": {"process", "reply"}, "read_message": {"process", "messageNumber"}, "list_messages": {"process", "cursor"}, "get_process": {"process"},
	},
	Example: `{"process":"1043"}`,
}, func(ctx context.Context, call *tools.Call, in MessageQuery) (MessageList, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return MessageList{}, err
	}
	page, err := call.Bank.ListMessages(ctx, process.ID, portal.MessageQuery{Limit: listed, After: in.Cursor})
	if portal.KindOf(err) == portal.NotFound && in.Cursor != "" {
		return MessageList{}, call.Invalid("cursor", "cursor.unknown")
	}
	if err != nil {
		return MessageList{}, err
	}
	list := MessageList{Process: process.ID, ProcessNumber: process.Number, Total: page.TotalCount, Messages: []Message{}, Next: page.Next, first: in.Cursor == ""}
	for i, message := range page.Messages {
		limit := listedText
		if i == 0 {
			limit = newestText
		}
		list.Messages = append(list.Messages, shown(call, message, limit))
	}
	if call.Actor.Assistant && len(list.Messages) > 0 {
		list.Notice = call.Say(call.Actor.Lang)("notice")
	}
	return list, nil
})

// MessageQuery names a process and a page of its messages.
type MessageQuery struct {
	Process tools.ProcessRef `json:"process" page:"process" validate:"required"`
	Cursor  string           `json:"cursor,omitzero" page:"-" validate:"omitempty,text=100" pii:"open"`
}

// MessageList is a page of messages, the newest first.
type MessageList struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Total         int       `json:"total,omitzero"` // 0 if the bank does not say
	Notice        string    `json:"notice,omitempty" pii:"open"`
	Messages      []Message `json:"messages"`
	Next          string    `json:"next,omitempty" pii:"open"` // the cursor of older messages

	first bool
}

// Card implements [tools.Carder]. The newest message of all is shown with its text, since it is what a person looks for.
func (l MessageList) Card(say tools.Say) tools.Card {
	card := tools.Card{Title: say("card.title", "number", l.ProcessNumber)}
	rows := l.Messages
	switch {
	case len(rows) == 0:
		card.Text = say("card.none")
	case l.first:
		newest := rows[0]
		card.Text = newest.headline(say) + "\n" + newest.Text
		if newest.Cut {
			card.Next = append(card.Next, tools.NextStep("read_message", "process", l.Process, "messageNumber", newest.Number).Labelled(say("step.whole")))
		}
		rows = rows[1:]
	}
	for _, m := range rows {
		short, _ := clipped(tools.Clean(m.Text), shortText)
		card.Table.Rows = append(card.Table.Rows, []string{m.Subject, m.writerText(say), tools.FormatDay(say, m.When), short})
		if m.Number > 0 {
			card.Table.Steps = append(card.Table.Steps, tools.NextStep("read_message", "process", l.Process, "messageNumber", m.Number).Labelled(say("step.read")))
		}
	}
	if len(card.Table.Rows) > 0 {
		card.Table.Columns = []string{say("label.subject"), say("label.from"), say("label.when"), say("label.text")}
	}
	answer := tools.NextStep("send_message", "process", l.Process)
	if l.first && len(l.Messages) > 0 && l.Messages[0].Number > 0 {
		answer = tools.NextStep("send_message", "process", l.Process, "reply", l.Messages[0].Number).Labelled(say("step.reply"))
	}
	answer.Form = true
	card.Next = append(card.Next, answer)
	if l.Next != "" {
		card.Next = append(card.Next, tools.NextStep("list_messages", "process", l.Process, "cursor", l.Next).Labelled(say("step.older")))
	}
	card.Next = append(card.Next, tools.NextStep("get_process", "process", l.Process))
	return card
}

// headline is who wrote a message, when and about what.
func (m Message) headline(say tools.Say) string {
	line := m.writerText(say)
	if day := tools.FormatDay(say, m.When); day != "" {
		line += " · " + day
	}
	if m.Subject != "" {
		line += "\n" + m.Subject
	}
	return line
}
