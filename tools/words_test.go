package tools

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/words"
)

var said = regexp.MustCompile(`(?:say\(|book\.Say\([^",]+, )"([^"]+)"[,)]|(?:problem|doubt|wrong)\([^,]+, (?:"[^"]*"|[^",]+), "([^"]+)"`)

func TestEveryWordThatTheCatalogueNeedsIsThere(t *testing.T) {
	var want []string
	for _, tool := range Catalogue() {
		want = append(want, tool.Name+".title", tool.Name+".help")
		if tool.Effect.Writes() {
			want = append(want, tool.Name+".submit")
		}
		for _, page := range tool.Pages {
			want = append(want, "page."+page)
		}
		for _, field := range tool.Fields {
			want = append(want, "problem.kind."+string(field.Kind))
			for _, lang := range words.Langs {
				if field.Label(lang) == "" {
					t.Errorf("%s has no label in %s", field.Path, lang)
				}
			}
		}
	}
	for _, kind := range []destination.Scope{destination.ScopeAll, destination.ScopeProcess, destination.ScopeBranch, destination.ScopePhase, destination.ScopePerson} {
		want = append(want, "watch."+string(kind))
	}
	for _, tool := range Catalogue() {
		if command, _, sub := strings.Cut(tool.Command, " "); sub {
			want = append(want, "command."+command+".help")
		}
	}
	for _, kind := range []ErrorKind{Invalid, Unconfirmed, Closed, NotFound, Forbidden, PeopleOnly, Exposed, Refused, Busy, Unavailable, Cancelled, Unclear, Internal} {
		want = append(want, "error."+string(kind)+".what", "error."+string(kind)+".next")
	}
	for _, refusal := range []string{"unknown", "expired", "arguments", "warnings", "used"} {
		want = append(want, "problem.confirmation."+refusal)
	}
	for _, reason := range []string{"known", "by_code", "unknown_code", "unknown"} {
		want = append(want, "refusal."+reason)
	}
	for _, kind := range []ErrorKind{Unavailable, Unclear} {
		want = append(want, "error."+string(kind)+".store.what", "error."+string(kind)+".store.next")
	}
	if missing := engineWords.Missing(want...); missing != nil {
		t.Errorf("missing: %q", missing)
	}
}

func TestEveryWordThatCardsSayIsThere(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		code, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		tool := strings.TrimSuffix(source, ".go")
		for _, match := range said.FindAllStringSubmatch(string(code), -1) {
			for _, lang := range words.Langs {
				if key := match[1]; key != "" && !engineWords.Has(lang, key) && !engineWords.Has(lang, tool+"."+key) {
					t.Errorf("%s says %s, which has no text in %s", source, key, lang)
				}
				if code := match[2]; code != "" && !strings.HasSuffix(code, ".") && !engineWords.Has(lang, "problem."+code) {
					t.Errorf("%s has the problem %s, which has no text in %s", source, code, lang)
				}
			}
		}
	}
}

func TestTitlesFitSlacksModals(t *testing.T) {
	for _, tool := range Catalogue() {
		for _, lang := range words.Langs {
			titles := []string{tool.Title(lang)}
			for _, page := range tool.Pages {
				titles = append(titles, PageTitle(lang, page))
			}
			for _, title := range titles {
				if utf8.RuneCountInString(title) > 24 {
					t.Errorf("%q is longer than 24 characters", title)
				}
			}
		}
	}
}

func TestEveryNextStepNamesAToolAndItsFields(t *testing.T) {
	say := func(key string, _ ...any) string { return key }
	for _, card := range []Card{
		BorrowerList{}.Card(say), BorrowerFile{}.Card(say), BorrowerUpdated{}.Card(say), BorrowerDeleted{}.Card(say), ESISSent{}.Card(say), BorrowerCreated{}.Card(say), ESIS{}.Card(say), ProcessList{Processes: []ProcessRow{{}}}.Card(say),
		Watching{again: Selector{}.again(destination.Subscription{Kind: destination.ScopeProcess})}.Card(say), Watching{again: Selector{}.again(destination.Subscription{Kind: destination.ScopeBranch})}.Card(say),
		Watching{again: Selector{}.again(destination.Subscription{Kind: destination.ScopePhase})}.Card(say), Watching{again: Selector{}.again(destination.Subscription{Kind: destination.ScopePerson})}.Card(say),
		Unwatched{Heard: SubscriptionView{Kind: destination.ScopeProcess}, Everything: true, again: Selector{}.again(destination.Subscription{Kind: destination.ScopeProcess})}.Card(say),
		Muted{}.Card(say), Unmuted{}.Card(say), Owned{}.Card(say), DestinationView{}.Card(say), QuietSet{}.Card(say), DigestSet{}.Card(say), ProcessMoves{Next: "x"}.Card(say),
	} {
		for _, step := range card.Next {
			tool, ok := Named(step.Tool)
			if !ok {
				t.Fatalf("no tool is named %s", step.Tool)
			}
			for name := range step.Args {
				if _, ok := tool.Field(name); !ok {
					t.Errorf("%s has no field %s", step.Tool, name)
				}
			}
		}
	}
}

func TestEveryFieldHasAClassOfPersonalData(t *testing.T) {
	for _, tool := range Catalogue() {
		for _, field := range tool.Fields {
			if field.Class == "" {
				t.Errorf("%s %s has none", tool.Name, field.Path)
			}
		}
	}
}

func TestTheCommandsOfTheCatalogueArePredictable(t *testing.T) {
	var commands []string
	for _, tool := range Catalogue() {
		commands = append(commands, tool.Command)
	}
	if want := []string{"processes", "borrower-new", "borrower-delete", "borrower", "borrowers", "borrower-edit", "esis", "esis-send", "balcao follow", "balcao mute", "balcao own", "balcao updates", "balcao release", "balcao digest", "balcao quiet", "balcao undo", "balcao unmute", "balcao unwatch", "balcao watch", "balcao watches", "taxonomy"}; !slices.Equal(commands, want) {
		t.Errorf("got %q, want %q", commands, want)
	}
}
