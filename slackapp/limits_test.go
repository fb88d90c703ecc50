package slackapp

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/balcao/balcao/tools/catalogue"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
)

// difficultTexts are texts that the bank, or a person, may send.
var difficultTexts = map[string]string{
	"long and accented":   strings.Repeat("Ação não é só «emoção»: à mão, coração. ", 250),
	"one endless word":    strings.Repeat("ç", 10_000),
	"nothing but escapes": strings.Repeat("&<>", 4_000),
	"calls to everybody":  strings.Repeat("<!channel> <@U0ANA> <https://example.com|aqui> ", 300),
	"faces":               strings.Repeat("👩‍👩‍👧‍👦", 2_000),
	"lines":               strings.Repeat("uma linha\n", 2_000),
	"empty":               "",
	"blank":               " \n\t ",
}

func TestSlackAcceptsViewsOfAnyText(t *testing.T) {
	t.Parallel()
	langs := slices.Clone(words.Langs) // each text in one language, half of them in either
	for _, name := range slices.Sorted(maps.Keys(difficultTexts)) {
		text, lang := difficultTexts[name], langs[0]
		langs = append(langs[1:], lang)
		t.Run(fmt.Sprint(name, " in ", lang), func(t *testing.T) {
			t.Parallel()
			app, req, sim := newAppWithModal(t)
			req.actor.Lang, req.draft = lang, text
			for what, view := range viewsOf(app, &req, text) {
				req.hash = "" // a refused view has not changed it
				if err := app.show(t.Context(), &req, view); err != nil {
					t.Errorf("the view of %s: %v", what, err)
				}
			}
			req.draft = strings.Repeat("D", 58)
			for what, m := range map[string]message{
				"a card":   {cardOf(text, false).text(), cardOf(text, false).blocks(lang)},
				"a list":   {cardOf(text, true).text(), cardOf(text, true).blocks(lang)},
				"an error": app.errorMessage(&req, errorOf(text)),
				"help":     toolHelp(lang, catalogue.New().Tools()[0]),
			} {
				if err := app.reply(t.Context(), &req, m); err != nil {
					t.Errorf("the message of %s: %v", what, err)
				}
			}
			for _, refused := range sim.Refusals() {
				t.Errorf("Slack refused %s: %s %s", refused.Method, refused.Error, refused.Detail)
			}
		})
	}
}

func viewsOf(app *App, req *request, text string) map[string]slack.ModalViewRequest {
	lang := req.actor.Lang
	req.draft = strings.Repeat("D", 58)
	answer := cut(text, maxTyped)
	views := map[string]slack.ModalViewRequest{
		"a card":                            modal(text, text, cardOf(text, false).blocks(lang)...),
		"a card with a button for each row": modal(text, text, cardOf(text, true).blocks(lang)...),
		"an error":                          app.errorView(req, errorOf(text)),
	}
	for _, tool := range catalogue.New().Tools() {
		if len(tool.Pages) == 0 { // no fields, no form
			continue
		}
		f := &form{tool, conversations.Draft{ID: req.draft, Answers: map[string]string{}, Notes: map[string]string{noteUnclear: "unclear"}}}
		var problems []tools.Problem
		var facts []tools.ReviewFact
		for _, field := range tool.Fields {
			f.Answers[field.Path], f.Notes[noteLabel+field.Path] = answer, text
			facts = append(facts, tools.ReviewFact{Label: field.Label(lang), Value: pii.New[pii.Private](text)})
			problems = append(problems, tools.Problem{Path: field.Path, Severity: tools.Warns, Text: text, Clear: pii.New[pii.Private](text)})
		}
		for _, f.Page = range tool.Pages {
			views[tool.Name+" "+f.Page] = pageView(lang, f, text, text)
		}
		f.Page = confirmPage
		views[tool.Name+" confirmed"] = reviewView(lang, f, []tools.Section{{Title: text, Facts: facts}}, problems)
	}
	return views
}

func cardOf(text string, rows bool) shownCard {
	card := tools.Card{Title: text, Text: text}
	for range 60 {
		card.Facts = append(card.Facts, tools.Fact{Label: text, Value: text})
		card.Table.Columns = append(card.Table.Columns, text)
		card.Table.Rows = append(card.Table.Rows, []string{text, text, text, text})
		card.Next = append(card.Next, tools.Step{Label: text, Tool: "list_borrowers"})
	}
	if rows {
		card.Table.Steps = slices.Clone(card.Next)
	}
	card.Next = append([]tools.Step{{Label: "too much", Tool: "list_borrowers", Args: map[string]any{"process": text + strings.Repeat("x", 2000)}}}, card.Next...)
	return shownCard{Card: card, fileNote: text}
}

