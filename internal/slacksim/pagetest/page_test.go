package pagetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/balcao/balcao/internal/browsertest"
)

func TestTypedTextSurvivesAnUpdateOfTheView(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := openPage(t, s, "UANA")
	name := inputBlock("nome", "Nome", object{"type": "plain_text_input", "initial_value": "Maria Exemplo"})
	mail := inputBlock("correio", "E-mail", object{"type": "email_text_input"})
	s.update(func(now *snapshot) { now.Views = []object{view("h1", "Titular", name, mail)} })
	p.Until("the modal is open", `document.activeElement.closest('[data-block-id=nome]')`)
	p.Keys(kb.Tab + "maria@example.com")

	renamed := inputBlock("nome", "Nome completo", object{"type": "plain_text_input", "initial_value": "Maria Exemplo Amostra"})
	s.update(func(now *snapshot) {
		now.Views = []object{view("h2", "Titular, de novo", object{"type": "section", "text": mrkdwn("Há um campo novo.")}, renamed, mail,
			inputBlock("novo", "Novo", object{"type": "plain_text_input", "initial_value": "da aplicação"}))}
	})
	p.Until("the view has changed", `document.querySelector('dialog h2').innerText === 'Titular, de novo'`)
	for block, want := range map[string]string{
		"nome":    "Maria Exemplo Amostra", // nobody had typed here, so the app's new value counts
		"correio": "maria@example.com",
		"novo":    "da aplicação",
	} {
		if value := p.Eval(`document.querySelector('[data-block-id=` + block + `] input').value`); value != want {
			t.Errorf("%s holds %v, want %s", block, value, want)
		}
	}
	p.Until("the focus stays where it was", `document.activeElement.closest('[data-block-id=correio]')`)

	s.update(func(now *snapshot) {
		now.Views = []object{view("h3", "Página 2", inputBlock("morada", "Morada", object{"type": "plain_text_input", "multiline": true}))}
	})
	p.Until("the next page starts at its first field", `document.activeElement.closest('[data-block-id=morada]')`)
	s.update(func(now *snapshot) {
		now.Views = []object{view("h4", "Resumo", object{"type": "section", "text": mrkdwn("Confirme os dados.")})}
	})
	p.Until("a page to read starts at its title", `document.activeElement.innerText === 'Resumo'`)
	p.Keys(kb.Enter)
	if len(s.calls) != 0 {
		t.Errorf("a hasty Enter confirmed the page: %v", <-s.calls)
	}
}

func TestStoredValuesAreShownAgain(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	form := view("h1", "Titular",
		inputBlock("nome", "Nome", object{"type": "plain_text_input", "initial_value": "Maria"}),
		inputBlock("tipo", "Tipo", object{"type": "radio_buttons", "options": []object{option("Mutuário", "m"), option("Fiador", "f")}}),
		inputBlock("nasceu", "Nasceu", object{"type": "datepicker"}))
	form["values"] = object{
		"nome":   object{"value": object{"type": "plain_text_input", "value": "Rita Modelo"}},
		"tipo":   object{"value": object{"type": "radio_buttons", "selected_option": option("Fiador", "f")}},
		"nasceu": object{"value": object{"type": "datepicker", "selected_date": "1990-05-17"}},
	}
	s.update(func(now *snapshot) { now.Views = []object{form} })
	p := browsertest.Open(t, s.URL+"/?user=UANA")
	p.Until("the modal is open", `document.querySelector('dialog[open]')`)
	p.Until("the answers are there", `document.querySelector('[data-block-id=nome] input').value === 'Rita Modelo'
		&& document.querySelector('[data-block-id=tipo] input:checked')?.value === 'f' && document.querySelector('[data-block-id=nasceu] input').value === '1990-05-17'`)
	p.Until("the date is also said in words", `document.querySelector('[data-block-id=nasceu]').innerText.includes('17 de maio de 1990')`)
}

