package archtest

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	instrument = regexp.MustCompile(`"(balcao\.[a-z_.]+)"`)
	// Prometheus appends the kind and the unit to a name.
	series = regexp.MustCompile(`\bbalcao_[a-z_]+`)
	suffix = regexp.MustCompile(`(_seconds)?(_total|_bucket|_sum|_count)?$`)
	// Scopes of access tokens have names of the same form.
	scopes = []string{"balcao.read", "balcao.write"}
)

func TestTheOperatorsGuideListsEveryMetricAndNoOther(t *testing.T) {
	defined := map[string]bool{}
	eachFile(t, func(path string) {
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return
		}
		for _, match := range instrument.FindAllStringSubmatch(read(t, strings.TrimPrefix(path, top+"/")), -1) {
			if slices.Contains(scopes, match[1]) {
				continue
			}
			defined[suffix.ReplaceAllString(strings.ReplaceAll(match[1], ".", "_"), "")] = true
		}
	})
	if len(defined) < 8 {
		t.Fatalf("found only %v", defined)
	}
	documented := map[string]bool{}
	for _, name := range series.FindAllString(read(t, "docs/operations.md"), -1) {
		name = suffix.ReplaceAllString(name, "")
		if documented[name] = true; !defined[name] {
			t.Errorf("there is no metric %s", name)
		}
	}
	for name := range defined {
		if !documented[name] {
			t.Errorf("%s is not documented", name)
		}
	}
}

var option = regexp.MustCompile("slackbot -([a-z-]+)")

func TestFlagsAndSettingsInTheOperatorsGuideExist(t *testing.T) {
	text, code := read(t, "docs/operations.md"), read(t, "cmd/slackbot/main.go")
	options := option.FindAllStringSubmatch(text, -1)
	if len(options) < 3 {
		t.Fatalf("found only %q", options)
	}
	for _, match := range options {
		if !strings.Contains(code, `("`+match[1]+`"`) {
			t.Errorf("the bot has no flag -%s", match[1])
		}
	}
	known := variable.FindAllStringSubmatch(read(t, "internal/settings/settings.go"), -1)
	for _, name := range regexp.MustCompile("`([A-Z]+_[A-Z_]+)").FindAllStringSubmatch(text, -1) {
		if !slices.ContainsFunc(known, func(setting []string) bool { return setting[1] == name[1] }) {
			t.Errorf("there is no setting %s", name[1])
		}
	}
}
