package pii

import (
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits of an [Echo].
const (
	maxEchoed = 500 // values
	maxValue  = 500 // characters of each
)

// Echo masks in a text the values that were sent, whole and in parts, in any case, with any accents, separators and forms of
// dates and amounts. If it is not certain, it masks.
type Echo struct{ traces []trace }

// trace is one form of a value that was sent, in loosely folded text.
type trace struct {
	pattern *regexp.Regexp
	alone   bool // it matches only if no letter or digit is next to it, because it is short and may be part of another word
}

// NewEcho returns an Echo of values: names, numbers, dates as YYYY-MM-DD, amounts as 1234.56, anything.
func NewEcho(values []string) *Echo {
	echo := &Echo{}
	for _, value := range values[:min(len(values), maxEchoed)] {
		if runes := []rune(value); len(runes) > maxValue {
			value = string(runes[:maxValue])
		}
		echo.add(strings.TrimSpace(value))
	}
	return echo
}

// Scrub masks what was sent, and what [Scrub] masks anyway. Escapes of HTML, JSON and URLs are decoded first.
func (e *Echo) Scrub(text string) string {
	text = unescaped(strings.ToValidUTF8(text[:min(len(text), maxScrubbed)], "\ufffd"))
	f := foldLoosely(text)
	var found []span
	for _, t := range e.traces {
		for _, at := range t.pattern.FindAllStringIndex(f.text, -1) {
			if at[0] < at[1] && (!t.alone || isAlone(f.text, at)) {
				found = append(found, span{at[0], at[1]})
			}
		}
	}
	return mask(text, joined(append(f.original(found), fold(text).hide(time.Now())...)), len(text))
}

const (
	between  = `[^\p{L}\p{N}]{0,3}` // the parts of a value
	grouping = `[ .,'/_()-]{0,3}`   // the digits of a number
)

var (
	isDate   = regexp.MustCompile(`^\d{4}-\d\d-\d\d`)
	isNumber = regexp.MustCompile(`^[+(]?\d[\d ()./-]*$`)
	isAmount = regexp.MustCompile(`^(\d+)\.(\d{1,4})$`)
	// Words of names and addresses that are in every text.
	everywhere = []string{"de", "da", "do", "das", "dos", "em", "no", "na", "e", "o", "a", "os", "as", "of", "the", "and", "in", "com", "www"}
)

func (e *Echo) add(value string) {
	if isDate.MatchString(value) {
		if day, err := time.Parse(time.DateOnly, value[:len(time.DateOnly)]); err == nil {
			e.trace(dateForms(day), true)
		}
	}
	if isNumber.MatchString(value) {
		e.number(value)
		return
	}
	words := strings.FieldsFunc(foldLoosely(value).text, func(c rune) bool { return !unicode.In(c, unicode.L, unicode.N) })
	if len(words) > 1 {
		e.trace(joinedBy(between, words), utf8.RuneCountInString(strings.Join(words, "")) < 4)
	}
	for _, word := range words {
		length := utf8.RuneCountInString(word)
		switch hasFigure := strings.ContainsAny(word, "0123456789"); {
		case isNumber.MatchString(word):
			e.number(word)
		case length < 2 || slices.Contains(everywhere, word):
		case hasFigure:
			e.trace(joinedBy(`[ ./-]{0,2}`, strings.Split(word, "")), length < 4)
		default:
			e.trace(regexp.QuoteMeta(word), length < 4)
		}
	}
}

// number adds a number with any grouping. Numbers of one or two digits are in every text and are not added.
func (e *Echo) number(value string) {
	whole, fraction := value, ""
	if parts := isAmount.FindStringSubmatch(value); parts != nil {
		whole, fraction = parts[1], strings.TrimRight(parts[2], "0")
	}
	digits := strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, whole)
	switch pattern := joinedBy(grouping, strings.Split(digits, "")); {
	case len(digits) > 2:
		e.trace(pattern+`(?:[.,]\d{1,2})?`, len(digits) < 7)
	case fraction != "":
		e.trace(pattern+`[.,]`+fraction+`0*`, true)
	}
}

