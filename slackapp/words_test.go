package slackapp

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/balcao/balcao/tools/catalogue"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// announcement finds the keys in our own code: as an argument of say, or of what passes them on to it.
var said = regexp.MustCompile(`(?:\bsay\([^"]*?|waitingView\([^"]*?|\b(?:next|closing) :?= )"([a-z][a-z._]*)"`)

func TestEveryTextExistsInEveryLanguageAndIsUsed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range said.FindAllStringSubmatch(string(code), -1) {
			if !strings.HasSuffix(match[1], ".") {
				used[match[1]] = true
			}
		}
		for _, match := range regexp.MustCompile(`return "([a-z]+)"\n`).FindAllStringSubmatch(string(code), -1) {
			if file == "errors.go" { // what errorKey names
				used["trouble."+match[1]+".what"], used["trouble."+match[1]+".next"] = true, true
			}
		}
	}
	for _, severity := range []tools.Severity{tools.Blocks, tools.Warns, tools.Hints} {
		used["confirm."+string(severity)] = true
	}
	for _, status := range []tools.ApprovalStatus{
		tools.ApprovalApproved, tools.ApprovalDone, tools.ApprovalFailed, tools.ApprovalRejected, tools.ApprovalWithdrawn, tools.ApprovalExpired, tools.ApprovalRemoved,
	} {
		used["approval."+string(status)] = true
	}
	var want []string
	for key := range used {
		want = append(want, key)
	}
	if missing := texts.Missing(want...); len(missing) > 0 {
		t.Errorf("missing: %q", missing)
	}
	for _, key := range texts.Keys(words.Portuguese) {
		if !used[key] {
			t.Errorf("%s is said nowhere", key)
		}
	}
	if len(used) < 50 {
		t.Errorf("only %d keys were found in the code", len(used))
	}
}

func TestTitlesAndButtonsFitWhereTheyStand(t *testing.T) {
	t.Parallel()
	titles := []string{"app", "close", "form.next", "form.review", "form.read"}
	for _, lang := range words.Langs {
		for _, key := range texts.Keys(lang) {
			limit := maxFieldError
			if slices.Contains(titles, key) {
				limit = maxTitle
			}
			if text := say(lang, key); text != cut(text, limit) {
				t.Errorf("%s %s is longer than %d characters", lang, key, limit)
			}
		}
		for _, tool := range catalogue.New().ForPeople() {
			if title := tool.Title(lang); title != cut(title, maxTitle) {
				t.Errorf("%s: the title of %s is too long for a modal", lang, tool.Name)
			}
			if button := tool.Submit(lang); tool.Effect.Writes() && (button == tool.Name+".submit" || button != cut(button, maxTitle)) {
				t.Errorf("%s: %s has no button that says what it does, or one too long for a modal", lang, tool.Name)
			}
		}
	}
}

// tags are Slack's own names and the names of a text's parameters, some of which are a field's too.
var tags = regexp.MustCompile("`json:[^`]*`|\"cursor\"|url\\.Values\\{\"\\w+\"|say\\(lang, \"[^\"]*\"(, \"\\w+\", [^\",\n]+)*")

func TestNoToolAndNoFieldIsNamedInCode(t *testing.T) {
	t.Parallel()
	var names []string
	for _, tool := range catalogue.New().ForPeople() {
		names = append(names, tool.Name, tool.Command(words.Portuguese), tool.Command(words.English))
		for _, field := range tool.Fields {
			names = append(names, field.Path)
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		untagged := tags.ReplaceAllString(string(code), "")
		for _, name := range names {
			if strings.Contains(untagged, strconv.Quote(name)) {
				t.Errorf("%s names %s", file, name)
			}
		}
	}
}

// What masks itself everywhere else is revealed in one file, and what that makes are modals, which one person sees, and the blocks of
// an approval's card in her direct messages.
func TestOnlyTheReviewRevealsPersonalData(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		reveals := strings.Contains(string(code), ".Reveal()") || strings.Contains(string(code), "MarshalClear")
		switch {
		case strings.HasSuffix(file, "_test.go"):
		case file == "review.go":
			if strings.Contains(string(code), "message{") {
				t.Errorf("%s makes messages", file)
			}
		case reveals:
			t.Errorf("%s reveals personal data", file)
		}
	}
}
