package slacksim_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/clocktest"
	"github.com/balcao/balcao/internal/slacksim"
)

// handlerCall calls the Web API's handler without a network.
func handlerCall(sim *slacksim.Sim, method string, args object) object {
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/api/"+method, strings.NewReader(mustJSON(args)))
	r.Header = http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Authorization": {"Bearer " + slacksim.DefaultBotToken}}
	sim.ServeHTTP(w, r)
	answer := object{}
	_ = json.Unmarshal(w.Body.Bytes(), &answer)
	return answer
}

// newClock returns a clock that stands.
func newClock() *clocktest.Clock { return clocktest.At(time.Unix(1795000000, 0)) }

// withClock sets the clock of a workspace.
func withClock(clock *clocktest.Clock) func(*slacksim.Config) {
	return func(cfg *slacksim.Config) { cfg.Now = clock.Now }
}

func TestATriggerOpensOneViewWithinThreeSeconds(t *testing.T) {
	c := newClock()
	e := newEnv(t, withClock(c))
	open := func(trigger string) object {
		return e.call("views.open", object{"trigger_id": trigger, "view": modal("T")})
	}

	used := e.trigger()
	refused(t, e.call("views.open", object{"trigger_id": used, "view": modal("")}), "invalid_arguments")
	accepted(t, open(used)) // a refused view does not use the trigger up
	refused(t, open(used), "exchanged_trigger_id")

	late := e.trigger()
	c.Add(3*time.Second + time.Millisecond)
	refused(t, open(late), "expired_trigger_id")
	refused(t, open("1.2.made-up"), "invalid_trigger_id")
	refused(t, open(""), "invalid_arguments")
}

func TestAnUpdateWithAStaleHashConflicts(t *testing.T) {
	e := newEnv(t)
	ana := e.openModal(modal("A carregar…", section("…")))
	view, _ := ana.TopView()
	update := func(hash string) object {
		return e.call("views.update", object{"view_id": view.ID, "hash": hash, "view": modal("Pronto", section("feito"))})
	}
	accepted(t, update(view.Hash))
	refused(t, update(view.Hash), "hash_conflict")
	refused(t, e.call("views.update", object{"view_id": "V0NADA", "view": modal("T")}), "not_found")
	must(t, ana.Close(timeoutContext(t)))
	refused(t, update(""), "not_found")
}

func TestAnExternalIDNamesOneView(t *testing.T) {
	e := newEnv(t)
	named := with(modal("T", section("x")), "external_id", "rascunho-1")
	ana := e.openModal(named)
	accepted(t, e.call("views.update", object{"external_id": "rascunho-1", "view": named}))
	e.handle("command", func(in object) any {
		refused(t, e.call("views.open", object{"trigger_id": in["trigger_id"], "view": named}), "duplicate_external_id")
		return nil
	})
	must(t, e.User(slacksim.Tom).Command(timeoutContext(t), slacksim.TeamChannel, "/abrir"))
	must(t, ana.Close(timeoutContext(t)))
	e.openModal(named)
}

func TestAtMostThreeViewsAreStacked(t *testing.T) {
	e := newEnv(t)
	ana := e.openModal(modal("1", actions("a", button("mais"))))
	var answers []object
	e.handle("block_actions", func(in object) any {
		answers = append(answers, e.call("views.push", object{"trigger_id": in["trigger_id"], "view": modal("seguinte", actions("a", button("mais")))}))
		return nil
	})
	for range 3 {
		must(t, ana.Click(timeoutContext(t), "mais"))
	}
	accepted(t, answers[0])
	second := accepted(t, answers[1])
	refused(t, answers[2], "push_limit_reached")
	if dig(second, "view", "root_view_id") == dig(second, "view", "previous_view_id") {
		t.Error("the third view's root is the second, not the first")
	}
	must(t, ana.Close(timeoutContext(t)))
	must(t, ana.Close(timeoutContext(t)))
	if top, _ := ana.TopView(); top.Title != "1" {
		t.Errorf("the view below is %q, not the first", top.Title)
	}
	refused(t, e.call("views.push", object{"trigger_id": e.trigger(), "view": modal("T")}), "not_found")
}

