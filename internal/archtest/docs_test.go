package archtest

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools/catalogue"
)

var update = flag.Bool("update", false, "write docs/tools.md from the catalogue")

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// listOfTools returns the text of docs/tools.md.
func listOfTools() string {
	text := "# Commands and tools\n\nscript/update writes this file from the catalogue.\n"
	for _, set := range catalogue.New().Toolsets {
		text += "\n## " + strings.ToUpper(set.Name[:1]) + set.Name[1:] + "\n\n| In Slack | In English | For assistants | What it does |\n| --- | --- | --- | --- |\n"
		for _, tool := range set.Tools {
			assistants := "`" + tool.Name + "`"
			if !tool.ForAssistants() {
				assistants = "—"
			}
			commands := fmt.Sprintf("`/%s` | `/%s`", tool.Command(words.Portuguese), tool.Command(words.English))
			if tool.AssistantsOnly {
				commands = "— | —"
			}
			text += fmt.Sprintf("| %s | %s | %s |\n", commands, assistants, tool.Help(words.English))
		}
	}
	return text
}

func TestTheListOfToolsIsThatOfTheCatalogue(t *testing.T) {
	const path = "docs/tools.md"
	if *update {
		if err := os.WriteFile(filepath.Join(top, path), []byte(listOfTools()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, path) != listOfTools() {
		t.Errorf("%s is not up to date: run script/update", path)
	}
}

var variable = regexp.MustCompile(`env:"([A-Z_]+)"`)

func TestEverySettingIsDocumented(t *testing.T) {
	text := read(t, "docs/settings.md")
	for _, match := range variable.FindAllStringSubmatch(read(t, "internal/settings/settings.go"), -1) {
		if !strings.Contains(text, "`"+match[1]+"`") {
			t.Errorf("docs/settings.md does not explain %s", match[1])
		}
	}
}

// documents lists the Markdown files for people.
func documents(t *testing.T) []string {
	t.Helper()
	var paths []string
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		found, err := filepath.Glob(filepath.Join(top, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			paths = append(paths, strings.TrimPrefix(filepath.ToSlash(path), top+"/"))
		}
	}
	return paths
}

var (
	named   = regexp.MustCompile("`((?:cmd|docs|internal|notifications|conversations|portal|script|test|tools|slackapp|mcpapp|validation)/[a-zA-Z0-9_./-]+)[` ]")
	link    = regexp.MustCompile(`\]\(([^)]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

func TestFilesAndLinksInTheDocumentsExist(t *testing.T) {
	for _, document := range documents(t) {
		text := read(t, document)
		for _, match := range named.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(top, match[1])); err != nil {
				t.Errorf("%s names %s: %v", document, match[1], err)
			}
		}
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			target, fragment, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			path := document
			if target != "" {
				path = filepath.Join(filepath.Dir(document), target)
			}
			if _, err := os.Stat(filepath.Join(top, path)); err != nil {
				t.Errorf("%s links to %s: %v", document, match[1], err)
			} else if fragment != "" && !hasHeading(read(t, path), fragment) {
				t.Errorf("%s links to %s, which is no heading", document, match[1])
			}
		}
	}
}

// fenced matches a block of JSON in a Markdown text.
var fenced = regexp.MustCompile("(?s)```json\n(.*?)```")

func TestJSONInTheDocumentsIsValid(t *testing.T) {
	blocks := 0
	for _, document := range documents(t) {
		for _, match := range fenced.FindAllStringSubmatch(read(t, document), -1) {
			blocks++
			if !json.Valid([]byte(match[1])) {
				t.Errorf("%s has a block that is no JSON:\n%s", document, match[1])
			}
		}
	}
	if blocks < 6 {
		t.Errorf("found only %d blocks", blocks)
	}
}

// Each block of settings for a client names one server, by its program or by its address.
func TestTheSettingsForClientsNameAServer(t *testing.T) {
	flags := regexp.MustCompile(`flags\.(?:Bool|String)\("([a-z-]+)"`).FindAllStringSubmatch(read(t, "cmd/mcpserver/main.go"), -1)
	for _, match := range fenced.FindAllStringSubmatch(read(t, "docs/clients.md"), -1) {
		type server struct {
			Command, URL string
			Args         []string
			Env, Headers map[string]string
		}
		var settings struct{ MCPServers, Servers map[string]server }
		if err := json.Unmarshal([]byte(match[1]), &settings); err != nil {
			t.Fatal(err)
		}
		for _, servers := range []map[string]server{settings.MCPServers, settings.Servers} {
			for name, each := range servers {
				if name != "balcao" || (each.Command == "") == (each.URL == "") || each.URL != "" && (!strings.HasSuffix(each.URL, "/mcp") || each.Headers["Authorization"] == "") {
					t.Errorf("%s: %+v", name, each)
				}
				for _, arg := range each.Args {
					if !slices.ContainsFunc(flags, func(flag []string) bool { return arg == "-"+flag[1] }) {
						t.Errorf("mcpserver has no flag %s", arg)
					}
				}
				for variable := range each.Env {
					if !strings.Contains(read(t, "docs/settings.md"), "`"+variable+"`") {
						t.Errorf("there is no setting %s", variable)
					}
				}
			}
		}
		if len(settings.MCPServers)+len(settings.Servers) != 1 {
			t.Errorf("no server, or several:\n%s", match[1])
		}
	}
}

// hasHeading reports whether a Markdown text has the heading that a fragment of an address names.
func hasHeading(text, fragment string) bool {
	for _, match := range heading.FindAllStringSubmatch(text, -1) {
		if strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(match[1]), ""), " ", "-") == fragment {
			return true
		}
	}
	return false
}
