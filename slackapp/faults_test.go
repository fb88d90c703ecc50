package slackapp_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// generalFaults are run over both transports. A fault may make Slack refuse a call.
var generalFaults = []flow{
	{"Redis out of reach is said, and what is on the page stays", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrower new 1042")
		ana.sees("Página 2 de 7")
		ana.fills(personalData)
		h.redis.Stop()
		refused := ana.submits(nil)
		if refused.Action != "errors" || !strings.Contains(refused.Errors["borrowerTypeId"], "Tente de novo") {
			t.Fatalf("got %+v", refused)
		}
		ana.types("/borrowers 1042")
		ana.reads("Não foi possível guardar", "Tente de novo")
		ana.presses("back")
		ana.readsIn(ana.DM(), "Não foi possível guardar")
		h.redis.Start()
		h.wait("Redis to be found again", func() bool {
			_, _, err := h.replica.store.Get(h.ctx(), "test", "")
			return err == nil
		})
		ana.submits(nil)
		ana.sees("Página 3 de 7")
	}},
	{"a slow bank holds up no acknowledgement", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		release := h.gate.hold("")
		defer release()
		ana.submits(nil)
		ana.sees("A enviar…")
		ana.types("/borrowers 1042")
		ana.reads("A consultar…")
		ana.types("/borrowers")
		ana.sees("Consultar")
		_, err := ana.Options(h.ctx(), "process", "")
		must(t, err)
		must(t, ana.Close(h.ctx()))
		ana.types("/borrower new 1043")
		for _, delivered := range h.sim.Deliveries() {
			if delivered.Latency > slackTimeout {
				t.Errorf("%s was acknowledged after %s", delivered.Kind, delivered.Latency)
			}
		}
		release()
		ana.reads("Proponente criado")
	}},
	{"a bank that is not as expected takes no form, and the form is there when it is", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		before := h.borrowers()
		for _, c := range []struct {
			fault sandbox.Fault
			said  string
		}{
			{sandbox.Fault{Operation: portal.BorrowerCreate, Status: 404}, "o banco não tem a operação «borrowerCreate» no endereço configurado"},
			{sandbox.Fault{Operation: portal.BorrowerCreate, Status: 405}, "o banco não tem a operação «borrowerCreate» no endereço configurado"},
			{sandbox.Fault{Operation: portal.BorrowerCreate, Status: 415}, "o banco não aceita o que o Balcão acrescenta ao pedido"},
			{sandbox.Fault{Operation: portal.BorrowerCreate, Status: 401}, "o banco não aceita a sessão que acabou de abrir"},
			{sandbox.Fault{Operation: portal.BorrowerList, Status: 404}, "o banco não tem a operação «borrowerList» no endereço configurado"},
		} {
			remove := h.bank.Inject(c.fault)
			ana.submits(nil)
			ana.sees(c.said, "Nada foi alterado", "com a referência ", "O que escreveu fica guardado", "Voltar ao formulário")
			remove()
			ana.presses("continue")
			ana.sees("Página 7 de 7")
		}
		if h.borrowers() != before {
			t.Error("the bank has a borrower more")
		}
		ana.submits(nil)
		ana.reads("Proponente criado")
		if h.borrowers() != before+1 {
			t.Errorf("the bank has %d borrowers, and had %d", h.borrowers(), before)
		}
	}},
	{"a choice that Redis cannot take disturbs nobody", func(t *testing.T, h *harness) {
		h.ackWait = ackWaitForever // an attempt to reach Redis takes some of it
		h.restart()
		ana := h.ana()
		ana.types("/borrower new 1042")
		ana.sees("Página 2 de 7")
		view, _ := ana.TopView()
		h.redis.Stop()
		ana.fills(slacksim.Values{"personal.name": "Rui Amostra", "personal.genderId": "2"})
		must(t, h.replica.app.Close(h.ctx()))
		h.redis.Start()
		h.wait("Redis to be found again", func() bool {
			_, _, err := h.replica.store.Get(h.ctx(), "test", "")
			return err == nil
		})
		if after, _ := ana.TopView(); after.Hash != view.Hash || len(ana.Messages(ana.DM()))+len(ana.Messages(slacksim.TeamChannel)) != 0 {
			t.Error("she was notified in the middle of typing")
		}
	}},
	{"the list of a slow bank is shown when she goes on typing", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrowers")
		ana.sees("Consultar")
		remove := h.bank.Inject(sandbox.Fault{Latency: time.Second})
		defer remove()
		none, err := ana.Options(h.ctx(), "process", "")
		must(t, err)
		if len(none) != 1 || !strings.Contains(none[0].Text, "demora") {
			t.Fatalf("the list says %+v", none)
		}
		refused := ana.submits(slacksim.Values{"process": none[0].Text})
		if refused.Errors["process"] == "" {
			t.Errorf("no process at all gives %+v", refused)
		}
		h.wait("the process she means", func() bool {
			some, err := ana.Options(h.ctx(), "process", "rui A")
			must(t, err)
			return len(some) == 1 && strings.HasPrefix(some[0].Text, "1043 · Rui A.")
		})
	}},
	{"a bank out of reach is shown, with what to do, and the form stays", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		remove := h.bank.Inject(sandbox.Fault{Status: 503})
		ana.types("/borrowers 1042")
		ana.reads("Não foi possível contactar o banco", "Tente de novo", "Referência")
		ana.submits(nil)
		ana.sees("Não foi possível contactar o banco", "Voltar ao formulário")
		failed := ana.reads("Não foi possível contactar o banco", "Voltar ao formulário")
		remove()
		must(t, ana.Close(h.ctx()))
		ana.pressesIn(failed, "continue")
		ana.sees("Página 7 de 7", "Criar proponente")
		ana.submits(nil)
		ana.sees("Proponente criado")
		if h.borrowers() != 2 {
			t.Errorf("the process has %d borrowers", h.borrowers())
		}
	}},
	{"what the bank refuses can be corrected", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		h.fillProcess()
		ana.submits(nil)
		ana.sees("O banco recusou", "O banco respondeu")
		ana.presses("continue")
		ana.sees("Página 7 de 7")
	}},
	{"a borrower who was made is found though the bank's answer was lost", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		h.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, DropAfter: true, Times: 1})
		ana.submits(nil)
		ana.sees("Proponente criado")
		if h.created() != 1 || h.borrowers() != 2 {
			t.Errorf("the bank was asked %d times, and the process has %d borrowers", h.created(), h.borrowers())
		}
	}},
	{"a borrower who may have been made is not made again blindly", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		h.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, DropBefore: true, Times: 1})
		ana.submits(nil)
		view := ana.sees("pode ter sido executado ou não")
		if view.Submit != "" || strings.Contains(view.Text(), "Voltar ao formulário") {
			t.Errorf("a blind repetition is offered: %s", view.Text())
		}
		ana.reads("pode ter sido executado ou não", "Veja primeiro")
		must(t, ana.Close(h.ctx()))
		ana.types("/borrower new 1042")
		ana.sees("Página 7 de 7", "ficou sem resposta")
		if h.created() != 1 {
			t.Errorf("the bank was asked %d times", h.created())
		}
	}},
	{"a person who sends again what is in doubt sees the outcome, and nobody is made twice", func(t *testing.T, h *harness) {
		h.killReplica()
		h.callTimeout = 6 * time.Second
		h.replica = h.startReplica()
		ana := h.ana()
		ana.begins("1042")
		h.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, DropBefore: true, Times: 1})
		ana.submits(nil)
		ana.sees("pode ter sido executado ou não")
		must(t, ana.Close(h.ctx()))
		ana.types("/borrower new 1042")
		ana.sees("Página 7 de 7", "ficou sem resposta", "Criar proponente")
		ana.submits(nil)
		ana.sees("pode ter sido executado ou não")
		if h.created() != 1 {
			t.Errorf("while the outcome is unknown, the bank was asked %d times", h.created())
		}
		h.wait("the answer", func() bool { // once the lease is over
			must(t, ana.Close(h.ctx()))
			ana.types("/borrower new 1042")
			ana.sees("Página 7 de 7", "Criar proponente")
			ana.submits(nil)
			view, err := ana.WaitView(h.ctx(), func(v slacksim.View) bool {
				return strings.Contains(v.Text(), "Proponente criado") || strings.Contains(v.Text(), "pode ter sido executado ou não")
			})
			must(t, err)
			return strings.Contains(view.Text(), "Proponente criado")
		})
		if h.borrowers() != 2 {
			t.Errorf("the process has %d borrowers", h.borrowers())
		}
	}},
	{"an app that dies before it sends leaves that to the next", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		must(t, ana.Close(h.ctx()))
		ana.reads("fica guardado")
		h.editInOtherWindow(func(d *conversations.Draft) { d.Page = ".sending" })
		ana.types("/borrower new 1042")
		ana.sees("a resposta ainda não chegou")
		ana.presses("outcome")
		ana.sees("Proponente criado")
		if h.borrowers() != 2 || len(h.drafts()) != 0 {
			t.Errorf("the process has %d borrowers, and %d forms are open", h.borrowers(), len(h.drafts()))
		}
	}},
	{"a look at what became of a form that came back sends nothing", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		must(t, ana.Close(h.ctx()))
		ana.reads("fica guardado")
		h.editInOtherWindow(func(d *conversations.Draft) { d.Page = ".sending" })
		ana.types("/borrower new 1042")
		ana.sees("a resposta ainda não chegou")
		h.editInOtherWindow(func(d *conversations.Draft) { d.Page = ".confirm" })
		ana.presses("outcome")
		ana.sees("Página 7 de 7", "Criar proponente")
		if h.created() != 0 {
			t.Error("it was sent without being confirmed")
		}
	}},
	{"an app that dies while it sends leaves one borrower, and its result is found", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		h.bank.Inject(sandbox.Fault{Operation: portal.BorrowerCreate, Latency: 3 * time.Second, Times: 1})
		ana.submits(nil)
		ana.sees("A enviar…")
		h.crashReplica()
		h.replica = h.startReplica()
		must(t, ana.Close(h.ctx()))
		ana.types("/borrower new 1042")
		ana.sees("a resposta ainda não chegou")
		ana.presses("outcome")
		// Before the bank has answered, she reads how to find the result; afterwards, the result.
		_, err := ana.WaitView(h.ctx(), func(v slacksim.View) bool {
			return says(v.Text(), []string{"Referência"}) || says(v.Text(), []string{"Proponente criado"})
		})
		must(t, err)
		if h.created() > 1 {
			t.Errorf("the bank was asked %d times", h.created())
		}
	}},
	{"a form that has ended elsewhere says so", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.begins("1042")
		_, err := h.replica.store.EndDraft(h.ctx(), h.draft())
		must(t, err)
		ana.submits(nil)
		ana.sees("já terminou")
		if h.created() != 0 {
			t.Error("it was sent all the same")
		}
	}},
	{"who has too many forms open reads which to finish", func(t *testing.T, h *harness) {
		for i := range 50 {
			_, err := h.replica.store.StartDraft(h.ctx(), anasID, "anything", strconv.Itoa(i))
			must(t, err)
		}
		ana := h.ana()
		ana.types("/borrower new 1042")
		ana.sees("demasiados pedidos por terminar", "Início")
	}},
	{"a modal closed too early is answered in the channel", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/borrowers")
		ana.sees("Consultar")
		ana.fills(slacksim.Values{"process": "1042 · Maria E."})
		h.bank.Inject(sandbox.Fault{Operation: portal.BorrowerList, Latency: time.Second, Times: 1})
		ana.submits(nil)
		ana.sees("A consultar…")
		must(t, ana.Close(h.ctx()))
		ana.reads("Proponentes do processo 1042")
	}},
	{"a form that cannot be shown gives way to an error, not to waiting for ever", func(t *testing.T, h *harness) {
		ana := h.ana()
		h.sim.Fail("views.update", 1, slacksim.Failure{Error: "invalid_arguments"})
		ana.types("/borrower new 1042")
		ana.sees("O Slack não aceitou", "Referência", "Voltar ao formulário")
		ana.presses("continue")
		ana.sees("Página 2 de 7")
	}},
	{"a form that does not open at all is shown in the channel", func(t *testing.T, h *harness) {
		ana := h.ana()
		h.sim.Fail("views.open", 1, slacksim.Failure{Error: "expired_trigger_id"})
		ana.types("/borrower new 1042")
		ana.reads("não chegou a abrir", "Repita o comando")
	}},
	{"a file that cannot be handed over is said on the card", func(t *testing.T, h *harness) {
		ana := h.ana()
		h.sim.Fail("upload", 1, slacksim.Failure{Status: 500})
		ana.types("/esis 1042")
		ana.reads("FINE do processo 1042", "Não foi possível entregar o ficheiro")
	}},
	{"who cannot be placed is not served", func(t *testing.T, h *harness) {
		ana := h.ana()
		h.sim.Fail("users.info", 1, slacksim.Failure{Error: "internal_error"})
		ana.types("/borrowers 1042")
		ana.reads("O Slack não aceitou")
		if h.bank.Calls(portal.BorrowerList) > 0 {
			t.Error("the bank was asked all the same")
		}
	}},
	{"a used-up response URL is answered all the same", func(t *testing.T, h *harness) {
		ana := h.ana()
		h.bank.Inject(sandbox.Fault{Latency: time.Second, Times: 1}) // no answer in time for the acknowledgement
		h.sim.Fail("response_url", 1, slacksim.Failure{Status: 404})
		ana.types("/borrowers 1042")
		ana.reads("Proponentes do processo 1042")
		if h.sim.Calls("chat.postEphemeral") != 1 {
			t.Error("it was answered some other way")
		}
	}},
	{"where the app is not a member a person is answered directly", func(t *testing.T, h *harness) {
		ana := h.ana()
		h.bank.Inject(sandbox.Fault{Latency: time.Second, Times: 1}) // no answer in time for the acknowledgement
		h.sim.Fail("response_url", 1, slacksim.Failure{Status: 404})
		must(t, ana.Command(h.ctx(), slacksim.GeneralChannel, "/borrowers 1042"))
		ana.readsIn(ana.DM(), "Proponentes do processo 1042")
	}},
	{"Slack's asking to slow down is heeded", func(t *testing.T, h *harness) {
		ana := h.ana()
		h.sim.Fail("views.update", 1, slacksim.RateLimited(time.Second))
		ana.types("/borrower new 1042")
		ana.sees("Página 2 de 7")
	}},
	{"a panic is answered with a reference", func(t *testing.T, h *harness) {
		ana := h.ana()
		h.people.panics.Store(true)
		ana.types("/borrowers 1042")
		ana.reads("Algo correu mal", "Referência")
		h.people.panics.Store(false)
		ana.types("/borrowers 1042")
		ana.reads("Proponentes do processo 1042")
	}},
	{"who asks for too much at once reads how much is running", func(t *testing.T, h *harness) {
		ana := h.ana()
		release := h.gate.hold("")
		defer release()
		var crowd sync.WaitGroup
		for range 70 {
			crowd.Go(func() { _ = ana.Command(h.ctx(), slacksim.TeamChannel, "/borrowers 1042") })
		}
		crowd.Wait()
		ana.reads("Já tem 16 pedidos em curso")
	}},
	{"an event that Redis could not keep apart comes again", func(t *testing.T, h *harness) {
		ana := h.ana()
		h.redis.Stop()
		must(t, ana.OpenHome(h.ctx()))
		h.wait("a first attempt", func() bool {
			return slices.ContainsFunc(h.sim.Deliveries(), func(d slacksim.DeliveryResult) bool { return d.Kind == "event_callback" && d.Failure != "" })
		})
		h.redis.Start()
		_, err := ana.WaitHome(h.ctx(), func(v slacksim.View) bool { return says(v.Text(), []string{"O que pode fazer"}) })
		must(t, err)
	}},
}