func TestAnInputKeepsItsValueThroughAnUpdate(t *testing.T) {
	e := newEnv(t)
	page := modal("1", textInput("nome", object{"initial_value": "de início"}), textInput("nota"))
	ana := e.openModal(page)
	must(t, ana.Fill(timeoutContext(t), slacksim.Values{"nome": "Maria Exemplo"}))
	view, _ := ana.TopView()
	next := modal("2", textInput("nome", object{"initial_value": "outro"}), textInput("nota"), textInput("novo", object{"initial_value": "conta"}))
	accepted(t, e.call("views.update", object{"view_id": view.ID, "view": next}))
	view, _ = ana.TopView()
	for block, want := range map[string]any{"nome": "Maria Exemplo", "nota": nil, "novo": "conta"} {
		if got := view.Values[block][block+"_typed"]["value"]; got != want {
			t.Errorf("%s holds %v, want %v", block, got, want)
		}
	}
}

func TestEveryResponseActionOfASubmission(t *testing.T) {
	rows := []struct {
		name   string
		answer any
		action string // of the result, or ""
		code   string // of the failure, or ""
		stack  int
	}{
		{"nothing closes it", nil, "close", "", 1},
		{"an empty object closes it", object{}, "close", "", 1},
		{"clear closes all", object{"response_action": "clear"}, "clear", "", 0},
		{"update shows another in its place", object{"response_action": "update", "view": modal("2")}, "update", "", 2},
		{"push shows another above", object{"response_action": "push", "view": modal("3")}, "push", "", 3},
		{"errors stay under their fields", object{"response_action": "errors", "errors": object{"nome": "Confirme o nome."}}, "errors", "", 2},
		{"an error on a block that is no input", object{"response_action": "errors", "errors": object{"texto": "x"}}, "", "trouble_connecting", 2},
		{"an error on a block that is not there", object{"response_action": "errors", "errors": object{"nada": "x"}}, "", "trouble_connecting", 2},
		{"no errors", object{"response_action": "errors", "errors": object{}}, "", "trouble_connecting", 2},
		{"an unknown action", object{"response_action": "explode"}, "", "trouble_connecting", 2},
		{"a view that is refused", object{"response_action": "update", "view": modal(long(25))}, "", "trouble_connecting", 2},
		{"text that is no JSON", "done", "", "trouble_connecting", 2},
		{"a status of 500", 500, "", "trouble_connecting", 2},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t)
			ana := e.openModal(modal("1", actions("a", button("mais"))))
			e.handle("block_actions", func(in object) any {
				accepted(t, e.call("views.push", object{"trigger_id": in["trigger_id"], "view": modal("2", textInput("nome"), with(section("x"), "block_id", "texto"))}))
				return nil
			})
			must(t, ana.Click(timeoutContext(t), "mais"))
			e.handle("view_submission", func(object) any { return row.answer })
			result, err := ana.Submit(timeoutContext(t), slacksim.Values{"nome": "Maria Exemplo"})
			if failed := (*slacksim.AppError)(nil); errors.As(err, &failed) != (row.code != "") || failed != nil && failed.Code != row.code {
				t.Errorf("failed with %v, want %q", err, row.code)
			}
			if result.Action != row.action {
				t.Errorf("action %q, want %q", result.Action, row.action)
			}
			depth := 0
			for top, open := ana.TopView(); open; top, open = ana.TopView() {
				depth, _ = depth+1, top
				must(t, ana.Close(timeoutContext(t)))
			}
			if depth != row.stack {
				t.Errorf("%d modals were open, want %d", depth, row.stack)
			}
		})
	}
}

