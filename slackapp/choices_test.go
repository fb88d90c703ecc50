package slackapp

import (
	"context"
	"errors"
	"testing"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/tools/borrowers"
)

// startForm returns a saved form of Ana's at a page, and its view.
func startForm(t *testing.T, app *App, req *request, page string) (*form, view) {
	t.Helper()
	req.actor.ID = "slack:T0BALCAO/U0ANA"
	draft, err := app.store.StartDraft(t.Context(), req.actor.ID, borrowers.Create.Name, "1042")
	if err != nil {
		t.Fatal(err)
	}
	f := &form{borrowers.Create, draft}
	f.Page, f.Notes, f.Answers = page, map[string]string{noteView: req.view}, map[string]string{}
	if err := app.save(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	return f, view{ID: req.view, Callback: f.tool.Name, Metadata: string(encode(formState{f.ID, page}))}
}

// choice is what a page reports of a select; around has its other inputs.
func choice(f *form, shown view, at, path, value string, around map[string]string) (view, action) {
	chosen := action{ID: generation(f), Block: path, At: at, Chosen: &selectedOption{Value: value}}
	shown.State.Values = map[string]map[string]answer{path: {chosen.ID: {Chosen: chosen.Chosen}}}
	for path, text := range around {
		shown.State.Values[path] = map[string]answer{chosen.ID: {Value: &text}}
	}
	return shown, chosen
}

// reread reads the form again.
func (f *form) reread(t *testing.T, app *App) *form {
	t.Helper()
	draft, err := app.store.Draft(t.Context(), f.Owner, f.ID)
	if err != nil {
		t.Fatal(err)
	}
	return &form{f.tool, draft}
}

func TestOnlyAChoiceThatIsTheNewestOfItsPageIsKept(t *testing.T) {
	t.Parallel()
	app, req, _ := newAppWithModal(t)
	f, shown := startForm(t, app, &req, "personal")
	keep := func(shown view, chosen action) {
		t.Helper()
		if _, err := app.saveChoice(t.Context(), &req, shown, chosen); err != nil {
			t.Fatal(err)
		}
	}
	want := func(path, value string) {
		t.Helper()
		if got := f.reread(t, app).Answers[path]; got != value {
			t.Errorf("%s is %q, want %q", path, got, value)
		}
	}
	keep(choice(f, shown, "1795000002.000000", "personal.genderId", "2", map[string]string{"personal.name": "Rui Amostra"}))
	want("personal.genderId", "2")
	want("personal.name", "Rui Amostra")

	keep(choice(f, shown, "1795000001.999999", "personal.genderId", "1", map[string]string{"personal.name": "Rui"}))
	want("personal.genderId", "2") // it came late
	want("personal.name", "Rui Amostra")

	keep(choice(f, shown, "1795000003.000000", "borrowerTypeId", "2", map[string]string{"personal.name": ""}))
	want("borrowerTypeId", "2")
	want("personal.name", "Rui Amostra") // Slack may report an input as empty that shows its initial value

	other, chosen := choice(f, shown, "1795000004.000000", "personal.genderId", "1", nil)
	chosen.ID = "before she started over"
	keep(other, chosen)
	keep(choice(f, view{ID: shown.ID, Callback: shown.Callback, Metadata: string(encode(formState{f.ID, "document"}))}, "1795000005.000000", "personal.nationalityId", "1", nil))
	want("personal.genderId", "2")
	want("personal.nationalityId", "")

	keep(choice(f, shown, "1795000006.000000", "personal.genderId", unanswered, nil))
	want("personal.genderId", "")
}

func TestAPageIsSentOverTheChoicesThatItReportedMeanwhileAndOverNothingElse(t *testing.T) {
	t.Parallel()
	app, req, _ := newAppWithModal(t)
	f, shown := startForm(t, app, &req, "personal")
	times := 0
	send := func() error {
		times = 0
		return app.update(t.Context(), f, func() {
			times++
			f.Answers["personal.email"], f.Page = "rui@example.com", "document"
		})
	}
	chosen, by := choice(f, shown, "1795000001.000000", "personal.genderId", "2", nil)
	if _, err := app.saveChoice(t.Context(), &req, chosen, by); err != nil {
		t.Fatal(err)
	}
	if err := send(); err != nil || times != 2 {
		t.Fatalf("it was sent %d times: %v", times, err)
	}
	if now := f.reread(t, app); now.Answers["personal.genderId"] != "2" || now.Answers["personal.email"] != "rui@example.com" || now.Page != "document" {
		t.Errorf("%v at page %s", now.Draft, now.Page)
	}
	if _, err := app.saveChoice(t.Context(), &req, chosen, by); err != nil || f.reread(t, app).Version != f.Version {
		t.Errorf("a choice of a page that was sent is kept: %v", err)
	}
	for name, elsewhere := range map[string]func(*form){
		"another page":   func(other *form) { other.Page = "household" },
		"another window": func(other *form) { other.Notes[noteView] = "V0TELEPHONE" },
	} {
		other := f.reread(t, app)
		elsewhere(other)
		if err := app.save(context.Background(), other); err != nil {
			t.Fatal(err)
		}
		if err := send(); !errors.Is(err, conversations.ErrConflict) {
			t.Errorf("%s: got %v", name, err)
		}
		if err := app.save(t.Context(), f); err != nil { // as it was for the next row
			t.Fatal(err)
		}
	}
}