func TestAViewIsBusyUntilTheAppResponds(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	release := make(chan bool)
	s.handle("submit", func(object) object {
		<-release
		return object{"ok": false, "error": "operation_timeout"}
	})
	p := openPage(t, s, "UANA")
	s.update(func(now *snapshot) {
		now.Views = []object{view("h1", "Titular", inputBlock("nome", "Nome", object{"type": "plain_text_input", "initial_value": "Maria"}))}
	})
	p.Until("the modal is open", `document.querySelector('dialog[open]')`)
	p.Keys(kb.Enter)
	s.nextCall(t, "submit")
	p.Until("the button shows it", `document.querySelector('dialog[open] .submit[aria-busy]').innerText === 'A enviar…'`)
	p.Keys(kb.Enter + kb.Escape)
	close(release)
	p.Until("the failure is shown", `document.querySelector('dialog .general').innerText.includes('não respondeu')`)
	p.Until("it can be sent again", `!document.querySelector('dialog .submit[aria-busy]')`)
	if len(s.calls) != 0 {
		t.Errorf("the page sent another call while the app was busy: %v", <-s.calls)
	}
}

func TestTheTypeAheadSelectIsACombobox(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.handle("options", func(query object) object {
		if query["value"] == "zz" {
			return object{"options": []object{}}
		}
		return object{"option_groups": []object{{"label": plain("Abertos"), "options": []object{option("1042 · Maria Exemplo", "1042"), option("1043 · João Amostra", "1043")}}}}
	})
	p := openPage(t, s, "UANA")
	s.update(func(now *snapshot) {
		now.Views = []object{view("h1", "Processo", inputBlock("processo", "Processo", object{"type": "external_select", "min_query_length": 2}))}
	})
	p.Until("the box is a collapsed combobox with a name and a list", `(box => box.getAttribute('role') === 'combobox' && box.getAttribute('aria-expanded') === 'false'
		&& box.getAttribute('aria-autocomplete') === 'list' && box.labels[0].innerText === 'Processo' && box.getAttribute('aria-required') === 'true'
		&& document.getElementById(box.getAttribute('aria-controls')).getAttribute('role') === 'listbox')(document.activeElement)`)
	p.Keys("1")
	p.Until("one character is too short", `document.querySelector('dialog [role=listbox]').innerText === 'Escreva mais 1 carácter'`)
	p.Keys("0")
	p.Until("the list is open, its first option is active, and the count is announced", `(box => box.getAttribute('aria-expanded') === 'true'
		&& document.getElementById(box.getAttribute('aria-activedescendant'))?.getAttribute('aria-selected') === 'true'
		&& document.querySelector('dialog [role=status]').innerText === '2 opções')(document.activeElement)`)
	p.Keys(kb.ArrowDown)
	p.Until("only the second is selected", `[...document.querySelectorAll('dialog [role=option]')].map(o => o.getAttribute('aria-selected')).join() === 'false,true'`)
	p.Keys(kb.Escape)
	p.Until("Escape closes the list, not the modal", `document.activeElement.getAttribute('aria-expanded') === 'false' && document.querySelector('dialog[open]')`)
	p.Keys(kb.ArrowDown)
	p.Until("an arrow opens it again", `document.activeElement.getAttribute('aria-expanded') === 'true' && document.querySelector('dialog [role=option]')`)
	p.Keys(kb.Enter)
	p.Until("Enter chooses", `document.activeElement.value === '1042 · Maria Exemplo'`)
	p.Keys(strings.Repeat(kb.Backspace, 20) + "zz")
	p.Until("no results is shown", `document.querySelector('dialog [role=listbox]').innerText === 'Sem resultados'`)
	p.Keys(kb.Tab)
	p.Until("an incomplete text is not kept", `document.querySelector('dialog [role=combobox]').value === ''`)
	if len(s.calls) != 0 {
		t.Errorf("Enter in the list sent %v", <-s.calls)
	}
}

