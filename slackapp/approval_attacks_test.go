package slackapp_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/tools"
)

// press delivers a signed press on a button of a card, as Slack delivers it, whoever pressed it and whatever its value.
func (h *harness) press(who, action, value string) error {
	payload, err := json.Marshal(map[string]any{
		"type": "block_actions", "user": map[string]any{"id": who, "team_id": slacksim.TeamID}, "team": map[string]any{"id": slacksim.TeamID},
		"channel": map[string]any{"id": h.user(who).DM()}, "trigger_id": "forged " + who + action + value,
		"actions": []any{map[string]any{"action_id": action, "block_id": "b", "type": "button", "value": value}},
	})
	must(h.t, err)
	_, err = h.sim.Deliver(h.ctx(), slacksim.Delivery{Body: []byte(url.Values{"payload": {string(payload)}}.Encode()), Sign: true})
	return err
}

func TestAForgedPressApprovesNothing(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana := h.ana()
	a, other := h.asks("create_borrower", newBorrower), h.asks("create_borrower", testenv.NewBorrower(map[string]string{"name": `"Eva Amostra"`}))
	card := ana.card("2 pedidos", "1. Novo proponente", "2. Novo proponente")
	var seen struct{ ID, Seen string }
	must(t, json.Unmarshal([]byte(valueOf(t, card, "approve")), &seen))
	all := valueOf(t, card, "approve_all")
	value := func(id, seen string) string {
		text, err := json.Marshal(map[string]string{"id": id, "seen": seen})
		must(t, err)
		return string(text)
	}
	// Tom, who is no one to decide, presses what Ana was shown.
	for action, value := range map[string]string{"approve": value(a.ID, seen.Seen), "approve_all": all, "approval_review": a.ID, "approval_reject": a.ID} {
		must(t, h.press(slacksim.Tom, action, value))
	}
	h.wait("Tom is told each time", func() bool {
		told := 0
		for _, m := range h.user(slacksim.Tom).Messages(h.user(slacksim.Tom).DM()) {
			if strings.Contains(m.FullText(), "not there any more, or it is somebody else's") {
				told++
			}
		}
		return told >= 3 // for the form the trigger is forged too
	})
	// He opens and submits the form that Ana has begun.
	ana.pressesIn(card, "approval_review")
	ana.sees("Pedido do assistente Claude 1.2")
	draft := h.draft()
	for _, action := range []string{"continue", "own", "outcome"} {
		must(t, h.press(slacksim.Tom, action, draft.ID))
	}
	metadata, err := json.Marshal(`{"draft":"` + draft.ID + `","page":".confirm"}`)
	must(t, err)
	hers := `{"type":"view_submission","user":{"id":"U0TOM"},"trigger_id":"u","view":{"type":"modal","id":"V1","callback_id":"create_borrower","private_metadata":` + string(metadata) + `,"state":{"values":{}}}}`
	done, err := h.sim.Deliver(h.ctx(), slacksim.Delivery{Body: []byte(url.Values{"payload": {hers}}.Encode()), Sign: true})
	must(t, err)
	if !strings.Contains(string(done.Body), "has ended") && !strings.Contains(string(done.Body), "is over") && !strings.Contains(string(done.Body), "24 hours") {
		t.Errorf("Tom is told %s", done.Body)
	}
	must(t, ana.Close(h.ctx()))
	// Somebody makes up what Ana has seen.
	for _, made := range []string{value(a.ID, ""), value(a.ID, "0123456789abcdef0123456789abcdef"), value(seen.ID+"x", seen.Seen), value(other.ID, seen.Seen), "{", ""} {
		must(t, h.press(slacksim.Ana, "approve", made))
	}
	must(t, h.press(slacksim.Ana, "approve_all", `{"of":"`+a.ID+`","seen":"0123"}`))
	ana.readsIn(ana.DM(), "Nada foi feito")
	ana.readsIn(ana.DM(), "Este pedido já não existe ou é de outra pessoa.")
	// Nobody has signed it.
	done, err = h.sim.Deliver(h.ctx(), slacksim.Delivery{Body: []byte("payload=" + url.QueryEscape(`{"type":"block_actions","user":{"id":"U0ANA"},"actions":[{"action_id":"approve","value":`+value(a.ID, seen.Seen)+`}]}`))})
	must(t, err)
	if done.Status != http.StatusUnauthorized {
		t.Errorf("an unsigned press got %d", done.Status)
	}
	// Tom submits the modal in which Ana would reject.
	payload := `{"type":"view_submission","user":{"id":"U0TOM"},"trigger_id":"t","view":{"type":"modal","callback_id":"approval.reject","private_metadata":"` + a.ID + `","state":{"values":{}}}}`
	done, err = h.sim.Deliver(h.ctx(), slacksim.Delivery{Body: []byte(url.Values{"payload": {payload}}.Encode()), Sign: true})
	must(t, err)
	if !strings.Contains(string(done.Body), "somebody else's") {
		t.Errorf("Tom is told %s", done.Body)
	}
	if h.created() != 0 || h.learns(a.ID).Status != tools.ApprovalWaits || h.learns(other.ID).Status != tools.ApprovalWaits {
		t.Fatalf("%d were created; they are %v and %v", h.created(), h.learns(a.ID).Status, h.learns(other.ID).Status)
	}
	// What was pressed once is pressed again.
	ana.pressesIn(ana.card("2 pedidos"), "approve")
	ana.card("Proponente criado")
	must(t, h.press(slacksim.Ana, "approve", value(seen.ID, seen.Seen)+" "))
	ana.readsIn(ana.DM(), "Este pedido já foi aprovado e feito.")
	if h.created() != 1 {
		t.Errorf("%d were created", h.created())
	}
}