func TestASubmissionCarriesEveryInputUnderItsIDs(t *testing.T) {
	e := newEnv(t)
	ana := e.openModal(with(modal("Todos",
		textInput("nome"),
		selectInput("valor", "number_input", object{"is_decimal_allowed": true}),
		selectInput("email", "email_text_input", nil),
		selectInput("sitio", "url_text_input", nil),
		selectInput("data", "datepicker", nil),
		selectInput("tipo", "static_select", object{"options": options(3)}),
		selectInput("processo", "external_select", object{"min_query_length": 0}),
		selectInput("pessoa", "users_select", object{"initial_user": slacksim.Ana}),
		selectInput("sexo", "radio_buttons", object{"options": options(2)}),
		selectInput("avisos", "checkboxes", object{"options": options(3)}),
		with(textInput("vazio"), "optional", true),
	), "private_metadata", "rascunho"))
	e.handle("block_suggestion", func(in object) any {
		return object{"options": []object{choice("1042 · Porto", "p-1042"), choice("1043 · Faro", "p-1043")}}
	})
	_, err := ana.Submit(timeoutContext(t), slacksim.Values{
		"nome": "Maria Exemplo", "valor": "180000.50", "email": "maria@example.com", "sitio": "https://example.com",
		"data": "1990-02-28", "tipo": "opção 2", "processo": "p-1043", "sexo": "1", "pessoa": "Tom Sample", "avisos": "0\nopção 2",
	})
	must(t, err)
	in, _ := e.last()
	for path, want := range map[string]any{
		"nome/nome_typed/value": "Maria Exemplo", "valor/valor_chosen/value": "180000.50", "email/email_chosen/value": "maria@example.com",
		"data/data_chosen/selected_date": "1990-02-28", "tipo/tipo_chosen/selected_option/value": "2",
		"processo/processo_chosen/selected_option/text/text": "1043 · Faro", "sexo/sexo_chosen/selected_option/value": "1",
		"pessoa/pessoa_chosen/selected_user":            slacksim.Tom,
		"avisos/avisos_chosen/selected_options/1/value": "2", "vazio/vazio_typed/type": "plain_text_input", "vazio/vazio_typed/value": nil,
	} {
		if got := dig(in, append([]string{"view", "state", "values"}, strings.Split(path, "/")...)...); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if dig(in, "view", "private_metadata") != "rascunho" || dig(in, "user", "id") != slacksim.Ana || in["trigger_id"] == nil {
		t.Errorf("the payload is %v", in)
	}
}

func TestAFileInputHoldsTheFilesThatAPersonChooses(t *testing.T) {
	e := newEnv(t)
	ana := e.openModal(modal("Documento", selectInput("documento", "file_input", object{"filetypes": []string{"pdf"}, "max_files": 1})))
	for _, refused := range []string{"programa.exe", "um.pdf\noutro.pdf"} {
		if _, err := ana.Submit(timeoutContext(t), slacksim.Values{"documento": refused}); err == nil {
			t.Errorf("it takes %q", refused)
		}
	}
	_, err := ana.Submit(timeoutContext(t), slacksim.Values{"documento": "contrato.pdf"})
	must(t, err)
	in, _ := e.last()
	at := []string{"view", "state", "values", "documento", "documento_chosen", "files", "0"}
	id, _ := dig(in, append(at, "id")...).(string)
	if dig(in, append(at, "name")...) != "contrato.pdf" || dig(in, append(at, "mimetype")...) != "application/pdf" || e.File(id) == nil {
		t.Errorf("the payload is %v", in)
	}
}

func TestInvalidInputsAreNotSubmitted(t *testing.T) {
	rows := []struct {
		name  string
		input object
		value string
		want  string
	}{
		{"a required field left empty", textInput("b"), "", "Preencha este campo obrigatório."},
		{"too short", textInput("b", object{"min_length": 9}), "12345678", "Introduza pelo menos 9 caracteres."},
		{"too long", textInput("b", object{"max_length": 9}), "1234567890", "Introduza no máximo 9 caracteres."},
		{"no number", selectInput("b", "number_input", object{"is_decimal_allowed": false}), "muito", "Introduza um número válido."},
		{"no whole number", selectInput("b", "number_input", object{"is_decimal_allowed": false}), "1.5", "Introduza um número inteiro."},
		{"too small", selectInput("b", "number_input", object{"is_decimal_allowed": false, "min_value": "18"}), "17", "Introduza um número não inferior a 18."},
		{"too large", selectInput("b", "number_input", object{"is_decimal_allowed": false, "max_value": "120"}), "121", "Introduza um número não superior a 120."},
		{"no e-mail address", selectInput("b", "email_text_input", nil), "maria", "Introduza um endereço de e-mail válido."},
		{"no address", selectInput("b", "url_text_input", nil), "example", "Introduza um endereço web válido."},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t)
			ana := e.openModal(modal("T", row.input))
			e.handle("view_submission", func(object) any { t.Error("the app got a submission"); return nil })
			result, err := ana.Submit(timeoutContext(t), slacksim.Values{"b": row.value})
			must(t, err)
			if result.Action != "incomplete" || result.Errors["b"] != row.want {
				t.Errorf("got %v, want %q", result, row.want)
			}
		})
	}
}

