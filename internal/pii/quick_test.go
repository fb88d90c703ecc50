package pii

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// quickCases are texts for what is found without regular expressions, and by them.
var quickCases = []string{
	"", "search_taxonomy", "mcp:local", "done", "b3d9f6a1-2c34-4e9f-9f5a-123456789012", "12345678-1234-1234-1234-123456789012",
	"B3D9F6A1-2C34-4E9F-9F5A-12345678901X", "b3d9f6a1-2c34-4e9f-9f5a_123456789012", "Bearer abc", "a bEaReR  x", "xoxb-1", "XAPP-1", "xapp 1", "x", "bearer",
	"3 de julho de 1985", "3 JUL 85", "July 3rd, 1985", "3 ſet 1985", "3 de março de 1985", "on 3.dez.1985", "dec0de12 1985", "maria@example.com", "[@]", "`{}",
	"299999998", strings.Repeat("a", maxScrubbed), strings.Repeat("a", maxScrubbed-1), "to\nfrom", "zero\u200bwidth",
}

func checkQuick(t *testing.T, text string) {
	if harmless(text) && (len(fold(text).hide(time.Now())) > 0 || len(text) >= maxScrubbed || strings.ContainsAny(text, escapes)) {
		t.Errorf("%q is not harmless", text)
	}
	if looksLikeSecret.MatchString(text) && !mayHaveSecret(text) {
		t.Errorf("%q may have a secret", text)
	}
	hasMonth := func(pattern *regexp.Regexp) bool { return pattern.MatchString(text) }
	if slices.ContainsFunc([]*regexp.Regexp{dayMonthYear, dayMonthShort, monthDayYear}, hasMonth) && !mayHaveMonth([]byte(text)) {
		t.Errorf("%q may have a month", text)
	}
}

func TestWhatIsFoundQuicklyIsWhatTheExpressionsFind(t *testing.T) {
	for _, text := range quickCases {
		checkQuick(t, text)
	}
	if !harmless("search_taxonomy") || !harmless(quickCases[4]) || harmless("bearer abc") || mayHaveSecret("taxonomy") || mayHaveMonth([]byte("took 1985")) {
		t.Error("what most lines of a log have is not found quickly")
	}
}

// FuzzQuick looks for texts in which the expressions find what is not found quickly.
func FuzzQuick(f *testing.F) {
	for _, text := range quickCases {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkQuick(t, text) })
}