func (e *Echo) trace(pattern string, alone bool) {
	if pattern == "" {
		return
	}
	e.traces = append(e.traces, trace{regexp.MustCompile(pattern), alone})
}

func joinedBy(separator string, parts []string) string {
	quoted := make([]string, len(parts))
	for i, part := range parts {
		quoted[i] = regexp.QuoteMeta(part)
	}
	return strings.Join(quoted, separator)
}

var monthNames = [12]string{
	"jan(?:eiro|uary)?", "(?:fev(?:ereiro)?|feb(?:ruary)?)", "mar(?:co|ch)?", "(?:abr(?:il)?|apr(?:il)?)", "(?:maio?|may)", "jun(?:ho|e)?",
	"jul(?:ho|y)?", "(?:ago(?:sto)?|aug(?:ust)?)", "(?:set(?:embro)?|sep(?:t(?:ember)?)?)", "(?:out(?:ubro)?|oct(?:ober)?)", "nov(?:embro|ember)?", "(?:dez(?:embro)?|dec(?:ember)?)",
}

// dateForms returns the forms in which people and programs write a date.
func dateForms(day time.Time) string {
	number := func(n int) string { return "0?" + strconv.Itoa(n) }
	d, m, y, name := number(day.Day()), number(int(day.Month())), day.Format("2006"), monthNames[day.Month()-1]
	of, th := `(?:`+between+`(?:de|do|of))?`+between, `(?:st|nd|rd|th|o)?`
	return strings.Join([]string{
		y + between + m + between + d,
		d + between + m + between + `(?:` + y + `|` + day.Format("06") + `)`,
		m + between + d + between + `(?:` + y + `|` + day.Format("06") + `)`,
		d + th + of + name + of + y,
		name + between + d + th + between + y,
	}, "|")
}

// isAlone reports whether neither a letter nor a digit is next to a part of a text.
func isAlone(text string, at []int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:at[0]])
	after, _ := utf8.DecodeRuneInString(text[at[1]:])
	return !unicode.In(before, unicode.L, unicode.N) && !unicode.In(after, unicode.L, unicode.N)
}

// foldLoosely folds text so far that neither case nor accents matter.
func foldLoosely(text string) folded {
	out, f, last := make([]byte, 0, len(text)), folded{from: []int{}}, 0
	for at, c := range text {
		_, size := utf8.DecodeRuneInString(text[at:])
		like, seen := alike(c)
		if !seen {
			for i := last; i < len(out); i++ {
				f.to[i] = at + size // an accent of its own belongs to its letter
			}
			continue
		}
		before := len(out)
		last = before
		for _, part := range norm.NFKD.String(string(unicode.ToLower(like))) {
			if !unicode.Is(unicode.Mn, part) {
				out = utf8.AppendRune(out, unicode.ToLower(part))
			}
		}
		for range len(out) - before {
			f.from, f.to = append(f.from, at), append(f.to, at+size)
		}
	}
	f.text = string(out)
	return f
}

var (
	jsonEscape = regexp.MustCompile(`\\u[0-9a-fA-F]{4}`)
	urlEscape  = regexp.MustCompile(`(?:%[0-9a-fA-F]{2})+`)
)

func unescaped(text string) string {
	text = html.UnescapeString(text)
	text = jsonEscape.ReplaceAllStringFunc(text, func(escape string) string {
		c, err := strconv.ParseUint(escape[2:], 16, 16)
		if err != nil {
			return escape
		}
		return string(rune(c))
	})
	return urlEscape.ReplaceAllStringFunc(text, func(escape string) string {
		plain, err := url.PathUnescape(escape)
		if err != nil || !utf8.ValidString(plain) {
			return escape
		}
		return plain
	})
}