func TestViewClosedIsSentOnlyWithNotifyOnClose(t *testing.T) {
	e := newEnv(t)
	closed := 0
	e.handle("view_closed", func(in object) any { closed++; return nil })
	must(t, e.openModal(modal("1")).Close(timeoutContext(t)))
	if closed != 0 {
		t.Error("the app got view_closed without notify_on_close")
	}
	must(t, e.openModal(with(modal("1"), "notify_on_close", true)).Close(timeoutContext(t)))
	if in, _ := e.last(); closed != 1 || in["is_cleared"] != false || dig(in, "view", "title", "text") != "1" {
		t.Errorf("%d view_closed, the last %v", closed, in)
	}
}

func TestDispatchActionSendsAChoiceAtOnce(t *testing.T) {
	e := newEnv(t)
	var got []object
	e.handle("block_actions", func(in object) any { got = append(got, in); return nil })
	who := with(selectInput("quem", "static_select", object{"options": []object{choice("M", "m"), choice("F", "f")}}), "dispatch_action", true)
	eager := with(textInput("eager", object{"dispatch_action_config": object{"trigger_actions_on": []string{"on_character_entered"}}}), "dispatch_action", true)
	ana := e.openModal(with(modal("T", textInput("above"), who, with(textInput("enter"), "dispatch_action", true), eager), "notify_on_close", true))
	before, _ := ana.TopView()

	must(t, ana.Fill(timeoutContext(t), slacksim.Values{"above": "x", "quem": "f", "enter": "y"}))
	if len(got) != 1 {
		t.Fatalf("%d actions", len(got))
	}
	values := dig(got[0], "view", "state", "values")
	if dig(got[0], "actions", "0", "selected_option", "value") != "f" || dig(values, "above", "above_typed", "value") != "x" ||
		dig(values, "quem", "quem_chosen", "selected_option", "value") != "f" || dig(values, "enter", "enter_typed", "value") != nil {
		t.Errorf("the action is %v", got[0])
	}
	must(t, ana.Fill(timeoutContext(t), slacksim.Values{"quem": "f", "eager": "z"}))
	if len(got) != 2 || dig(got[1], "actions", "0", "value") != "z" {
		t.Errorf("want no action for the same choice, and one for each character: %v", got)
	}
	if after, _ := ana.TopView(); after.Hash != before.Hash {
		t.Error("a choice changed the view")
	}
	must(t, ana.Close(timeoutContext(t)))
	if in, _ := e.last(); in["type"] != "view_closed" || len(dig(in, "view", "state", "values").(map[string]any)) != 0 {
		t.Errorf("view_closed is %v", in)
	}
}

