package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/balcao/balcao/internal/app"
	"github.com/balcao/balcao/internal/browsertest"
	"github.com/balcao/balcao/internal/clocktest"
	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal/sandbox"
)

// openFollowing opens the page as Ana in a channel to which the bot was just invited and which follows what is named. At
// the bank nothing changes unless the test changes it.
func openFollowing(t *testing.T, what string, options ...app.Option) (ana slackPage, bank string) {
	t.Helper()
	slack, bank := startPlayground(t, []string{"SANDBOX_PACE=off"}, options...)
	waittest.Eventually(t, "the first reconciliation is done, so that later changes are notified", func() bool {
		_, metrics := get(t, slack+"/metrics")
		return strings.Contains(metrics, "\nbalcao_reconciliation_age_seconds ")
	})
	ana = openSlack(t, slack)
	ana.pressButton("#channels", "geral")
	ana.Until("she is in the other channel", `document.querySelector('#channel-name').innerText === '#geral'`)
	ana.runCommand("/invite @Balcão")
	ana.runCommand("/balcao follow " + what)
	ana.waitForText("A seguir nesta conversa")
	return ana, bank
}

// pressButton focuses the newest button with this label, and presses Enter.
func (p slackPage) pressButton(within, label string) {
	button := `[...document.querySelectorAll('` + within + ` button')].filter((button) => button.innerText.trim().endsWith(` + browsertest.Quoted(label) + `)).at(-1)`
	p.Until("there is a button "+label, button)
	p.Eval(button + `.focus()`)
	p.Keys(kb.Enter)
}

// runCommand focuses the composer and types a command.
func (p slackPage) runCommand(line string) {
	p.Eval(`document.querySelector('#composer').focus()`)
	p.typeCommand(line)
}

const (
	// channelMessages is every message of the channel, without threads and without what one person alone sees.
	channelMessages = `[...document.querySelectorAll('#messages > .message:not(.ephemeral)')]`
	cards           = channelMessages + `.filter((message) => message.querySelector('.actions'))`
	// firstThread is the replies to the first card.
	firstThread = `[...(` + cards + `[0].nextElementSibling.matches('.thread') ? ` + cards + `[0].nextElementSibling.querySelectorAll('.message') : [])]`
)

// waitForCard waits until the first card contains status and has this number of replies.
func (p slackPage) waitForCard(status string, replies string) {
	p.Until("the card says "+status+", with replies: "+replies,
		cards+`[0].innerText.includes(`+browsertest.Quoted(status)+`) && `+firstThread+`.length === `+replies)
}

// evalText returns the value of a JavaScript expression as text.
func (p slackPage) evalText(expression string) string {
	text, _ := p.Eval(expression).(string)
	return text
}

// moveProcess puts a process of the sandbox bank into its next state.
func moveProcess(t *testing.T, bank string, process int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, bank+"/sandbox/processes/"+sandbox.SampleProcess(process).String()+"/state", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		t.Fatalf("the bank does not move it: %s", response.Status)
	}
}