func TestThePageUsesThePersonsLanguageByDefault(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.update(func(now *snapshot) {
		only := message("1795300000.000100", "olá")
		only["ephemeral"] = true
		now.Messages["C1"] = []object{only}
	})
	p := openPage(t, s, "UANA")
	says := func(lang, simulated, ephemeral string) {
		t.Helper()
		p.Until("the page speaks "+lang, fmt.Sprintf(`document.documentElement.lang === %q && document.querySelector('.team .badge').innerText === %q
			&& document.querySelector('.message.ephemeral').innerText.includes(%q)`, lang, simulated, ephemeral))
	}
	choose := func(id, value string) {
		t.Helper()
		p.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`{ const list = document.getElementById(%q); list.value = %q; list.dispatchEvent(new Event('change')); }`, id, value)))
	}
	says("pt-PT", "Espaço de trabalho simulado", "Só visível para si")
	choose("user", "UTOM")
	says("en", "Simulated workspace", "Only visible to you")
	choose("language", "pt-PT")
	says("pt-PT", "Espaço de trabalho simulado", "Só visível para si")
	choose("user", "UANA")
	choose("language", "en")
	says("en", "Simulated workspace", "Only visible to you")
	choose("language", "")
	says("pt-PT", "Espaço de trabalho simulado", "Só visível para si")
}

func TestALostStreamIsShownAndReconnected(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := openPage(t, s, "UANA")
	s.breakStream(true)
	p.Until("the lost connection is shown", `document.querySelector('#connection:not([hidden])')?.innerText.includes('A ligar de novo')`)
	s.breakStream(false)
	s.update(func(now *snapshot) { now.Messages["C1"] = []object{message("1795300000.000100", "De volta")} })
	p.Until("the workspace is shown again", `document.querySelector('#connection').hidden && document.querySelector('.message').innerText.includes('De volta')`)
}

func TestAnEmptyChannelOffersTheCommands(t *testing.T) {
	t.Parallel()
	p := openPage(t, newServer(t), "UANA")
	p.Until("all commands are offered", `document.querySelectorAll('.nothing button').length === 3`)
	p.Click(".nothing li:nth-child(3) button")
	p.Until("the command is in the message box", `document.activeElement.id === 'composer' && document.activeElement.value === '/esis '`)
}

func TestMessagesShowThreadsFilesAndUnreadCounts(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := openPage(t, s, "UANA")
	s.update(func(now *snapshot) {
		reply := message("1795300002.000100", "A resposta")
		reply["thread_ts"] = "1795300000.000100"
		file := message("1795300001.000100", "A FINE está pronta :page_facing_up:")
		file["files"] = []object{{"id": "F1", "name": "fine.pdf", "title": "FINE 1042", "mimetype": "application/pdf", "size": 48210, "url": "/files/F1/fine.pdf"}}
		now.Messages["C1"] = []object{message("1795300000.000100", "*A raiz*"), file, reply}
		now.Messages["C2"] = []object{message("1795300003.000100", "Noutro canal")}
	})
	p.Until("the reply is under its root, before the next message", `[...document.querySelectorAll('.message')].map(m => m.dataset.ts.slice(0, 10)).join() === '1795300000,1795300002,1795300001'`)
	p.Until("the thread shows its length", `document.querySelector('.thread summary').innerText === '1 resposta'`)
	p.Until("the file opens in a new tab", `(a => a.target === '_blank' && a.rel.includes('noopener') && a.pathname === '/files/F1/fine.pdf' && a.innerText.startsWith('FINE 1042'))(document.querySelector('.file a'))`)
	p.Until("mrkdwn is drawn", `document.querySelector('.message strong + .badge') && [...document.querySelectorAll('.message .text strong')].some(b => b.innerText === 'A raiz')`)
	p.Until("the new message is read out", `document.querySelector('#announcer').innerText.includes('Nova mensagem de Balcão')`)
	p.Until("the other channel is marked", `document.querySelector('[data-channel-id=C2].unread .count')`)
	p.Click("[data-channel-id=C2]")
	p.Until("and no longer once it is read", `document.querySelector('.message').innerText.includes('Noutro canal') && !document.querySelector('.unread')`)
}

func TestAClickCountsAlthoughAMessageArrivesMeanwhile(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := openPage(t, s, "UANA")
	p.Until("the channel is there", `document.querySelector('#ims button')`)
	press, release := p.Mouse("#ims button")
	press()
	s.update(func(now *snapshot) { now.Messages["D1"] = []object{message(began, "Pedido do assistente")} })
	p.Until("the message is counted", `document.querySelector('#ims .unread .count')`)
	release()
	p.Until("the conversation is open", `document.querySelector('#ims [aria-current=page]') && document.querySelector('.message').innerText.includes('Pedido do assistente')`)
}

