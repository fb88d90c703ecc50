package pagetest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/balcao/balcao/internal/browsertest"
	"github.com/balcao/balcao/internal/slacksim"
)

// testApp is a Slack app with a list of the borrowers of one process.
type testApp struct {
	t         *testing.T
	workspace string
}

func (a *testApp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		a.t.Error(err)
	}
	form, err := url.ParseQuery(string(raw))
	if err != nil {
		a.t.Error(err)
	}
	if form.Has("command") {
		a.call("views.open", object{"trigger_id": form.Get("trigger_id"), "view": object{
			"type": "modal", "callback_id": "new", "title": plain("Novo titular"), "submit": plain("Guardar"), "close": plain("Cancelar"),
			"blocks": []object{
				inputBlock("processo", "Processo", object{"type": "external_select", "min_query_length": 0}),
				inputBlock("nif", "NIF", object{"type": "plain_text_input"}),
			},
		}})
		return
	}
	var in struct {
		Type string
		View struct {
			State struct {
				Values map[string]map[string]map[string]any
			}
		}
	}
	if err := json.Unmarshal([]byte(form.Get("payload")), &in); err != nil {
		return // events are ignored
	}
	switch {
	case in.Type == "block_suggestion":
		writeJSON(w, object{"options": []object{option("1042 · Maria Exemplo", "1042"), option("1043 · João Amostra", "1043")}})
	case in.View.State.Values["nif"]["value"]["value"] != "299999998":
		writeJSON(w, object{"response_action": "errors", "errors": object{"nif": "Confirme o NIF."}})
	default:
		chosen, _ := in.View.State.Values["processo"]["value"]["selected_option"].(map[string]any)
		writeJSON(w, object{"response_action": "clear"})
		a.call("chat.postEphemeral", object{"channel": slacksim.TeamChannel, "user": slacksim.Ana, "text": "Titular criado no processo " + chosen["value"].(string)})
	}
}

func (a *testApp) call(method string, args object) {
	body, err := json.Marshal(args)
	if err != nil {
		a.t.Error(err)
		return
	}
	request, err := http.NewRequest(http.MethodPost, a.workspace+"/api/"+method, strings.NewReader(string(body)))
	if err != nil {
		a.t.Error(err)
		return
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set("Authorization", "Bearer "+slacksim.DefaultBotToken)
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		a.t.Error(err)
		return
	}
	defer reply.Body.Close()
	answer, err := io.ReadAll(reply.Body)
	if err != nil || !strings.Contains(string(answer), `"ok":true`) {
		a.t.Errorf("%s: %s %v", method, answer, err)
	}
}

func TestACommandAndAModalWorkWithTheSimulator(t *testing.T) {
	t.Parallel()
	app := &testApp{t: t}
	appServer := httptest.NewServer(app)
	t.Cleanup(appServer.Close)
	manifest := `{"display_information": {"name": "Balcão"}, "features": {"slash_commands": [
		{"command": "/borrower-new", "description": "Criar um titular", "usage_hint": "[processo]"}]}}`
	workspace := slacksim.New(slacksim.Config{RequestURL: appServer.URL, Manifest: []byte(manifest)})
	server := httptest.NewServer(workspace)
	t.Cleanup(func() {
		if err := workspace.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	workspace.SetBaseURL(server.URL)
	app.workspace = server.URL

	p := browsertest.Open(t, server.URL+"/?user="+slacksim.Ana)
	p.Until("the page is ready", `document.querySelector('#channels button') && document.activeElement.id === 'composer'`)
	p.Keys("/nada" + kb.Enter)
	p.Until("a command that is not the app's is refused", `document.querySelector('#composer-problem').innerText.includes('Esse comando não existe')`)
	p.Keys(strings.Repeat(kb.Backspace, 5) + "/bor" + kb.Tab + kb.Enter)
	p.Until("the modal is open", `document.activeElement.closest('dialog [data-block-id=processo]')`)
	p.Keys("João")
	p.Until("the processes are found", `document.querySelectorAll('dialog [role=option]').length === 2`)
	p.Keys(kb.ArrowDown + kb.Enter + kb.Tab + "299999999" + kb.Enter)
	p.Until("the app's problem stands under the field", `document.querySelector('[data-block-id=nif] .problem').innerText === 'Confirme o NIF.'
		&& document.activeElement.closest('[data-block-id=nif]')`)
	p.Keys(strings.Repeat(kb.Backspace, 9) + "299999998" + kb.Enter)
	p.Until("the answer is shown to her alone", `!document.querySelector('dialog') && document.querySelector('.message.ephemeral').innerText.includes('Titular criado no processo 1043')`)
}