func errorOf(text string) error {
	failure := &tools.Error{Kind: tools.Refused, ID: "11111111-2222-4333-8444-555555555555"}
	for range 20 {
		failure.Notes = append(failure.Notes, text)
	}
	return failure
}

func TestTextIsCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	for name, text := range difficultTexts {
		for limit := 1; limit < 40; limit++ {
			for how, got := range map[string]string{"cut": cut(text, limit), "escaped": escaped(text, limit)} {
				if n := utf8.RuneCountInString(got); n > limit || !utf8.ValidString(got) {
					t.Fatalf("%s: %s to %d gives %d characters: %q", name, how, limit, n, got)
				}
			}
		}
	}
}

func TestEscapesAreNeverCutInTwo(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]string{1: "…", 4: "…", 5: "&lt;…", 10: "&lt;a…", 14: "&lt;a&amp;b…", 15: "&lt;a&amp;b&gt;"} {
		if got := escaped("<a&b>", limit); got != want {
			t.Errorf("to %d characters: got %q, want %q", limit, got, want)
		}
	}
}

// newAppWithModal returns an app of a simulated Slack in which Ana has a modal open.
func newAppWithModal(t *testing.T) (*App, request, *slacksim.Sim) {
	t.Helper()
	triggers := make(chan string, 1)
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { triggers <- r.PostFormValue("trigger_id") }))
	t.Cleanup(listener.Close)
	sim := slacksim.New(slacksim.Config{RequestURL: listener.URL, Rate: slacksim.Rate{MessagesPerSecond: -1}})
	slackServer := httptest.NewServer(sim)
	sim.SetBaseURL(slackServer.URL)
	secrets, err := keys.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	store, err := conversations.Open(t.Context(), "memory", secrets)
	if err != nil {
		t.Fatal(err)
	}
	app, err := New(Config{
		Runner: tools.NewRunner(tools.Config{Catalogue: catalogue.New()}), Store: store, BotToken: slacksim.DefaultBotToken,
		SigningSecret: slacksim.DefaultSigningSecret, APIURL: sim.APIURL(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := app.Close(ctx); err != nil {
			t.Error(err)
		}
		_ = sim.Close()
		slackServer.Close()
		_ = store.Close()
	})
	if err := sim.User(slacksim.Ana).Command(t.Context(), slacksim.TeamChannel, "/open"); err != nil {
		t.Fatal(err)
	}
	req := request{user: slacksim.Ana, channel: slacksim.TeamChannel, trigger: <-triggers}
	if err := app.open(t.Context(), &req, loadingView(words.Portuguese, nil)); err != nil {
		t.Fatal(err)
	}
	return app, req, sim
}

func TestAReferenceIsShownOnce(t *testing.T) {
	t.Parallel()
	app, req, _ := newAppWithModal(t)
	for _, kind := range []tools.ErrorKind{tools.Internal, tools.Unavailable, tools.NotFound} {
		got := app.errorMessage(&req, &tools.Error{Kind: kind, ID: "4711"})
		if shown := string(encode(got.Blocks)); strings.Count(shown, "4711") != 1 {
			t.Errorf("%s is shown as %s", kind, shown)
		}
	}
}

func TestAnEmptyCellKeepsItsPlaceUnderItsColumn(t *testing.T) {
	t.Parallel()
	if got := rowText([]string{"Maria E.", "", "••••••010"}); got != "*Maria E.* · – · ••••••010" {
		t.Errorf("got %q", got)
	}
}

func TestAFormThatChangesSomebodyDoesNotAskForWhatTheBankLacks(t *testing.T) {
	t.Parallel()
	f := &form{borrowers.Update, conversations.Draft{
		ID: "D0", Answers: map[string]string{"process": "1042", "borrower": "b", "personal.name": "Rui Amostra"},
		Notes: map[string]string{noteSubject: "1042 b", noteBefore + "personal.name": "Rui Amostra"}, Page: "personal",
	}}
	for _, block := range pageView(words.English, f).Blocks.BlockSet {
		if input, ok := block.(*slack.InputBlock); ok && input.Optional == (input.BlockID == "personal.name") {
			t.Errorf("%s: optional is %v", input.BlockID, input.Optional)
		}
	}
	if !f.complete() {
		t.Error("it cannot be read over without them")
	}
	if f.worthKeeping() {
		t.Error("nothing was typed, and it is kept")
	}
	if f.Answers["personal.name"] = ""; f.complete() || !f.worthKeeping() {
		t.Error("a name that the bank has may be left out")
	}
}