func TestABlockActionHasTheStateOfTheView(t *testing.T) {
	e := newEnv(t)
	ana := e.openModal(modal("T", textInput("nif"), actions("acoes", button("verificar"), with(button("outro"), "value", "x"))))
	must(t, ana.Fill(timeoutContext(t), slacksim.Values{"nif": "299999998"}))
	must(t, ana.Click(timeoutContext(t), "verificar"))
	in, _ := e.last()
	if dig(in, "state", "values", "nif", "nif_typed", "value") != "299999998" || dig(in, "view", "state", "values", "nif", "nif_typed", "value") != "299999998" {
		t.Errorf("the state is not there: %v", in["state"])
	}
	if dig(in, "actions", "0", "action_id") != "verificar" || dig(in, "actions", "0", "value") != "pressed" || dig(in, "container", "type") != "view" {
		t.Errorf("the action is wrong: %v", in["actions"])
	}
	if err := ana.Click(timeoutContext(t), "nada"); err == nil {
		t.Error("an unknown button was pressed")
	}
}

func TestExternalOptionsAreRequestedAndChecked(t *testing.T) {
	rows := []struct {
		name   string
		answer any
		want   int
		code   string
	}{
		{"options", object{"options": options(100)}, 100, ""},
		{"none", object{"options": []object{}}, 0, ""},
		{"groups", object{"option_groups": []object{{"label": plain("Porto"), "options": options(2)}}}, 2, ""},
		{"101 options", object{"options": options(101)}, 0, "invalid_options"},
		{"a text of 76", object{"options": []object{choice(long(76), "v")}}, 0, "invalid_options"},
		{"a value of 151", object{"options": []object{choice("t", long(151))}}, 0, "invalid_options"},
		{"an empty object", object{}, 0, "invalid_options"},
		{"nothing", nil, 0, "invalid_options"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t)
			ana := e.openModal(modal("T", selectInput("processo", "external_select", object{"min_query_length": 1})))
			e.handle("block_suggestion", func(in object) any {
				if in["value"] != "10" || in["block_id"] != "processo" || in["action_id"] != "processo_chosen" {
					t.Errorf("block_suggestion is %v", in)
				}
				return row.answer
			})
			found, err := ana.Options(timeoutContext(t), "processo", "10")
			if failed := (*slacksim.AppError)(nil); errors.As(err, &failed) != (row.code != "") || failed != nil && failed.Code != row.code {
				t.Errorf("failed with %v, want %q", err, row.code)
			}
			if len(found) != row.want {
				t.Errorf("%d options, want %d", len(found), row.want)
			}
			if _, err := ana.Options(timeoutContext(t), "processo", ""); err == nil {
				t.Error("the app got a query shorter than min_query_length")
			}
		})
	}
}

func TestAHomeTabIsPublishedForOnePersonAndTakesActions(t *testing.T) {
	e := newEnv(t)
	home := object{"type": "home", "blocks": []object{actions("a", button("novo"))}}
	first := accepted(t, e.call("views.publish", object{"user_id": slacksim.Ana, "view": home}))
	refused(t, e.call("views.publish", object{"user_id": slacksim.Ana, "view": home, "hash": "1.stale"}), "hash_conflict")
	accepted(t, e.call("views.publish", object{"user_id": slacksim.Ana, "view": home, "hash": dig(first, "view", "hash")}))
	refused(t, e.call("views.publish", object{"user_id": "U0NADA", "view": home}), "invalid_arguments")
	must(t, e.User(slacksim.Ana).ClickHome(timeoutContext(t), "novo"))
	if in, _ := e.last(); dig(in, "view", "type") != "home" {
		t.Errorf("the app got %v", in)
	}
	if err := e.User(slacksim.Tom).ClickHome(timeoutContext(t), "novo"); err == nil {
		t.Error("Tom has Ana's Home tab")
	}
}
