package archtest

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// replaced lists words that stood for something with a standard term. Texts are compared in lower case, with identifiers
// split into their words: «moveToDeadLetters» is «move to dead letters».
var replaced = []struct {
	words    string // a regular expression of whole words
	standard string
	allowed  []allowance
}{
	{`letters?|put aside`, "dead letter", []allowance{
		{"", `dead letters?`, "the term"},
		{"", `letter case|to the letter|accented letters|(two|three|four|small) letters|letters? (or|nor) (a )?digits?`, "of an alphabet"},
		{`^(internal/(pii|settings|slacksim)|validation|portal/(profile|sandbox))/`, `letters?`, "of an alphabet"},
		{`^tools/(commands|lists|process_index|process_search|store_test)\.go$`, `letters?`, "of an alphabet"},
		{`^cmd/slackbot/words/`, `put aside`, "explains the term to operators"},
	}},
	{`hints?`, "trigger", []allowance{
		{`^(internal/slacksim|slackapp)/`, `hints?`, "Slack's name for the text under an input, or behind a command; a severity"},
		{`^mcpapp/`, `hints?`, "MCP's annotations and cache hints"},
		{`^(validation|tools)/`, `hints?`, "a severity; hints of MCP"},
	}},
	{`hush\w*`, "debounce, quiet hours", nil},
	{`lulls?`, "backoff", nil},
	{`unattended`, "unreachable", nil},
	{`pictures?|sights?`, "snapshot, state", nil},
	{`walk(s|ed|ing)?`, "reconciliation", []allowance{
		{"", `walk dir`, "the function of path/filepath"},
		{`_test\.go$`, `walk`, "a function that walks a JSON document"},
	}},
	{`stor(y|ies)|trials?`, "delivery; in tests flow, faults", nil},
	{`desks?|noticeboards?|notice boards?|at the counter`, "dispatcher; in tests env, fakePoster, client", nil},
	{`houses?|towns?|house ?test`, "harness, env; archtest; layout", []allowance{
		{`/taxonomies\.toml$`, `house`, "a kind of property"},
		{`/words/en\.toml$`, `town`, "part of an address"},
		{`^internal/slacksim/page/`, `house`, "an emoji"},
	}},
	{`doors?`, "front end, transport", []allowance{
		{"", `door number|street door floor`, "part of an address"},
		{`^internal/pii/`, `door`, "part of an address"},
	}},
	{`rooms?`, "package", []allowance{
		{"", `(has|had|have|makes?|no|and) room|room (for|again)`, "free space"},
	}},
	{`places?`, "destination; form state; placeholder; draft key", []allowance{
		{"", `in (its )?place|in place of|decimal places|amount (is )?places|keeps its place|one place|place names`, "ordinary English"},
		{`^validation/`, `places?`, "of a digit in a number"},
		{`^portal/sandbox/(taxonomies_test|samples)\.go$`, `places?`, "a municipality, or of a digit"},
		{`^tools/kind_amount\.go$`, `places`, "of a decimal number"},
	}},
	{`watch(es|ed|ing|er)?|unwatch\w*`, "subscription; follow", nil},
	{`trails?`, "audit log", nil},
	{`audit marks?`, "audit entry", nil},
	{`memos?|reminders?`, "cache; open-call index", []allowance{
		{`^internal/slacksim/page/`, `memo`, "an emoji"},
	}},
	{`abandon\w*`, "orphaned", nil},
	{`recogni[sz]ers?`, "verifier", nil},
	{`sweep\w*`, "recovery", nil},
	{`ailments?|unwell`, "problem, check", nil},
	{`visit(s|ed|ing)?`, "request", []allowance{
		{"", `flag visit`, "the function of package flag"},
		{`^internal/archtest/`, `visit`, "calls a function for each file"},
	}},
	{`sooner|settling|last words`, "ackOrUpdate, ackDelay, shutdownGrace", nil},
	{`steer\w*|astray`, "onPageButton, backToSubject", nil},
	{`safely|guarded`, "recovered", nil},
	{`doubts?|verdicts?`, "warning, decide; unclear", []allowance{
		{"", `in doubt`, "ordinary English"},
	}},
	{`couriers?|movers?|dice`, "webhook sender, autoplay, rng", nil},
	{`respell\w*|wiring`, "convert; internal/app", nil},
	{`patience`, "timeout", nil},
	{`balcao (letters|hints total|lag|bank held)`, "the metrics of docs/operations.md", nil},
}

// allowance allows words where they have another meaning.
type allowance struct{ path, words, reason string }

