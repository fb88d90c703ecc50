package pagetest

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestACommandIsCompletedAndSentWithTheKeyboardAlone(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := openPage(t, s, "UANA")
	p.Keys("/b")
	p.Until("two commands are offered", `document.querySelectorAll('#composer-form [role=option]').length === 2`)
	p.Keys(kb.ArrowDown)
	p.Until("the second is active", `document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))?.innerText.startsWith('/borrower-new')`)
	p.Keys(kb.Tab + "1042")
	p.Until("the command is completed and explained", `document.activeElement.value === '/borrower-new 1042' && document.querySelector('#usage').innerText.includes('Criar um titular')`)
	p.Keys(kb.Enter)
	if body := s.nextCall(t, "command"); body["text"] != "/borrower-new 1042" || body["user"] != "UANA" || body["channel"] != "C1" {
		t.Errorf("the page sent %v", body)
	}
	p.Until("the composer is free again", `document.activeElement.id === 'composer' && document.activeElement.value === ''`)
	p.Keys(kb.ArrowUp)
	p.Until("the last command comes back", `document.activeElement.value === '/borrower-new 1042'`)
	p.Keys(kb.ArrowDown + "/")
	p.Until("the list is open", `document.activeElement.getAttribute('aria-expanded') === 'true'`)
	p.Keys(kb.Escape)
	p.Until("Escape closes the list and keeps the text", `document.activeElement.getAttribute('aria-expanded') === 'false' && document.activeElement.value === '/'`)
}

func TestAFailedCommandShowsTheReasonAndRestoresTheText(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.handle("command", func(object) object { return object{"ok": false, "error": "operation_timeout"} })
	p := openPage(t, s, "UTOM")
	p.Keys("/esis 1042" + kb.Enter)
	p.Until("the problem is shown", `document.querySelector('#composer-problem').innerText.includes('within 3 seconds')`)
	p.Until("the text is back", `document.querySelector('#composer').value === '/esis 1042'`)
}

func TestAModalIsFilledCorrectedAndSentWithTheKeyboardAlone(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.handle("options", func(query object) object {
		found := []object{}
		for _, name := range []string{"1042 · Maria Exemplo", "1043 · João Amostra"} {
			if strings.Contains(name, query["value"].(string)) {
				found = append(found, option(name, name[:4]))
			}
		}
		return object{"options": found}
	})
	s.handle("submit", func(body object) object {
		if answerOf(body, "nif")["value"] == "299999999" {
			return object{"ok": true, "errors": object{"nif": "O NIF não está certo."}}
		}
		go s.update(func(now *snapshot) { now.Views = nil })
		return object{"ok": true}
	})
	p := openPage(t, s, "UANA")
	note := inputBlock("nota", "Nota", object{"type": "plain_text_input"})
	note["optional"] = true
	s.update(func(now *snapshot) {
		now.Views = []object{view("h1", "Novo titular",
			inputBlock("processo", "Processo", object{"type": "external_select", "min_query_length": 1}),
			inputBlock("nif", "NIF", object{"type": "plain_text_input", "max_length": 9}),
			inputBlock("estado", "Estado civil", object{"type": "static_select", "options": []object{option("Casado", "2"), option("Solteiro", "1")}}),
			inputBlock("pessoa", "Pessoa", object{"type": "users_select"}),
			inputBlock("tipo", "Tipo", object{"type": "radio_buttons", "options": []object{option("Mutuário", "m"), option("Fiador", "f")}}),
			inputBlock("aceita", "Aceita", object{"type": "checkboxes", "options": []object{option("Contacto", "c")}}),
			inputBlock("montante", "Montante", object{"type": "number_input", "is_decimal_allowed": true}),
			note)}
	})
	p.Until("the first field has the focus", `document.activeElement.closest('[data-block-id=processo]')`)
	p.Keys("1043")
	p.Until("the process is found", `document.querySelectorAll('dialog [role=option]').length === 1 && document.querySelector('dialog [role=option]').innerText.includes('João')`)
	p.Keys(kb.Enter + kb.Tab + "299999999" + kb.Tab + "Sol" + kb.Tab + "Tom" + kb.Tab + kb.ArrowDown + kb.Tab + " " + kb.Tab + "1250,50")
	p.Keys(kb.Enter)
	first := s.nextCall(t, "submit")
	p.Until("the problem is under its field, which has the focus", `document.activeElement.closest('[data-block-id=nif]')
		&& document.activeElement.getAttribute('aria-invalid') === 'true'
		&& document.getElementById(document.activeElement.getAttribute('aria-describedby').split(' ')[0]).innerText.includes('O NIF não está certo.')`)
	p.Keys(strings.Repeat(kb.Backspace, 9) + "299999998")
	p.Until("the problem disappears when the field changes", `!document.querySelector('dialog [aria-invalid]')`)
	p.Keys(kb.Enter)
	second := s.nextCall(t, "submit")
	p.Until("the dialog is gone and the composer has the focus", `!document.querySelector('dialog') && document.activeElement.id === 'composer'`)
	p.Keys("depois")
	p.Until("and accepts typing", `document.activeElement.value === 'depois'`)

	if second["view_id"] != "V1" || answerOf(first, "nif")["value"] != "299999999" || answerOf(second, "nif")["value"] != "299999998" {
		t.Errorf("the page sent %v, then %v", first, second)
	}
	for block, want := range map[string]string{"processo": "1043", "estado": "1", "tipo": "f"} {
		if chosen, _ := answerOf(second, block)["selected_option"].(map[string]any); chosen["value"] != want {
			t.Errorf("%s: the page sent %v, want %s", block, chosen, want)
		}
	}
	if chosen := answerOf(second, "pessoa")["selected_user"]; chosen != "UTOM" {
		t.Errorf("pessoa: the page sent %v", chosen)
	}
	if chosen, _ := answerOf(second, "aceita")["selected_options"].([]any); len(chosen) != 1 {
		t.Errorf("aceita: the page sent %v", chosen)
	}
	if amount := answerOf(second, "montante")["value"]; amount != "1250.50" {
		t.Errorf("the decimal comma was sent as %v", amount)
	}
	if answer := answerOf(second, "nota"); answer["type"] != "plain_text_input" || answer["value"] != nil {
		t.Errorf("an optional field left empty was sent as %v", answer)
	}
}

