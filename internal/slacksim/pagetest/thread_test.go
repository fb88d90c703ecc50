package pagetest

import (
	"fmt"
	"testing"
)

const began = "1795300000.000100"

// liveCard is a process's card. Slack gives its blocks new ids at each change.
func liveCard(status string, version int) object {
	card := message(began, status, object{"type": "header", "block_id": fmt.Sprint("h", version), "text": plain("Processo 1042")},
		object{"type": "section", "block_id": fmt.Sprint("s", version), "text": mrkdwn("*Estado*\n" + status)},
		object{"type": "actions", "block_id": fmt.Sprint("a", version), "elements": []object{
			{"type": "button", "action_id": "step:a", "text": plain("Ver proponentes"), "value": "1"},
			{"type": "button", "action_id": "step:b", "text": plain("Obter FINE"), "value": "2"},
		}})
	card["edited"] = version > 0
	return card
}

func reply(i int) object {
	answer := message(fmt.Sprintf("179530%04d.000100", i+1), fmt.Sprint("novidade ", i))
	answer["thread_ts"] = began
	return answer
}

func TestALiveCardIsUpdatedWhileItsThreadGrows(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := openPage(t, s, "UANA")
	another := liveCard("Outro processo", 0)
	another["ts"] = "1795310000.000100"
	s.update(func(now *snapshot) { now.Messages["C1"] = []object{liveCard("Aberto", 0), another} })
	p.Until("the cards are there", `document.querySelectorAll('.message').length === 2`)
	second := `document.querySelector('[data-ts="` + began + `"] [data-action-id="step:b"]')`
	p.Eval(second + `.focus()`)
	for i := range 3 {
		s.update(func(now *snapshot) {
			now.Messages["C1"][0] = liveCard(fmt.Sprint("Fase ", i), i+1)
			now.Messages["C1"] = append(now.Messages["C1"], reply(i))
		})
		p.Until("the reply is there", fmt.Sprintf(`document.querySelectorAll('.thread .message').length === %d`, i+1))
		p.Until("the card shows it", fmt.Sprintf(`document.querySelector('#messages > .message').textContent.includes('Fase %d')`, i))
		if p.Eval(`document.activeElement === `+second) != true {
			t.Errorf("change %d took the focus away from the card's button", i)
		}
	}
	if p.Eval(`document.querySelectorAll('#messages > .message').length`) != 2.0 || p.Eval(`document.querySelector('#messages > .message + .thread summary').textContent`) != "3 respostas" {
		t.Errorf("the thread does not stand under its card: %v", p.Text("#messages"))
	}
	p.Click(".thread summary")
	p.Until("the thread is folded", `!document.querySelector('.thread').open`)
	s.update(func(now *snapshot) { now.Messages["C1"] = append(now.Messages["C1"], reply(3)) })
	p.Until("the reply is counted", `document.querySelector('.thread summary').textContent === '4 respostas'`)
	if p.Eval(`document.querySelector('.thread').open || document.activeElement !== document.querySelector('.thread summary')`) != false {
		t.Error("a reply unfolded the thread, or took the focus away from it")
	}
}
