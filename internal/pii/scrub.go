package pii

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// maxScrubbed is the number of bytes of a text after which [Scrub] cuts it off.
const maxScrubbed = 64 << 10

// What has the form of a secret or of an e-mail address, in folded text (see [fold]).
var (
	looksLikeSecret = regexp.MustCompile(`(?i)\bbearer\s+\S+|(?:xox[a-z]-|xapp-)\S+`)
	looksLikeEmail  = regexp.MustCompile(`(?i)(?:"[^"\n]{1,64}"|[\p{L}\p{N}.!#$%&'*+/=?^_{|}~\x60-]+)(?:@|%40)[\p{L}\p{N}.-]+\.(?:xn--[a-z0-9-]+|\p{L}{2,})`)
)

const sum = `\d+(?:[ .,]\d{3})*(?:[.,]\d{1,2})?`

// looksPersonal are the numbers that are masked, whatever letters are next to them. They are recognised by their length and
// not by their check digit: a mistyped tax number is as personal as a correct one.
var looksPersonal = []struct {
	pattern *regexp.Regexp
	min     int  // number of digits
	whole   bool // it is not part of a longer number
}{
	// Tax, social security, telephone, card and account numbers.
	{regexp.MustCompile(`\+?\d(?:[ ./_()+-]{0,3}\d){8,}`), 9, false},
	{regexp.MustCompile(`\d{3}[,:;|*'#~]\d{3}[,:;|*'#~]\d{3}`), 9, true},
	// An IBAN.
	{regexp.MustCompile(`(?i)\b[a-z]{2}\d{2}(?:[ .-]?[a-z0-9]{4}){2,7}(?:[ .-]?[a-z0-9]{1,3})?\b`), 9, false},
	// A citizen card with its check digits.
	{regexp.MustCompile(`(?i)\d{7,8}[ ./-]{0,3}\d[ ./-]{0,3}[a-z0-9]{2}[ ./-]{0,3}\d`), 9, true},
	// A postal code.
	{regexp.MustCompile(`\d{4} ?- ?\d{3}`), 7, true},
	// An amount in euros.
	{regexp.MustCompile(`(?i)(?:€|eur) ?` + sum + `|(?:` + sum + ` ?- ?)?` + sum + ` ?(?:€|eur)`), 1, true},
	// A shorter number, or one with letters, where a word says what it is.
	{regexp.MustCompile(`(?i)(?:n\.?i\.?f|nipc|niss|contribuinte|tax ?id|tax number|\bc\.?c|\bb\.?i|\bnic|cart\p{L}o (?:de )?cidad\p{L}o|citizen card|` +
		`passaporte|passport|t\p{L}tulo de resid\p{L}ncia|residence permit|document ?number|security ?number)` +
		`[^\p{L}\p{N}\n]{0,4}(?:n\.?[ºo°]?[^\p{L}\p{N}\n]{1,2}|n\p{L}mero |number )?(?:[a-z]{1,2} ?)?(\d(?:[ ./-]?\d){4,}[a-z0-9]{0,4})`), 5, false},
}

// What is kept although it contains long numbers: UUIDs, hashes, trace ids and memory addresses; times of day, durations,
// and host addresses with their port. Recent dates are kept too, see [dates].
var (
	isID   = regexp.MustCompile(`(?i)\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b[0-9a-f]{32,}\b|\b0x[0-9a-f]{9,16}\b`)
	isKept = regexp.MustCompile(`(?:\b|T)\d\d:\d\d:\d\d(?:\.\d{1,9})?|\b(?:\d{1,5}h)?(?:\d{1,2}m)?\d{1,3}\.\d{1,9}(?:ns|us|µs|ms|s)\b|` +
		`\b(?:\d{1,3}\.){3}\d{1,3}:\d{1,5}`)
)

