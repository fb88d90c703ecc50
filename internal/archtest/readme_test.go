package archtest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/balcao/balcao/tools/catalogue"

	"github.com/balcao/balcao/internal/words"
)

func readme(t *testing.T) string {
	t.Helper()
	return read(t, "README.md")
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheReadmeListsTheCatalogue(t *testing.T) {
	want := "| In Slack | For assistants | What it does |\n| --- | --- | --- |\n"
	for _, tool := range catalogue.New().Tools() {
		assistants := "`" + tool.Name + "`"
		if !tool.ForAssistants() {
			assistants = "—"
		}
		want += fmt.Sprintf("| `/%s` | %s | %s |\n", tool.Command, assistants, tool.Help(words.English))
	}
	if !strings.Contains(readme(t), want) {
		t.Errorf("the README's table should be\n%s", want)
	}
}

var variable = regexp.MustCompile(`env:"([A-Z_]+)"`)

func TestTheReadmeExplainsEverySetting(t *testing.T) {
	for _, match := range variable.FindAllStringSubmatch(read(t, "internal/settings/settings.go"), -1) {
		if !strings.Contains(readme(t), "`"+match[1]+"`") {
			t.Errorf("%s is not in the README", match[1])
		}
	}
}

func TestFilesInTheReadmeExist(t *testing.T) {
	for _, match := range regexp.MustCompile("[`(]((?:cmd|docs|internal|notifications|conversations|portal|script|tools|slackapp|mcpapp)/[a-zA-Z0-9_./-]+)[`)]").FindAllStringSubmatch(readme(t), -1) {
		if _, err := os.Stat(filepath.Join(top, match[1])); err != nil {
			t.Errorf("the README names %s: %v", match[1], err)
		}
	}
}