func TestTwoPressesAtOnceOnTwoReplicasMakeItOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	one := *h.handler.Load()
	second := h.startReplica()
	defer second.stop()
	other := *h.handler.Load()
	var turns atomic.Int32
	both := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if turns.Add(1)%2 == 0 {
			one.ServeHTTP(w, r)
			return
		}
		other.ServeHTTP(w, r)
	}))
	h.handler.Store(&both)
	ana := h.ana()
	a := h.asks("create_borrower", newBorrower)
	card := ana.card("299999998")
	var pressing sync.WaitGroup
	for range 6 {
		pressing.Go(func() { _ = ana.ClickMessage(h.ctx(), card.Channel, card.TS, "approve") })
	}
	pressing.Wait()
	ana.card("Proponente criado")
	if h.created() != 1 || h.learns(a.ID).Status != tools.ApprovalDone || len(ana.cards()) != 1 {
		t.Errorf("%d created, %v, %d cards", h.created(), h.learns(a.ID).Status, len(ana.cards()))
	}
}

func TestOneCardIsPostedWhateverFails(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*harness){
		"the answer of Slack is lost":  func(h *harness) { h.sim.Fail("chat.postMessage", 1, slacksim.Failure{Drop: true, AfterEffect: true}) },
		"Slack fails":                  func(h *harness) { h.sim.Fail("chat.postMessage", 1, slacksim.Failure{Error: "internal_error"}) },
		"Slack limits our rate":        func(h *harness) { h.sim.Fail("chat.postMessage", 1, slacksim.RateLimited(time.Second)) },
		"the conversation is not open": func(h *harness) { h.sim.Fail("conversations.open", 1, slacksim.Failure{Error: "internal_error"}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, overHTTP)
			fail(h)
			h.asks("update_borrower", newEmail("novo@example.com"))
			ana := h.ana()
			ana.pressesIn(ana.card("novo@example.com"), "approve")
			ana.card("Proponente alterado")
			if n := len(ana.cards()); n != 1 {
				t.Errorf("there are %d cards", n)
			}
		})
	}
}

func TestACardThatSheDeletedIsPostedAgain(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana := h.ana()
	h.asks("update_borrower", newEmail("novo@example.com"))
	card := ana.card("novo@example.com")
	h.sim.Fail("chat.update", 1, slacksim.Failure{Error: "message_not_found"})
	h.asks("update_property", propertyArgs)
	if again := ana.card("2 pedidos"); again.TS == card.TS {
		t.Error("it is the message that is gone")
	}
}