func TestAButtonSendsItsActionAfterConfirmation(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.update(func(now *snapshot) {
		now.Messages["C1"] = []object{message("1795300000.000100", "x", object{"type": "actions", "block_id": "acts", "elements": []object{{
			"type": "button", "action_id": "remove", "value": "1042", "text": plain("Retirar"), "style": "danger",
			"confirm": object{"title": plain("Retirar?"), "text": mrkdwn("Não se *desfaz*."), "confirm": plain("Sim"), "deny": plain("Não")},
		}}})}
	})
	p := openPage(t, s, "UANA")
	p.Click("[data-action-id=remove]")
	p.Until("the denying button has the focus", `document.activeElement.innerText === 'Não'`)
	p.Keys(kb.Enter)
	p.Until("the dialog is closed", `!document.querySelector('dialog')`)
	p.Click("[data-action-id=remove]")
	p.Click("dialog .yes")
	body := s.nextCall(t, "action")
	action, _ := body["action"].(map[string]any)
	if body["channel"] != "C1" || body["ts"] != "1795300000.000100" || action["block_id"] != "acts" || action["action_id"] != "remove" || action["value"] != "1042" {
		t.Errorf("the page sent %v", body)
	}
	if len(s.calls) != 0 {
		t.Errorf("the denied action was sent too: %v", <-s.calls)
	}
}

func TestADispatchedChoiceIsSentWithAllValues(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := openPage(t, s, "UANA")
	kind := inputBlock("tipo", "Tipo", object{"type": "radio_buttons", "options": []object{option("Mutuário", "m"), option("Fiador", "f")}})
	kind["dispatch_action"] = true
	name := inputBlock("nome", "Nome", object{"type": "plain_text_input"})
	s.update(func(now *snapshot) { now.Views = []object{view("h1", "Titular", name, kind)} })
	p.Until("the modal is open", `document.activeElement.closest('[data-block-id=nome]')`)
	p.Keys("Maria" + kb.Tab + kb.ArrowDown)
	body := s.nextCall(t, "action")
	action, _ := body["action"].(map[string]any)
	chosen, _ := action["selected_option"].(map[string]any)
	if action["block_id"] != "tipo" || action["type"] != "radio_buttons" || chosen["value"] != "f" || answerOf(body, "nome")["value"] != "Maria" {
		t.Errorf("the page sent %v", body)
	}
	s.update(func(now *snapshot) {
		now.Views = []object{view("h2", "Titular", name, kind, inputBlock("garantia", "Garantia", object{"type": "plain_text_input"}))}
	})
	p.Until("the page that came back keeps the choice and the focus", `document.querySelector('[data-block-id=garantia]')
		&& document.activeElement.value === 'f' && document.activeElement.checked`)
}

func TestADispatchedChoiceDoesNotBlockTheForm(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	answered := make(chan struct{})
	s.handle("action", func(object) object { <-answered; return object{"ok": true} })
	t.Cleanup(func() { close(answered) })
	p := openPage(t, s, "UANA")
	kind := inputBlock("tipo", "Tipo", object{"type": "radio_buttons", "options": []object{option("Mutuário", "m"), option("Fiador", "f")}})
	kind["dispatch_action"] = true
	s.update(func(now *snapshot) {
		now.Views = []object{view("h1", "Titular", kind, inputBlock("nome", "Nome", object{"type": "plain_text_input"}))}
	})
	p.Until("the modal is open", `document.activeElement.closest('[data-block-id=tipo]')`)
	p.Keys(kb.ArrowDown)
	s.nextCall(t, "action")
	p.Keys(kb.Tab + "Maria" + kb.Enter)
	if body := s.nextCall(t, "submit"); answerOf(body, "nome")["value"] != "Maria" {
		t.Errorf("the page sent %v", body)
	}
}