// Scrub masks what has the form of personal data or of a secret in text from outside, such as an error of the bank or a log
// line: e-mail addresses; numbers of nine digits or more however they are written and joined (tax, social
// security, telephone, card and account numbers); shorter ones after a word such as NIF, card or passport; IBANs;
// postal codes; dates of more than ten years ago, which are birth dates; amounts in euros; tokens.
//
// UUIDs, hashes, times, recent dates, durations, addresses with a port, versions, statuses, codes and process numbers are
// kept. Names, streets and employers have no recognisable form: do not log text that may contain them.
func Scrub(text string) string {
	if harmless(text) {
		return text
	}
	const beyond = 256 // so that a match that begins before the cut is complete
	seen, now := text[:min(len(text), maxScrubbed+beyond)], time.Now()
	hide := fold(seen).hide(now)
	if strings.ContainsAny(seen, escapes) { // or what looks like it: «50%299999998»
		hide = joined(append(hide, foldBy(seen, decoded).hide(now)...))
	}
	end := min(len(text), maxScrubbed)
	for end < len(text) && end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	if len(hide) == 0 && end == len(text) {
		return text
	}
	return mask(text, hide, end)
}

// mask replaces spans of a text by the mask, and cuts the text off at end.
func mask(text string, spans []span, end int) string {
	var out strings.Builder
	at := 0
	for _, span := range spans {
		if span.from >= end {
			break
		}
		out.WriteString(text[at:span.from])
		out.WriteString(hidden)
		at = min(span.to, end)
	}
	out.WriteString(text[at:end])
	if end < len(text) {
		out.WriteString("…")
	}
	return out.String()
}

// span is a part of a text, in bytes.
type span struct{ from, to int }

// hide returns the spans of the original text to mask, sorted and without overlap.
func (f folded) hide(now time.Time) []span {
	var found []span
	add := func(all ...[]int) {
		for _, at := range all {
			found = append(found, span{at[0], at[1]})
		}
	}
	if mayHaveSecret(f.text) {
		add(looksLikeSecret.FindAllStringIndex(f.text, -1)...)
	}
	if strings.Contains(f.text, "@") || strings.Contains(f.text, "%40") {
		add(looksLikeEmail.FindAllStringIndex(f.text, -1)...)
	}
	if text := []byte(f.text); digits(text) > 0 {
		found = append(found, numbers(text, now)...)
	}
	return f.original(joined(found))
}

// numbers returns the personal numbers of a folded text, in which it blanks what is kept.
func numbers(text []byte, now time.Time) (found []span) {
	blank(text, isID.FindAllIndex(text, -1))
	if digits(text) == 0 {
		return nil
	}
	old, late := dates(text, now)
	for _, at := range old {
		found = append(found, span{at[0], at[1]})
	}
	blank(text, late)
	blank(text, isKept.FindAllIndex(text, -1))
	count := digits(text)
	for _, number := range looksPersonal {
		if count < number.min {
			continue // most lines of a log end here
		}
		for _, at := range number.pattern.FindAllSubmatchIndex(text, -1) {
			at = at[len(at)-2:] // the last group of the pattern, or the whole match
			beside := number.whole && (isDigit(text, at[0]-1) || isDigit(text, at[1]))
			if !beside && digits(text[at[0]:at[1]]) >= number.min {
				found = append(found, span{at[0], at[1]})
			}
		}
	}
	return found
}

// joined sorts spans and merges those that touch.
func joined(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
	var apart []span
	for _, each := range spans {
		if last := len(apart) - 1; last >= 0 && each.from <= apart[last].to {
			apart[last].to = max(apart[last].to, each.to)
			continue
		}
		apart = append(apart, each)
	}
	return apart
}

// blank overwrites the spans that are kept with zeros, except those that are numbers: of digits only, or followed by a digit.
func blank(text []byte, kept [][]int) {
	for _, at := range kept {
		if digits(text[at[0]:at[1]]) < at[1]-at[0] && !isDigit(text, at[1]) {
			clear(text[at[0]:at[1]])
		}
	}
}

func digits(text []byte) (count int) {
	for i := range text {
		if isDigit(text, i) {
			count++
		}
	}
	return count
}

func isDigit(text []byte, i int) bool {
	return i >= 0 && i < len(text) && '0' <= text[i] && text[i] <= '9'
}
