package archtest

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	instrument = regexp.MustCompile(`"(balcao\.[a-z_.]+)"`)
	// In what Prometheus reads, a name has its kind and unit behind it.
	series = regexp.MustCompile(`\bbalcao_[a-z_]+`)
	behind = regexp.MustCompile(`(_seconds)?(_total|_bucket|_sum|_count)?$`)
)

func TestTheGuideForOperatorsKnowsEveryMetricAndNoOther(t *testing.T) {
	counted := map[string]bool{}
	walk(t, func(path string) {
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return
		}
		for _, match := range instrument.FindAllStringSubmatch(read(t, strings.TrimPrefix(path, top+"/")), -1) {
			counted[behind.ReplaceAllString(strings.ReplaceAll(match[1], ".", "_"), "")] = true
		}
	})
	if len(counted) < 8 {
		t.Fatalf("found only %v", counted)
	}
	told := map[string]bool{}
	for _, name := range series.FindAllString(read(t, "docs/operations.md"), -1) {
		name = behind.ReplaceAllString(name, "")
		if told[name] = true; !counted[name] {
			t.Errorf("nothing counts %s", name)
		}
	}
	for name := range counted {
		if !told[name] {
			t.Errorf("%s is not explained", name)
		}
	}
}

var option = regexp.MustCompile("slackbot -([a-z-]+)")

func TestTheGuideForOperatorsNamesFlagsAndSettingsThatAreThere(t *testing.T) {
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
