package pagetest

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func wordsOf(t *testing.T, lang string) map[string]string {
	t.Helper()
	data, err := os.ReadFile("../page/words." + lang + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var words map[string]string
	if err := json.Unmarshal(data, &words); err != nil {
		t.Fatalf("words.%s.json: %v", lang, err)
	}
	return words
}

// sources returns the content of the page's modules and HTML.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range []string{"../page/*.js", "../page/*.html"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files (%v)", pattern, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(data)
		}
	}
	return all.String()
}

func TestBothLanguagesHaveTheSameKeysAndPlaceholders(t *testing.T) {
	t.Parallel()
	portuguese, english := wordsOf(t, "pt-PT"), wordsOf(t, "en")
	placeholder := regexp.MustCompile(`\{\w+\}`)
	for _, key := range slices.Sorted(maps.Keys(portuguese)) {
		if english[key] == "" {
			t.Errorf("%s: missing in English", key)
		}
		placeholders := func(text string) []string { return slices.Sorted(slices.Values(placeholder.FindAllString(text, -1))) }
		if pt, en := placeholders(portuguese[key]), placeholders(english[key]); !slices.Equal(pt, en) {
			t.Errorf("%s: placeholders are %v in Portuguese and %v in English", key, pt, en)
		}
	}
	for key := range english {
		if portuguese[key] == "" {
			t.Errorf("%s: missing in Portuguese", key)
		}
	}
}

var (
	usedKey     = regexp.MustCompile(`\bt\('([\w.-]+)'|data-(?:text|label)="([\w.-]+)"`)
	usedPlurals = regexp.MustCompile(`\btranslateCount\('([\w.-]+)'`)
)

func TestEveryKeyOfThePageExistsAndIsUsed(t *testing.T) {
	t.Parallel()
	words, source := wordsOf(t, "pt-PT"), sources(t)
	used := map[string]bool{}
	for _, match := range usedKey.FindAllStringSubmatch(source, -1) {
		used[match[1]+match[2]] = true
	}
	for _, match := range usedPlurals.FindAllStringSubmatch(source, -1) {
		used[match[1]+".one"], used[match[1]+".other"] = true, true
	}
	for key := range used {
		if words[key] == "" {
			t.Errorf("%s: used, but missing in the files", key)
		}
	}
	for key := range words {
		// Keys of errors are formed from the workspace's error codes.
		if !used[key] && !strings.HasPrefix(key, "error.") {
			t.Errorf("%s: in the files, but not used", key)
		}
	}
}

func TestNoModuleParsesMarkupOrRunsTextAsCode(t *testing.T) {
	t.Parallel()
	for _, danger := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc", "setHTMLUnsafe"} {
		if strings.Contains(sources(t), danger) {
			t.Errorf("the page uses %s", danger)
		}
	}
}