func TestTheChangesOfAProcessAreInOneThreadInTheBrowser(t *testing.T) {
	t.Parallel()
	ana, bank := openFollowing(t, "1042")

	moveProcess(t, bank, 1042)
	ana.waitForCard("Recolha de documentos", "1")
	card := ana.evalText(cards + `[0].dataset.ts`)
	moveProcess(t, bank, 1042)
	ana.waitForCard("Análise e pré-aprovação", "2")
	moveProcess(t, bank, 1042)
	ana.waitForCard("Avaliação do imóvel", "3")
	if now := ana.evalText(cards + `[0].dataset.ts`); now != card {
		t.Error("the card is another message than it was")
	}
	if others := ana.Eval(channelMessages + `.length`); others != 1.0 {
		t.Errorf("%v messages are in the channel, want the card alone", others)
	}
	replies := ana.evalText(firstThread + `.map((reply) => reply.innerText).join('\n')`)
	at := 0
	for _, step := range []string{"Em criação → Recolha de documentos", "Recolha de documentos → Análise e pré-aprovação", "Análise e pré-aprovação → Avaliação do imóvel"} {
		next := strings.Index(replies[at:], step)
		if next < 0 {
			t.Fatalf("%q is missing or out of order:\n%s", step, replies)
		}
		at += next + len(step)
	}
	if text := ana.evalText(cards + `[0].innerText`); strings.Count(text, "Avaliação do imóvel") != 1 || !strings.Contains(text, "Decisão") || !strings.Contains(text, "A aguardar\no banco") {
		t.Errorf("the card does not show the status once:\n%s", text)
	}

	ana.runCommand("/balcao mute 1042")
	ana.waitForText("Processo 1042 silenciado")
	ana.Until("the channel shows who did it", channelMessages+`.some((message) => message.innerText.includes('Ana Exemplo silenciou o processo 1042 neste canal'))`)
	moveProcess(t, bank, 1042)
	ana.waitForCard("Aprovação", "3")
	ana.runCommand("/balcao follow 1043") // its notifications come after any that were still to come
	ana.waitForText("sobre o processo 1043")
	moveProcess(t, bank, 1043)
	ana.Until("the other process has its card and its reply", cards+`.filter((message) => message.innerText.includes('Ver proponentes')).length === 2 && document.querySelectorAll('#messages > .thread').length === 2`)
	ana.waitForCard("Aprovação", "3")

	ana.pressButton("#messages", "Desfazer") // it is no longer the last change
	ana.waitForText("nada foi desfeito")
	ana.pressButton("#messages .ephemeral", "Reativar")
	ana.waitForText("Processo reativado")
	moveProcess(t, bank, 1042)
	ana.waitForCard("Contratação", "4")
	if last := ana.evalText(firstThread + `.at(-1).innerText`); !strings.Contains(last, "Aprovação (FINE e minuta) → Contratação") || strings.Contains(last, "Avaliação") {
		t.Errorf("after unmuting it says\n%s", last)
	}
}

func TestTheDigestIsPostedInTheBrowser(t *testing.T) {
	t.Parallel()
	var clock clocktest.Clock
	ana, bank := openFollowing(t, "tudo", app.WithClock(clock.Now))
	moveProcess(t, bank, 1042)
	ana.waitForCard("Recolha de documentos", "1")

	ana.runCommand("/balcao digest 09:30")
	ana.waitForText("todas juntas às 09:30, de segunda a sexta")
	due := clock.Now().In(lisbon.Zone) // the digest of the next weekday that begins
	for due = due.AddDate(0, 0, 1); due.Weekday() == time.Saturday || due.Weekday() == time.Sunday; {
		due = due.AddDate(0, 0, 1)
	}
	due = time.Date(due.Year(), due.Month(), due.Day(), 9, 30, 0, 0, lisbon.Zone)
	clock.Set(due.Add(-time.Hour)) // today's digest, or what is left of today, is over
	moveProcess(t, bank, 1042)
	moveProcess(t, bank, 1043)
	ana.waitForCard("Análise e pré-aprovação", "1") // the card is updated, without a reply
	const digest = channelMessages + `.find((message) => message.innerText.includes('Resumo de '))`
	if ana.Eval(`!!`+digest) != false {
		t.Error("it is posted before its time")
	}
	clock.Set(due)
	ana.Until("the digest is there", digest)
	text := ana.evalText(digest + `.innerText`)
	for _, says := range []string{"2 processos com alterações · 2 alterações", "Processo 1042 · Análise e pré-aprovação", "Processo 1043 · "} {
		if !strings.Contains(text, says) {
			t.Errorf("the digest does not say %q:\n%s", says, text)
		}
	}
	ana.waitForCard("Análise e pré-aprovação", "1")
	if others := ana.Eval(channelMessages + `.length`); others != 3.0 {
		t.Errorf("%v messages are in the channel; want the card, the announcement and the digest", others)
	}
}
