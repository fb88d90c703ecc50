package slackapp_test

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestASelectSaysWhyItHasNothingToOffer(t *testing.T) {
	t.Parallel()
	const (
		forbidden  = "Não tem permissão para ver esta lista."
		failed     = "Não foi possível obter a lista. Tente de novo dentro de instantes."
		unreadable = "A lista não pode ser lida: avise quem administra o Balcão."
	)
	for name, c := range map[string]struct {
		user, tool, field string
		fault             sandbox.Fault
		want              string
		asked             bool // whether the bank is called
	}{
		"a guest":                        {slacksim.Guest, "list_borrowers", "process", sandbox.Fault{}, forbidden, false},
		"a guest in a form":              {slacksim.Guest, "create_borrower", "personal.genderId", sandbox.Fault{}, forbidden, false},
		"a guest without a draft":        {slacksim.Guest, "delete_borrower", "borrower", sandbox.Fault{}, forbidden, false},
		"a stranger":                     {slacksim.Stranger, "list_borrowers", "process", sandbox.Fault{}, forbidden, false},
		"a bank that takes its time":     {slacksim.Ana, "list_borrowers", "process", sandbox.Fault{Latency: time.Second}, "O banco está a demorar. Tente de novo dentro de instantes.", true},
		"a bank that fails":              {slacksim.Ana, "list_borrowers", "process", sandbox.Fault{Status: 500}, failed, true},
		"a form that is no longer there": {slacksim.Ana, "delete_borrower", "borrower", sandbox.Fault{}, "Este formulário já terminou: repita o comando.", false},
		"a bank without the list":        {slacksim.Ana, "create_borrower", "personal.genderId", sandbox.Fault{Operation: "gendersGet", Status: 404}, unreadable, true},
		"a list of another form":         {slacksim.Ana, "create_borrower", "personal.genderId", sandbox.Fault{Operation: "gendersGet", Body: sandbox.HTML}, unreadable, true},
		"a list that is refused":         {slacksim.Ana, "create_borrower", "personal.genderId", sandbox.Fault{Operation: "gendersGet", Status: 403}, "O banco recusou esta lista: avise quem administra o Balcão.", true},
		"a login that is refused":        {slacksim.Ana, "list_borrowers", "process", sandbox.Fault{Operation: portal.Authenticate, Status: 401}, "O banco recusou o início de sessão: avise quem administra o Balcão.", true},
		"a session that is refused":      {slacksim.Ana, "list_borrowers", "process", sandbox.Fault{Operation: portal.ProcessList, Status: 401}, unreadable, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, overHTTP, func(o *options) {
				if c.fault.Latency == 0 {
					o.ackWait = ackWaitForever
				}
			})
			defer h.bank.Inject(c.fault)()
			if got := h.offeredOptions(c.user, c.tool, c.field); len(got) != 1 || got[0] != c.want {
				t.Errorf("the list says %q, want %q", got, c.want)
			}
			if c.asked {
				h.wait("the bank is asked", func() bool { return h.bank.Calls(portal.Authenticate) > 0 })
			} else if h.bank.Calls(portal.Authenticate) > 0 {
				t.Error("the bank was asked")
			}
		})
	}
}

// offeredOptions returns the texts of the options that a select offers to a user, with or without its form.
func (h *harness) offeredOptions(user, tool, field string) []string {
	h.t.Helper()
	payload, err := json.Marshal(map[string]any{
		"type": "block_suggestion", "user": map[string]string{"id": user}, "block_id": field, "value": "",
		"view": map[string]string{"id": "V1", "type": "modal", "callback_id": tool, "private_metadata": `{"draft":"none","page":"borrower"}`},
	})
	must(h.t, err)
	done, err := h.sim.Deliver(h.ctx(), slacksim.Delivery{Body: []byte(url.Values{"payload": {string(payload)}}.Encode()), Sign: true})
	must(h.t, err)
	var answer struct {
		Options []struct {
			Text struct {
				Text string `json:"text"`
			} `json:"text"`
		} `json:"options"`
	}
	must(h.t, json.Unmarshal(done.Body, &answer))
	var texts []string
	for _, option := range answer.Options {
		texts = append(texts, option.Text.Text)
	}
	return texts
}