func TestTextHasEnoughContrastAndFitsAPhone(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.update(func(now *snapshot) {
		only := message("1795300000.000100", "x", object{"type": "header", "text": plain("Titulares")},
			object{"type": "section", "text": mrkdwn("<@UANA> `código` <https://example.com|ligação>"), "fields": []object{mrkdwn("*Estado*\nEm análise")}},
			object{"type": "context", "elements": []object{mrkdwn("Há pouco")}},
			object{"type": "table", "rows": [][]object{{{"type": "raw_text", "text": "Uma coluna bastante comprida"}, {"type": "raw_text", "text": "Outra coluna comprida"}}, {{"type": "raw_text", "text": "1"}, {"type": "raw_text", "text": "2"}}}},
			object{"type": "actions", "elements": []object{{"type": "button", "action_id": "a", "text": plain("Sim"), "style": "primary"}, {"type": "button", "action_id": "b", "text": plain("Não"), "style": "danger"}}})
		only["ephemeral"] = true
		now.Messages["C1"] = []object{only, message("1795300001.000100", strings.Repeat("palavra", 60))}
	})
	p := openPage(t, s, "UANA")
	for _, scheme := range []string{"light", "dark"} {
		p.Do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
			_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			return err
		}))
		found, _ := p.Eval(lowContrastTexts).([]any)
		for _, text := range found {
			t.Errorf("%s: %v", scheme, text)
		}
	}
	p.Do(chromedp.EmulateViewport(375, 720))
	p.Until("nothing is wider than the screen", `document.documentElement.scrollWidth <= 375 && document.querySelector('#messages').scrollWidth <= document.querySelector('#messages').clientWidth`)
	p.Until("the sidebar is hidden", `getComputedStyle(document.querySelector('#sidebar')).visibility === 'hidden'`)
	p.Click("#menu")
	p.Until("the sidebar opens", `document.activeElement.closest('#sidebar') && document.querySelector('#menu').getAttribute('aria-expanded') === 'true'`)
	p.Keys(kb.Escape)
	p.Until("the sidebar closes", `document.activeElement.id === 'menu'`)
}

// lowContrastTexts returns the texts with a contrast below 4.5:1, the level AA of WCAG 2.2.
const lowContrastTexts = `(() => {
	const parse = (color) => { const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number); return { r, g, b, a }; };
	const over = (top, below) => ({ r: top.r * top.a + below.r * (1 - top.a), g: top.g * top.a + below.g * (1 - top.a), b: top.b * top.a + below.b * (1 - top.a), a: 1 });
	const light = ({ r, g, b }) => { const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
	const behind = (node) => {
		const layers = [];
		for (let at = node; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
		return layers.reverse().reduce((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
	};
	return [...document.querySelectorAll('body *')].filter((node) => node.checkVisibility() && !node.closest('.unseen, option')
		&& [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim())).flatMap((node) => {
		const back = behind(node);
		const [a, b] = [light(over(parse(getComputedStyle(node).color), back)), light(back)].sort((x, y) => y - x);
		const ratio = (a + 0.05) / (b + 0.05);
		return ratio < 4.5 ? [ratio.toFixed(2) + ' ' + node.outerHTML.slice(0, 120)] : [];
	});
})()`

func TestThePageKeepsItsStrictContentPolicy(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.update(func(now *snapshot) { now.Messages["C1"] = []object{message("1795300000.000100", "Olá")} })
	p := openPage(t, s, "UANA")
	p.Do(chromedp.Evaluate[chromedp.Void](`window.broken = []; document.addEventListener('securitypolicyviolation', (event) => window.broken.push(event.violatedDirective))`))
	s.update(func(now *snapshot) {
		now.Views = []object{view("h", "Tudo", inputBlock("p", "P", object{"type": "external_select", "min_query_length": 0}), inputBlock("t", "T", object{"type": "plain_text_input", "multiline": true}))}
	})
	p.Until("the modal is open", `document.querySelector('dialog[open]')`)
	p.Keys("1")
	p.Until("the list answers", `!document.querySelector('dialog [role=listbox]').hidden`)
	broken, _ := p.Eval(`window.broken`).([]any)
	if len(broken) != 0 {
		t.Errorf("broken directives: %v", slices.Sorted(slices.Values(texts(broken))))
	}
}

func texts(values []any) []string {
	var out []string
	for _, value := range values {
		out = append(out, fmt.Sprint(value))
	}
	return out
}
