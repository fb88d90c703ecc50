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

// sources is the text of the page's modules and of its HTML.
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

func TestBothLanguagesHaveTheSameWordsAndPlaces(t *testing.T) {
	portuguese, english := wordsOf(t, "pt-PT"), wordsOf(t, "en")
	place := regexp.MustCompile(`\{\w+\}`)
	for _, key := range slices.Sorted(maps.Keys(portuguese)) {
		if english[key] == "" {
			t.Errorf("%s: not said in English", key)
		}
		in := func(text string) []string { return slices.Sorted(slices.Values(place.FindAllString(text, -1))) }
		if pt, en := in(portuguese[key]), in(english[key]); !slices.Equal(pt, en) {
			t.Errorf("%s: Portuguese has places %v and English %v", key, pt, en)
		}
	}
	for key := range english {
		if portuguese[key] == "" {
			t.Errorf("%s: not said in Portuguese", key)
		}
	}
}

var (
	saidOnce    = regexp.MustCompile(`\bsay\('([\w.-]+)'|data-say(?:-label)?="([\w.-]+)"`)
	saidCounted = regexp.MustCompile(`\bsayCount\('([\w.-]+)'`)
)

func TestEveryWordThatThePageAsksForIsThereAndNoneIsLeftOver(t *testing.T) {
	words, source := wordsOf(t, "pt-PT"), sources(t)
	asked := map[string]bool{}
	for _, match := range saidOnce.FindAllStringSubmatch(source, -1) {
		asked[match[1]+match[2]] = true
	}
	for _, match := range saidCounted.FindAllStringSubmatch(source, -1) {
		asked[match[1]+".one"], asked[match[1]+".other"] = true, true
	}
	for key := range asked {
		if words[key] == "" {
			t.Errorf("%s: asked for, but not in the files", key)
		}
	}
	for key := range words {
		// Errors are looked up by the code that the workspace answers.
		if !asked[key] && !strings.HasPrefix(key, "error.") {
			t.Errorf("%s: in the files, but nobody asks for it", key)
		}
	}
}

func TestNoModuleParsesMarkupOrRunsTextAsCode(t *testing.T) {
	for _, danger := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc", "setHTMLUnsafe"} {
		if strings.Contains(sources(t), danger) {
			t.Errorf("the page uses %s", danger)
		}
	}
}
