package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/balcao/balcao/internal/browsertest"
	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/portal/sandbox"
)

// following sits Ana in a channel that the bot has just been invited to and that wants to hear about something, at a bank
// where nothing moves unless the test says so.
func following(t *testing.T, what string) (ana desk, bank string) {
	t.Helper()
	slack, bank := played(t, "SANDBOX_PACE=off")
	await(t, "the first walk, after which all that moves is news", func() bool {
		_, metrics := get(t, slack+"/metrics")
		return strings.Contains(metrics, "\nbalcao_walk_age_seconds ")
	})
	ana = sit(t, slack)
	ana.pushes("#channels", "geral")
	ana.Until("she is in the other channel", `document.querySelector('#place').innerText === '#geral'`)
	ana.Eval(`document.querySelector('#composer').focus()`)
	ana.command("/invite @Balcão")
	ana.command("/balcao watch " + what)
	ana.reads("A seguir nesta conversa")
	return ana, bank
}

// pushes puts the focus on the newest button that says this, and presses it.
func (d desk) pushes(within, label string) {
	button := `[...document.querySelectorAll('` + within + ` button')].filter((button) => button.innerText.trim().endsWith(` + browsertest.Quoted(label) + `)).at(-1)`
	d.Until("there is a button "+label, button)
	d.Eval(button + `.focus()`)
	d.Keys(kb.Enter)
}

// orders types a command, wherever the focus was.
func (d desk) orders(line string) {
	d.Eval(`document.querySelector('#composer').focus()`)
	d.command(line)
}

const (
	// posted is all that the channel as a whole reads, threads left out.
	posted = `[...document.querySelectorAll('#messages > .message:not(.ephemeral)')]`
	cards  = posted + `.filter((message) => message.querySelector('.actions'))`
	// thread is what stands below the first card.
	thread = `[...(` + cards + `[0].nextElementSibling.matches('.thread') ? ` + cards + `[0].nextElementSibling.querySelectorAll('.message') : [])]`
)

// told waits until there is one card, which says this, with so many replies.
func (d desk) told(status string, replies string) {
	d.Until("the card says "+status+", with replies: "+replies,
		cards+`[0].innerText.includes(`+browsertest.Quoted(status)+`) && `+thread+`.length === `+replies)
}

// text is a JavaScript expression's value, as text.
func (d desk) text(expression string) string {
	text, _ := d.Eval(expression).(string)
	return text
}

// moves has the bank move a process to its next state.
func moves(t *testing.T, bank string, process int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, bank+"/sandbox/processes/"+sandbox.SampleProcess(process).String()+"/move", nil)
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

func TestTheStoryOfAProcessIsToldInOneThreadInTheBrowser(t *testing.T) {
	t.Parallel()
	ana, bank := following(t, "1042")

	moves(t, bank, 1042)
	ana.told("Recolha de documentos", "1")
	card := ana.text(cards + `[0].dataset.ts`)
	moves(t, bank, 1042)
	ana.told("Análise e pré-aprovação", "2")
	moves(t, bank, 1042)
	ana.told("Avaliação do imóvel", "3")
	if now := ana.text(cards + `[0].dataset.ts`); now != card {
		t.Error("the card is another message than it was")
	}
	if others := ana.Eval(posted + `.length`); others != 1.0 {
		t.Errorf("%v messages stand in the channel beside the thread", others)
	}
	story := ana.text(thread + `.map((reply) => reply.innerText).join('\n')`)
	at := 0
	for _, step := range []string{"Em criação → Recolha de documentos", "Recolha de documentos → Análise e pré-aprovação", "Análise e pré-aprovação → Avaliação do imóvel"} {
		next := strings.Index(story[at:], step)
		if next < 0 {
			t.Fatalf("%q is not told in its turn:\n%s", step, story)
		}
		at += next + len(step)
	}
	if text := ana.text(cards + `[0].innerText`); strings.Count(text, "Avaliação do imóvel") != 1 || !strings.Contains(text, "Decisão") || !strings.Contains(text, "À espera de\nbanco") {
		t.Errorf("the card does not say once where the process stands:\n%s", text)
	}

	ana.orders("/balcao mute 1042")
	ana.reads("Processo 1042 silenciado")
	ana.Until("all read who did it", posted+`.some((message) => message.innerText.includes('Ana Exemplo silenciou o processo 1042 neste canal'))`)
	moves(t, bank, 1042)
	ana.told("Aprovação", "3")
	ana.orders("/balcao watch 1043") // what is told of it comes after whatever else was to be told
	ana.reads("sobre o processo 1043")
	moves(t, bank, 1043)
	ana.Until("the other process has its card and its reply", cards+`.filter((message) => message.innerText.includes('Ver proponentes')).length === 2 && document.querySelectorAll('#messages > .thread').length === 2`)
	ana.told("Aprovação", "3")

	ana.pushes("#messages", "Desfazer") // which would undo what came after it
	ana.reads("nada foi desfeito")
	ana.pushes("#messages .ephemeral", "Deixar de silenciar")
	ana.reads("Já não está silenciado")
	moves(t, bank, 1042)
	ana.told("Contratação", "4")
	if last := ana.text(thread + `.at(-1).innerText`); !strings.Contains(last, "Aprovação (FINE e minuta) → Contratação") || strings.Contains(last, "Avaliação") {
		t.Errorf("after the silence it says\n%s", last)
	}
}

func TestTheDigestComesInTheBrowser(t *testing.T) {
	t.Parallel()
	ana, bank := following(t, "tudo")
	moves(t, bank, 1042)
	ana.told("Recolha de documentos", "1")

	due := time.Now().In(lisbon.Zone).Add(15 * time.Second).Truncate(time.Minute).Add(time.Minute) // what moves until then is in it
	ana.command("/balcao digest " + due.Format("15:04"))
	ana.reads("todas juntas às " + due.Format("15:04") + ", de segunda a sexta")
	moves(t, bank, 1042)
	moves(t, bank, 1043)
	ana.told("Análise e pré-aprovação", "1") // the card is up to date, and says so to nobody
	if slices.Contains([]time.Weekday{time.Saturday, time.Sunday}, due.Weekday()) {
		return // none comes before Monday
	}
	const digest = posted + `.find((message) => message.innerText.includes('O que avançou'))`
	ana.Within(time.Until(due)+20*time.Second, "the digest is there", digest)
	text := ana.text(digest + `.innerText`)
	for _, says := range []string{"2 processos avançaram · 2 alterações", "Processo 1042 · Análise e pré-aprovação", "Processo 1043 · "} {
		if !strings.Contains(text, says) {
			t.Errorf("the digest does not say %q:\n%s", says, text)
		}
	}
	if before := time.Until(due); before > 0 {
		t.Errorf("it came %s before its time", before)
	}
	ana.told("Análise e pré-aprovação", "1")
	if others := ana.Eval(posted + `.length`); others != 3.0 {
		t.Errorf("%v messages stand in the channel, with the card, what was announced and the digest", others)
	}
}