func TestFaultsAreAnsweredWhereThePersonIs(t *testing.T) {
	t.Parallel()
	for _, way := range []transport{overHTTP, overSocket} {
		for _, fault := range slices.Concat(generalFaults, borrowerFaults) {
			t.Run(string(way)+"/"+fault.name, func(t *testing.T) {
				t.Parallel()
				fault.run(t, newHarness(t, way, func(c *options) {
					c.Rate.MessagesPerSecond = -1
					c.RetryDelays = []time.Duration{0, 2 * time.Second, 4 * time.Second}
				}))
			})
		}
	}
}

func TestARefreshOfItsSocketsLosesNoEvent(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overSocket, func(c *options) {
		c.Rate.MessagesPerSecond = -1
		c.AckTimeout = 500 * time.Millisecond
		c.RetryDelays = slices.Repeat([]time.Duration{100 * time.Millisecond}, 50)
	})
	ana := h.ana()
	const events = 40
	for i := range events {
		must(t, ana.Say(h.ctx(), ana.DM(), "olá"))
		if i%10 == 5 {
			h.sim.DisconnectSockets()
		}
	}
	must(t, h.sim.WaitEvents(h.ctx()))
	must(t, h.replica.app.Close(h.ctx())) // waits for their work
	answers := 0
	for _, m := range ana.Messages(ana.DM()) {
		if m.User == slacksim.BotUserID {
			answers++
		}
	}
	if answers != events {
		t.Errorf("%d events were answered %d times", events, answers)
	}
	h.checkNoRefusals()
}

func TestAFormGoesOnOverTheNextSocket(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overSocket)
	ana := h.ana()
	ana.types("/borrower new 1042")
	ana.sees("Página 2 de 7")
	h.sim.DisconnectSockets()
	h.wait("the sockets to be back", func() bool { return h.sim.Sockets() == 2 })
	ana.submits(personalData)
	ana.sees("Página 3 de 7")
	h.checkNoRefusals()
}

func TestAnAppTokenThatSlackRefusesIsAnError(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	h.sim.Fail("apps.connections.open", 2, slacksim.Failure{Error: "invalid_auth"})
	if err := h.replica.app.RunSocket(h.ctx()); err == nil || !strings.Contains(err.Error(), "invalid_auth") {
		t.Errorf("got %v", err)
	}
}

// crashReplica ends the replica while it has running work.
func (h *harness) crashReplica() {
	h.t.Helper()
	h.handler.Store(nil)
	h.replica.closeSockets()
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if err := h.replica.app.Close(gone); err == nil {
		h.t.Error("nothing was under way")
	}
	h.replica.env.Close()
}
