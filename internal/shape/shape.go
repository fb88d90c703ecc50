// Package shape describes data by its shape, for logs and reports: {items:array[12] of {label:string,value:int},total:int}.
// It never repeats a value, nor a name that may be one.
package shape

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Limits of a description.
const (
	maxData  = 1 << 20
	maxDepth = 4
	maxNames = 12  // of an object
	maxText  = 400 // bytes
)

// Of describes the body of a reply.
func Of(body []byte) string {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	switch {
	case len(body) == 0:
		return "nothing"
	case len(body) > maxData:
		return fmt.Sprintf("%d bytes", len(body))
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	if _, more := decoder.Token(); err == nil && more == io.EOF {
		return cut(describe(value, 0))
	}
	switch lower := bytes.ToLower(body[:min(len(body), 512)]); {
	case err == nil:
		return "several JSON values"
	case bytes.HasPrefix(lower, []byte("<!doctype html")), bytes.Contains(lower, []byte("<html")):
		return "HTML"
	case body[0] == '<':
		return "XML"
	case body[0] == '{', body[0] == '[':
		return "broken JSON"
	}
	return fmt.Sprintf("text of %d bytes", len(body))
}

func cut(text string) string {
	if len(text) > maxText {
		return text[:maxText] + "…" // of ASCII, but for …
	}
	return text
}

func describe(value any, depth int) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return "bool"
	case string:
		return "string"
	case json.Number:
		if strings.ContainsAny(value.String(), ".eE") {
			return "number"
		}
		return "int"
	case []any:
		return array(value, depth)
	case map[string]any:
		return object(value, depth)
	}
	return "?"
}

func array(items []any, depth int) string {
	text := fmt.Sprintf("array[%d]", len(items))
	at := slices.IndexFunc(items, func(item any) bool { return item != nil })
	if at < 0 || depth >= maxDepth {
		return text
	}
	return text + " of " + describe(items[at], depth+1)
}

func object(fields map[string]any, depth int) string {
	if depth >= maxDepth {
		return "object"
	}
	if keyed(fields) {
		return fmt.Sprintf("object[%d] of {…}", len(fields))
	}
	var parts []string
	hidden := 0
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !isName(name) || len(parts) == maxNames {
			hidden++
			continue
		}
		parts = append(parts, name+":"+describe(fields[name], depth+1))
	}
	if hidden > 0 {
		parts = append(parts, fmt.Sprintf("%d more", hidden))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// keyed reports whether the names of an object are likely to be data: four objects or more and nothing else.
func keyed(fields map[string]any) bool {
	objects := 0
	for _, value := range fields {
		if _, is := value.(map[string]any); is {
			objects++
		}
	}
	return objects >= 4 && objects == len(fields)
}

// identifier matches names as APIs have them, and few values.
var identifier = regexp.MustCompile(`^[a-zA-Z][a-zA-Z]*([_-]?[a-zA-Z0-9]+)*$`)

// isName reports whether a name is surely one of a field: in camel case or snake case, without a long number. One that
// begins with a capital may be somebody's, unless a word of it is technical.
func isName(name string) bool {
	if len(name) > 48 || !identifier.MatchString(name) || digits.MatchString(name) {
		return false
	}
	return unicode.IsLower(rune(name[0])) || slices.ContainsFunc(split(name), func(word string) bool { return technical[word] })
}

var digits = regexp.MustCompile(`\d{3}`)

// split returns the words of a name in camel case or snake case, in lower case.
func split(name string) []string {
	var words []string
	for _, part := range strings.FieldsFunc(name, func(c rune) bool { return c == '_' || c == '-' }) {
		start := 0
		for i := 1; i < len(part); i++ {
			if unicode.IsUpper(rune(part[i])) && !unicode.IsUpper(rune(part[i-1])) {
				words, start = append(words, strings.ToLower(part[start:i])), i
			}
		}
		words = append(words, strings.ToLower(part[start:]))
	}
	return words
}

var technical = func() map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(`additional address amount array body borrower borrowers branch code codes content count
		cursor data date description detail details document documents email entries error errors field first has id
		items key label last line lines link list lists message messages meta more name next number object offset
		operation page pages paging payload phase previous process processes product property reason record records result
		results resultado resultados row rows session simulation simulations size state status success text title token
		total totals type types unique url user value values`) {
		set[word] = true
	}
	return set
}()