func TestAnEmptyRequiredFieldIsReportedWithoutTheApp(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := openPage(t, s, "UANA")
	s.update(func(now *snapshot) {
		now.Views = []object{view("h1", "Contacto",
			inputBlock("nome", "Nome", object{"type": "plain_text_input", "initial_value": "Maria Exemplo"}),
			inputBlock("correio", "E-mail", object{"type": "email_text_input"}),
			inputBlock("sitio", "Sítio", object{"type": "url_text_input", "initial_value": "nada"}),
			inputBlock("prazo", "Prazo", object{"type": "number_input", "initial_value": "12", "max_value": "10"}))}
	})
	p.Until("the modal is open", `document.querySelector('dialog[open]')`)
	p.Keys(kb.Enter)
	p.Until("the first wrong field has the focus", `document.activeElement.closest('[data-block-id=correio]')`)
	for block, want := range map[string]string{"correio": "Preencha este campo.", "sitio": "endereço web válido", "prazo": "máximo é 10"} {
		if text := p.Text(`[data-block-id=` + block + `] .problem`); !strings.Contains(text, want) {
			t.Errorf("%s says %q", block, text)
		}
	}
	if len(s.calls) != 0 {
		t.Errorf("the app was asked: %v", <-s.calls)
	}
}

func TestEscapeClosesOnlyTheTopmostView(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.handle("close", func(body object) object {
		go s.update(func(now *snapshot) { now.Views = now.Views[:1] })
		return object{"ok": true}
	})
	p := openPage(t, s, "UANA")
	lower := view("h1", "Primeira", inputBlock("nome", "Nome", object{"type": "plain_text_input"}))
	upper := view("h2", "Segunda", inputBlock("outro", "Outro", object{"type": "plain_text_input"}))
	upper["id"] = "V2"
	s.update(func(now *snapshot) { now.Views = []object{lower} })
	p.Until("the first is open", `document.activeElement.closest('[data-view-id=V1]')`)
	p.Keys("Maria")
	s.update(func(now *snapshot) { now.Views = []object{lower, upper} })
	p.Until("only the second is open", `document.activeElement.closest('[data-view-id=V2]') && document.querySelectorAll('dialog[open]').length === 1`)
	p.Keys(kb.Escape)
	if body := s.nextCall(t, "close"); body["view_id"] != "V2" {
		t.Errorf("closed %v", body)
	}
	p.Until("the first is back with what was typed", `document.querySelector('dialog[open]')?.dataset.viewId === 'V1' && document.querySelector('[data-block-id=nome] input').value === 'Maria'`)
}

func TestEverythingOnThePageIsReachedWithTab(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.update(func(now *snapshot) {
		now.Messages["C1"] = []object{message("1795300000.000100", "Olá", object{"type": "actions", "block_id": "actions", "elements": []object{
			{"type": "button", "action_id": "open", "text": plain("Abrir"), "value": "1"}}})}
	})
	p := openPage(t, s, "UANA")
	p.Do(chromedp.Evaluate[chromedp.Void](`document.activeElement.blur()`))
	reached := map[string]bool{}
	for range 25 {
		p.Keys(kb.Tab)
		name, _ := p.Eval(`document.activeElement.id || document.activeElement.dataset.channelId || document.activeElement.dataset.actionId || document.activeElement.className`).(string)
		outline, _ := p.Eval(`getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement.closest('.compose') ?? document.body).boxShadow`).(string)
		if name != "" && outline == "nonenone" {
			t.Errorf("%s: the focus cannot be seen", name)
		}
		reached[name] = true
	}
	for _, want := range []string{"skip", "C1", "C2", "D1", "user", "language", "jump", "messages", "open", "composer", "send"} {
		if !reached[want] {
			t.Errorf("%s is not reached; reached were %v", want, reached)
		}
	}
}

func TestControlKOpensAChannelByItsName(t *testing.T) {
	t.Parallel()
	p := openPage(t, newServer(t), "UANA")
	p.Do(chromedp.KeyEvent("k", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	p.Until("the question is asked", `document.querySelector('dialog[open].jump-to')`)
	p.Keys("ger" + kb.Enter)
	p.Until("the channel is shown", `document.querySelector('#channel-name').innerText === '#geral' && document.activeElement.id === 'composer' && document.activeElement.value === ''`)
	p.Keys("olá")
	p.Until("and can be written to", `document.activeElement.value === 'olá'`)
}

// answerOf returns the value of the only action of a block in a submission.
func answerOf(submission object, block string) map[string]any {
	values, _ := submission["values"].(map[string]any)
	actions, _ := values[block].(map[string]any)
	answer, _ := actions["value"].(map[string]any)
	return answer
}
