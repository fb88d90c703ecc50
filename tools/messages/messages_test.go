package messages_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/messages"
)

func written(subject, text string) string {
	args, err := json.Marshal(map[string]string{"process": "1043", "subject": subject, "text": text})
	if err != nil {
		panic(err)
	}
	return string(args)
}

func TestTheNewestMessageIsShownWithItsTextAndIdentifiersAreMasked(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	result := e.WantCard(t, "list_messages", `{"process":1043}`, "Messages of process 1043", "Recebidos, obrigado.", "Bank", "You", "RE: Recibos de vencimento")
	list := result.Output.(messages.MessageList)
	if list.Total != 3 || len(list.Messages) != 3 || list.Messages[0].Number != 3 || list.Messages[1].From != messages.FromYou || list.Notice != "" {
		t.Errorf("got %+v", list)
	}
	shown := fmt.Sprint(list, result.Card)
	if strings.Contains(shown, "299999998") || strings.Contains(shown, "912 345 678") || !strings.Contains(list.Messages[1].Text, "••••••") {
		t.Errorf("identifiers are not masked: %s", shown)
	}
	answer := result.Card.Next[0]
	if answer.Tool != "send_message" || answer.Args["reply"] != 3 || !answer.Form || answer.Label != "Reply" {
		t.Errorf("it leads to %+v", answer)
	}
	byTom := e.MustCall(t, "list_messages", `{"process":1043}`, testenv.AsAssistant).Output.(messages.MessageList)
	if byTom.Notice == "" {
		t.Error("an assistant is not told that the texts are data")
	}
	if none := e.MustCall(t, "list_messages", `{"process":1042}`); len(none.Output.(messages.MessageList).Messages) != 0 || none.Card.Text == "" {
		t.Errorf("without messages, got %+v", none)
	}
}

func TestOlderMessagesAreReadPageByPage(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	args, read := `{"process":1044}`, 0
	for {
		list := e.MustCall(t, "list_messages", args).Output.(messages.MessageList)
		for _, message := range list.Messages {
			if read++; message.Number != 24-read || message.Subject != fmt.Sprintf("Ponto de situação %d", message.Number) {
				t.Errorf("the message %d of the list is %+v", read, message)
			}
		}
		if list.Next == "" {
			break
		}
		args = fmt.Sprintf(`{"process":1044,"cursor":%q}`, list.Next)
	}
	if read != 23 {
		t.Errorf("%d messages were read", read)
	}
	e.WantProblem(t, "list_messages", `{"process":1044,"cursor":"x"}`, "cursor.unknown")
}

func TestAMessageIsReadWhole(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	long := strings.Repeat("palavra çã ", 350) + "fim"
	if err := e.Bank.WriteText(sandbox.SampleProcess(1043), "Longa", long); err != nil {
		t.Fatal(err)
	}
	listed := e.MustCall(t, "list_messages", `{"process":1043}`).Output.(messages.MessageList).Messages[0]
	if !listed.Cut || strings.Contains(listed.Text, "fim") {
		t.Errorf("in the list it is %+v", listed)
	}
	whole := e.MustCall(t, "read_message", fmt.Sprintf(`{"process":1043,"messageNumber":%d}`, listed.Number)).Output.(messages.MessageRead).Message
	if whole.Cut || whole.Text != long {
		t.Errorf("read %d of %d characters", len(whole.Text), len(long))
	}
	for _, number := range []int{0, -1, 5, 99} {
		_, failure := e.Call(t, "read_message", fmt.Sprintf(`{"process":1043,"messageNumber":%d}`, number))
		if failure == nil || failure.Kind != tools.Invalid {
			t.Errorf("number %d: got %v", number, failure)
		}
	}
}

func TestAMessageIsSentWithEveryCharacter(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	text := "Bom dia,\n\nseguem «os» recibos <3> & o IRS: 1.234,56 €.\n" + strings.Repeat("ção ", 900)
	text = strings.TrimSpace(text)
	e.MustCall(t, "send_message", written("Recibos", text))
	all := e.Bank.Messages(sandbox.SampleProcess(1043))
	if got := all[len(all)-1]; got != text {
		t.Errorf("the bank has %d characters of %d", len(got), len(text))
	}
	if listed := e.MustCall(t, "list_messages", `{"process":1043}`).Output.(messages.MessageList).Messages[0]; listed.From != messages.FromYou || listed.Subject != "Recibos" {
		t.Errorf("it is listed as %+v", listed)
	}
}

func TestAMessageThatTheBankWouldNotTakeIsNotSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ args, code string }{
		"ten thousand accents":   {written("a", strings.Repeat("ç", 10_000)), "message.too_long"},
		"one character too many": {written("a", strings.Repeat("ç", 4001)), "message.too_long"},
		"a long subject":         {written(strings.Repeat("é", 201), "a"), "text.too_long"},
		"no text":                {written("a", ""), "required"},
		"blank text":             {written("a", " \n "), "required"},
		"no subject":             {written("", "a"), "required"},
	} {
		e := testenv.Start(t, testenv.Options{})
		_, failure := e.Call(t, "send_message", c.args)
		if failure == nil || failure.Kind != tools.Invalid || !strings.Contains(fmt.Sprint(testenv.Problems(failure)), c.code) {
			t.Errorf("%s: got %v %v, want %s", name, failure, testenv.Problems(failure), c.code)
		}
		if e.Bank.Calls(portal.ProcessesMessageCreate) != 0 {
			t.Errorf("%s: it was sent", name)
		}
	}
	e := testenv.Start(t, testenv.Options{})
	e.MustCall(t, "send_message", written("a", strings.Repeat("ç", 4000)))
}

func TestTheSameMessageIsNotSentTwiceInADay(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	e.MustCall(t, "send_message", written("Prazo", "Há novidades?"))
	e.WantProblem(t, "send_message", written("Prazo", "há  novidades"), "message.repeated")
	e.MustCall(t, "send_message", written("Prazo", "Há novidades hoje?"))
	if got := len(e.Bank.Messages(sandbox.SampleProcess(1043))); got != 5 {
		t.Errorf("the bank has %d messages", got)
	}
}

func TestAnAssistantNeedsTheConsentOfItsPersonToAMessage(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	args := written("Recibos", "Seguem hoje.")
	_, failure := e.Call(t, "send_message", args, testenv.AsAssistant)
	if failure == nil || failure.Kind != tools.Unconfirmed || failure.Confirmation == "" || testenv.Problems(failure)[0] != "message.confirm warning" {
		t.Fatalf("got %v", failure)
	}
	if _, failure := e.CallConfirmed(t, "send_message", args, testenv.AsAssistant); failure != nil {
		t.Fatal(failure)
	}
	if e.Bank.Calls(portal.ProcessesMessageCreate) != 1 {
		t.Error("it was not sent once")
	}
	if logged := e.Log.String() + e.Audit.String(); strings.Contains(logged, "Seguem") || strings.Contains(logged, "Recibos") {
		t.Errorf("the text is in the log: %s", logged)
	}
}

func TestTheFormOfAnAnswerHasTheSubject(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	tool, _ := e.Catalogue.Named("send_message")
	process := sandbox.SampleProcess(1043).String()
	for reply, want := range map[string]string{"1": "RE: Recibos de vencimento", "3": "RE: Recibos de vencimento", "9": "", "": ""} {
		filled := e.Prefill(t.Context(), e.Actor, tool, map[string]string{"process": process, "reply": reply})
		if filled["subject"] != want || filled["process"] != process {
			t.Errorf("answering %q, it begins with %v", reply, filled)
		}
	}
}