// renamed matches identifiers of Go that were replaced and consist of words in common use.
var renamed = regexp.MustCompile(`\b(?:giveUp|putAside|toAdministrator|ofWord|lastWords|changedNothing|errCrowded|conversations\.(?:Mark|Trail|Chain|Place|Watch)|` +
	`tools\.(?:Placed|OnCard|Asks|Recorded|Recogniser))\b|\bfunc (?:\([^)]*\) )?(?:told|kept|among|verdict|doubt|alone|sooner|soon|lull|astray|heading)\(`)

// renamedFile matches names of files that were replaced.
var renamedFile = regexp.MustCompile(`(?:^|/)(?:letters|hush|well|driving|respell|memo|reminders|record|stories|trials|bad_day|blind|doubt|steer|visit|desk|walk)(?:_test)?\.go$`)

func TestReplacedTermsAreNotUsed(t *testing.T) {
	var all []string
	terms, allowed, paths := make([]*regexp.Regexp, len(replaced)), make([][]*regexp.Regexp, len(replaced)), make([][]*regexp.Regexp, len(replaced))
	for i, term := range replaced {
		all = append(all, term.words)
		terms[i] = wholeWords(term.words)
		for _, a := range term.allowed {
			allowed[i], paths[i] = append(allowed[i], wholeWords(a.words)), append(paths[i], regexp.MustCompile(a.path))
		}
	}
	// Most words are met often and are in no term: each is matched once. The first words of terms of several are added.
	any, used, known := wholeWords(strings.Join(append(all, "put", "at", "notice", "audit", "last", "house", "balcao"), "|")), map[allowance]bool{}, map[string]bool{}
	identifiers := regexp.MustCompile(`[A-Za-z]{4,}`).FindAllString(renamed.String(), -1)
	suspect := func(word []byte) bool {
		is, met := known[string(word)]
		if !met {
			is = any.MatchString(splitWords(string(word))) || slices.Contains(identifiers, string(word))
			known[string(word)] = is
		}
		return is
	}
	for path := range trackedSizes(t) {
		if renamedFile.MatchString(path) {
			t.Errorf("%s has the name of a replaced term", path)
		}
		if path == "CHANGELOG.md" || path == "internal/archtest/terms_test.go" || !isText(path) { // both say what was replaced
			continue
		}
		text, err := os.ReadFile(filepath.Join(top, path))
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range bytes.Split(text, []byte{'\n'}) {
			if !slices.ContainsFunc(bytes.FieldsFunc(line, notInWord), suspect) {
				continue
			}
			if found := renamed.Find(line); found != nil && strings.HasSuffix(path, ".go") {
				t.Errorf("%s:%d: %s was renamed", path, n+1, found)
			}
			words := splitWords(string(line))
			for i, term := range replaced {
				rest := words
				for j, a := range term.allowed {
					if paths[i][j].MatchString(path) && terms[i].MatchString(rest) && allowed[i][j].MatchString(rest) {
						rest, used[a] = allowed[i][j].ReplaceAllString(rest, "…"), true
					}
				}
				if found := terms[i].FindString(rest); found != "" {
					t.Errorf("%s:%d: write %s instead of %q: %s", path, n+1, term.standard, strings.TrimSpace(found), bytes.TrimSpace(line))
				}
			}
		}
	}
	for _, term := range replaced {
		for _, a := range term.allowed {
			if !used[a] {
				t.Errorf("%q is allowed in %q and not used: remove it from the list", a.words, a.path)
			}
		}
	}
}

func wholeWords(expression string) *regexp.Regexp {
	return regexp.MustCompile(`\b(?:` + expression + `)\b`)
}

// isText reports whether people read and write a file. Portuguese texts are left out: their words mean something else.
func isText(path string) bool {
	return slices.Contains([]string{".go", ".toml", ".md", ".js", ".html", ".sh"}, filepath.Ext(path)) && filepath.Base(path) != "pt-PT.toml" ||
		strings.HasPrefix(path, "script/")
}

func notInWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// splitWords returns the words and numbers of a text in lower case, with a space between them.
func splitWords(text string) string {
	var b strings.Builder
	runes := []rune(text)
	for i, r := range runes {
		switch {
		case notInWord(r):
			r = ' '
		case i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsUpper(runes[i-1]) && unicode.IsLower(runes[i+1])):
			b.WriteByte(' ')
		}
		if r == ' ' && strings.HasSuffix(b.String(), " ") {
			continue
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

func TestSplitWords(t *testing.T) {
	for text, want := range map[string]string{
		"moveToDeadLetters":       "move to dead letters",
		"DeadLetters, usage_hint": "dead letters usage hint",
		"MCPServer ID":            "mcp server id",
		"a «Balcão» (door 123)":   "a balcão door 123 ",
	} {
		if got := splitWords(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
