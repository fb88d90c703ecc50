// Package words returns texts in a person's language. Texts are in translation files (one TOML file for each language, flat
// keys) next to the package that uses them, never in code.
package words

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/language"
)

// Lang is a language of Balcão.
type Lang string

// The languages. European Portuguese is the default.
const (
	Portuguese Lang = "pt-PT"
	English    Lang = "en"
)

// Langs lists every language, the default first.
var Langs = []Lang{Portuguese, English}

var matcher = language.NewMatcher([]language.Tag{language.EuropeanPortuguese, language.English})

// Match returns the language nearest to a person's locale ("pt-BR", "en-GB", "fr"), or the default.
func Match(locale string) Lang {
	tags, _, err := language.ParseAcceptLanguage(locale)
	if err != nil {
		return Portuguese
	}
	_, i, _ := matcher.Match(tags...)
	return Langs[i]
}

// Texts has the texts of one package. Those in a language are read when one of them is first asked for.
type Texts struct {
	in map[Lang]func() *translation
}

// translation has the texts of one package in one language.
type translation struct {
	plain    map[string]string        // without placeholders and plural forms
	messages map[string]*i18n.Message // the others
	formless []string                 // the keys of texts with a count that have no singular
}

// unmarshal has the format of the files.
var unmarshal = map[string]i18n.UnmarshalFunc{"toml": toml.Unmarshal}

// Load returns the texts in pt-PT.toml and en.toml. The first use of a language panics if its file is missing or malformed: the
// files are embedded, and a test reads all of them.
func Load(files fs.FS) *Texts { return load(files, ".") }

// Tree returns the texts in pt-PT.toml and en.toml of every folder in a folder of files. The first use of a language panics as
// that of [Load] does, and if two folders have the same key.
func Tree(files fs.FS, folder string) *Texts {
	entries, err := fs.ReadDir(files, folder)
	if err != nil {
		panic(fmt.Sprintf("words: %v", err))
	}
	var folders []string
	for _, entry := range entries {
		folders = append(folders, folder+"/"+entry.Name())
	}
	return load(files, folders...)
}

// Sub returns the texts in a folder of files, as [Load] does.
func Sub(files fs.FS, folder string) *Texts { return load(files, folder) }

func load(files fs.FS, folders ...string) *Texts {
	texts := &Texts{map[Lang]func() *translation{}}
	for _, lang := range Langs {
		texts.in[lang] = sync.OnceValue(func() *translation { return read(files, folders, lang) })
	}
	return texts
}

func read(files fs.FS, folders []string, lang Lang) *translation {
	t := &translation{plain: map[string]string{}, messages: map[string]*i18n.Message{}}
	for _, folder := range folders {
		if err := t.add(files, path.Join(folder, string(lang)+".toml")); err != nil {
			panic(fmt.Sprintf("words: %v", err))
		}
	}
	return t
}

func (t *translation) add(files fs.FS, name string) error {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	file, err := i18n.ParseMessageFileBytes(data, name, unmarshal)
	if err != nil {
		return err
	}
	for _, message := range file.Messages {
		if t.has(message.ID) {
			return fmt.Errorf("%s has the key %s of another folder", name, message.ID)
		}
		if message.One == "" && !strings.Contains(message.Other, "{{") {
			t.plain[message.ID] = message.Other
		} else {
			t.messages[message.ID] = message
		}
		if message.One == "" && strings.Contains(message.Other, ".count") {
			t.formless = append(t.formless, message.ID)
		}
	}
	return nil
}

func (t *translation) has(key string) bool {
	_, plain := t.plain[key]
	return plain || t.messages[key] != nil
}

// localizers choose the plural form. All texts share them, because each bundle of the library has the rules of every language.
var localizers = sync.OnceValue(func() map[Lang]*i18n.Localizer {
	all := map[Lang]*i18n.Localizer{}
	for _, lang := range Langs {
		all[lang] = i18n.NewLocalizer(i18n.NewBundle(language.Make(string(lang))), string(lang))
	}
	return all
})

// templates parses each text with placeholders once.
var templates = &parser{}

type parser struct {
	template.TextParser
	parsed sync.Map // by text
}

// Cacheable reports false, because the library would cache what Parse returns no longer than a call.
func (*parser) Cacheable() bool { return false }

// Parse returns the template that a text is.
func (p *parser) Parse(text, left, right string) (template.ParsedTemplate, error) {
	if parsed, is := p.parsed.Load(text); is {
		return parsed.(template.ParsedTemplate), nil
	}
	parsed, err := p.TextParser.Parse(text, left, right)
	if err == nil {
		p.parsed.Store(text, parsed)
	}
	return parsed, err
}

// Say returns the text of key with args for its {{.name}} placeholders. The arg "count" also selects the plural form, "other"
// if there is none for that count. If key has no text, Say returns key; a test of each package checks that none is missing.
func (t *Texts) Say(lang Lang, key string, args map[string]any) string {
	if t.in[lang] == nil {
		lang = Portuguese
	}
	in := t.in[lang]()
	if text := in.plain[key]; text != "" {
		return text
	}
	message := in.messages[key]
	if message == nil {
		return key
	}
	for _, count := range []any{args["count"], nil} { // without a count, it is "other"
		// Localize returns an error for a missing form, with the text.
		text, _ := localizers()[lang].Localize(&i18n.LocalizeConfig{
			DefaultMessage: message, TemplateData: args, PluralCount: count, TemplateParser: templates,
		})
		if text != "" {
			return text
		}
	}
	return key
}

// Has reports whether key has a text in lang.
func (t *Texts) Has(lang Lang, key string) bool {
	return t.in[lang] != nil && t.in[lang]().has(key)
}

// Keys returns the keys of lang in order.
func (t *Texts) Keys(lang Lang) []string {
	in := t.in[lang]()
	return slices.Sorted(slices.Values(slices.AppendSeq(slices.Collect(maps.Keys(in.plain)), maps.Keys(in.messages))))
}

// Missing returns «lang key» for every key of want without a text, for every key that one language does not have, and, with
// the form, for every text with a count that has no singular.
func (t *Texts) Missing(want ...string) (missing []string) {
	for _, lang := range Langs {
		want = append(want, t.Keys(lang)...)
	}
	for _, lang := range Langs {
		in := t.in[lang]()
		for _, key := range in.formless {
			missing = append(missing, string(lang)+" "+key+" (one)")
		}
		for _, key := range want {
			if !in.has(key) {
				missing = append(missing, string(lang)+" "+key)
			}
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}
