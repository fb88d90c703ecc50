package catalogue_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/catalogue"
)

// needed lists the keys of the texts that the definitions of a toolset need.
func needed(set *tools.Toolset) []string {
	var keys []string
	for _, prompt := range set.Prompts {
		keys = append(keys, prompt.Name+".title", prompt.Name+".help", prompt.Name+".text")
	}
	for _, tool := range set.Tools {
		keys = append(keys, tool.Name+".title", tool.Name+".help")
		if !tool.AssistantsOnly {
			keys = append(keys, tool.Name+".command")
		}
		if tool.Effect.Writes() {
			keys = append(keys, tool.Name+".submit")
		}
		for _, page := range tool.Pages {
			keys = append(keys, "page."+page)
		}
		for _, field := range tool.Fields {
			keys = append(keys, "problem.kind."+field.Kind.Name)
		}
	}
	return keys
}

func TestEveryTextThatTheDefinitionsNeedIsThere(t *testing.T) {
	t.Parallel()
	for _, set := range catalogue.New().Toolsets {
		if missing := set.Words().Missing(); missing != nil {
			t.Errorf("%s lacks %q", set.Name, missing)
		}
		for _, lang := range words.Langs {
			for _, key := range needed(set) {
				if !set.HasText(lang, key) {
					t.Errorf("%s lacks %s in %s", set.Name, key, lang)
				}
			}
			for _, tool := range set.Tools {
				for _, field := range tool.Fields {
					if field.Label(lang) == "" {
						t.Errorf("%s %s has no label in %s", tool.Name, field.Path, lang)
					}
				}
			}
		}
	}
}

// A prompt speaks of each of its tools, of its arguments, and of no other tool: how a tool is called is filled in.
func TestAPromptNamesItsToolsByPlaceholders(t *testing.T) {
	t.Parallel()
	all := catalogue.New()
	for _, prompt := range all.Prompts() {
		called, args := map[string]string{}, map[string]string{}
		for i, name := range prompt.Tools() {
			called[name] = fmt.Sprintf("«tool %d»", i)
		}
		for _, arg := range prompt.Args {
			args[arg.Name] = "«" + arg.Name + "»"
		}
		for _, lang := range words.Langs {
			for _, arg := range prompt.Args {
				if label, help := all.ArgTexts(lang, prompt, arg); label == "" || strings.Contains(label+help, prompt.Name) {
					t.Errorf("%s: the argument %s has no texts in %s", prompt.Name, arg.Name, lang)
				}
			}
			text := prompt.Text(lang, called, args)
			for _, arg := range prompt.Args {
				if arg.Required && !strings.Contains(text, args[arg.Name]) {
					t.Errorf("%s does not speak of %s in %s", prompt.Name, arg.Name, lang)
				}
			}
			for name, call := range called {
				if !strings.Contains(text, call) {
					t.Errorf("%s does not speak of %s in %s", prompt.Name, name, lang)
				}
			}
			for _, tool := range all.Tools() {
				if strings.Contains(text, tool.Name) {
					t.Errorf("%s names %s in %s", prompt.Name, tool.Name, lang)
				}
			}
			if bare := prompt.Text(lang, nil, args); strings.Contains(bare, "no value") || strings.Contains(text, "no value") {
				t.Errorf("%s in %s: %s", prompt.Name, lang, bare)
			}
		}
	}
}

func TestEveryCommandSaysWhatItIsFor(t *testing.T) {
	t.Parallel()
	all := catalogue.New()
	for _, tool := range all.ForPeople() {
		for _, lang := range words.Langs {
			name, _ := tool.CommandName(lang)
			bare := slices.ContainsFunc(all.WithCommand(name), func(t *tools.Tool) bool { return t.Command(lang) == name })
			if !bare && all.CommandHelp(lang, name) == "" {
				t.Errorf("/%s has verbs only and no text in %s", name, lang)
			}
		}
	}
}

func TestWhatPeopleReadOfAToolNamesNoToolOfAssistants(t *testing.T) {
	t.Parallel()
	all := catalogue.New().Tools()
	for _, tool := range all {
		for _, lang := range words.Langs {
			for _, other := range all {
				if strings.Contains(other.Name, "_") && strings.Contains(tool.Help(lang), other.Name) {
					t.Errorf("%s in %s names %s", tool.Name, lang, other.Name)
				}
			}
		}
	}
}

var said = regexp.MustCompile(`say\("([^"]+)"[,)]|(?:Problem|Warning|Invalid)\((?:"[^"]*"|[^",]+), "([^"]+)"`)

func TestEveryTextThatTheSourcesNameIsThere(t *testing.T) {
	t.Parallel()
	for _, set := range catalogue.New().Toolsets {
		sources, err := filepath.Glob(filepath.Join("..", set.Name, "*.go"))
		if err != nil || sources == nil {
			t.Fatal(set.Name, err)
		}
		// A card says the keys of its tool without the tool's name.
		has := func(lang words.Lang, key string) bool {
			return set.HasText(lang, key) || slices.ContainsFunc(set.Tools, func(tool *tools.Tool) bool { return set.HasText(lang, tool.Name+"."+key) })
		}
		for _, source := range sources {
			if strings.HasSuffix(source, "_test.go") {
				continue
			}
			code, err := os.ReadFile(source)
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range said.FindAllStringSubmatch(string(code), -1) {
				key := match[1]
				if match[2] != "" {
					key = "problem." + match[2]
				}
				for _, lang := range words.Langs {
					if !strings.HasSuffix(key, ".") && !has(lang, key) {
						t.Errorf("%s: %s has no text in %s", source, key, lang)
					}
				}
			}
		}
	}
}

func TestTitlesFitSlacksModals(t *testing.T) {
	t.Parallel()
	for _, tool := range catalogue.New().Tools() {
		for _, lang := range words.Langs {
			titles := []string{tool.Title(lang)}
			for _, page := range tool.Pages {
				titles = append(titles, tool.PageTitle(lang, page))
			}
			for _, title := range titles {
				if utf8.RuneCountInString(title) > 24 {
					t.Errorf("%q is longer than 24 characters", title)
				}
			}
		}
	}
}

func TestEveryFieldHasAClassOfPersonalData(t *testing.T) {
	t.Parallel()
	for _, tool := range catalogue.New().Tools() {
		for _, field := range tool.Fields {
			if field.Class == "" {
				t.Errorf("%s %s has none", tool.Name, field.Path)
			}
		}
	}
}
