package doctor

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/finding"
)

var (
	codeLiteral = regexp.MustCompile(`"((?:redis|slack|bank|issuer|not_tried)\.[\w.:]+[\w])"`)
	reason      = regexp.MustCompile(`(?:return|: )\s*"([a-z_]+)"`)
	subject     = regexp.MustCompile(`Subject: "([a-z]+\.[a-z_]+)"`)
)

func source(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEveryCodeAndSubjectHasATextInBothLanguages(t *testing.T) {
	var want []string
	for _, status := range []finding.Status{finding.OK, finding.Warn, finding.Differs, finding.Fail, finding.NotTried} {
		want = append(want, "status."+string(status))
	}
	for _, weakness := range []conversations.Weakness{conversations.NotPersistent, conversations.Evicts, conversations.NoMinReplicas} {
		want = append(want, "redis."+string(weakness), "redis."+string(weakness)+".fix")
	}
	for _, refusal := range []conversations.Refusal{conversations.Full, conversations.ReadOnly, conversations.NotSaving, conversations.NoReplicas} {
		want = append(want, "redis.refuses."+string(refusal), "redis.refuses."+string(refusal)+".fix")
	}
	redis, slack := source(t, "../../conversations/diagnose.go"), source(t, "../../slackapp/diagnose.go")
	_, unreachable, _ := strings.Cut(redis, "func whyUnreachable(")
	unreachable, _, _ = strings.Cut(unreachable, "\n}\n")
	reasons := reason.FindAllStringSubmatch(unreachable, -1)
	if len(reasons) < 8 {
		t.Fatalf("only %q were found", reasons)
	}
	for _, match := range reasons {
		want = append(want, "redis."+match[1], "redis."+match[1]+".fix")
	}
	for _, code := range []string{"unreachable", "timeout", "malformed_url"} {
		want = append(want, "slack."+code, "slack."+code+".fix")
	}
	_, scopes, _ := strings.Cut(source(t, "../../slackapp/manifest.go"), "var botScopes = []string{")
	scopes, _, _ = strings.Cut(scopes, "}")
	for _, scope := range regexp.MustCompile(`"([a-z:]+)"`).FindAllStringSubmatch(scopes, -1) {
		want = append(want, "slack.scope."+scope[1])
	}
	for _, suffix := range []string{"after.login", "after.processList", "after.none", "forms.cased", "forms.numbers", "forms.dates", "forms.nulls"} {
		want = append(want, "bank."+suffix)
	}
	var bank strings.Builder
	files, err := filepath.Glob("bank/*.go")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if !strings.HasSuffix(file, "_test.go") {
			bank.WriteString(source(t, file))
		}
	}
	for _, match := range regexp.MustCompile(`check\("(bank\.\w+)"`).FindAllStringSubmatch(bank.String(), -1) {
		want = append(want, "subject."+match[1])
	}
	codes := 0
	for _, text := range []string{redis, source(t, "../../conversations/permitted.go"), slack, source(t, "doctor.go"), source(t, "redis.go"), source(t, "issuer.go"), bankCodes(bank.String())} {
		subjects := map[string]bool{}
		for _, match := range subject.FindAllStringSubmatch(text, -1) {
			subjects[match[1]] = true
			want = append(want, "subject."+match[1])
		}
		for _, match := range codeLiteral.FindAllStringSubmatch(text, -1) {
			if !subjects[match[1]] || texts.Has("en", match[1]) {
				want, codes = append(want, match[1]), codes+1
			}
		}
	}
	if codes < 60 {
		t.Errorf("only %d codes were found", codes)
	}
	for _, missing := range texts.Missing(want...) {
		t.Errorf("no text: %s", missing)
	}
}

// bankCodes returns the source of the bank's part without the subjects in it.
func bankCodes(source string) string {
	return regexp.MustCompile(`(check\(|About\()"bank\.\w+"`).ReplaceAllString(source, "")
}
