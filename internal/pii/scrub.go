package pii

import "regexp"

// What looks like personal data in free text. Numbers are masked by their length and not by their check digit: in a
// log line a process number lost to caution costs little.
var (
	looksLikeEmail  = regexp.MustCompile(`[\p{L}\p{N}._%+\-]+@[\p{L}\p{N}.\-]+\.\p{L}{2,}`)
	looksLikeIBAN   = regexp.MustCompile(`\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b`)
	looksLikeBearer = regexp.MustCompile(`(?i)\b(bearer\s+|xox[a-z]-|xapp-)\S+`)
	looksLikeNumber = regexp.MustCompile(`\+?\b\d(?:[ .\-]?\d){8,}\b`)
	looksLikeCard   = regexp.MustCompile(`(?i)\b\d{8}[ -]?\d[ -]?[A-Z0-9]{2}[ -]?\d\b`)
	// Hexadecimal ids (uuids, digests) are no personal data, and their digits must survive for a log to be of use.
	looksLikeID = regexp.MustCompile(`(?i)\b(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)?)\b`)
)

// Scrub masks what looks like an e-mail address, a tax, social security, card or phone number, an IBAN or a token in
// text from outside (an error of the bank's, a line of a log). Uuids and timestamps stay.
func Scrub(text string) string {
	text = looksLikeBearer.ReplaceAllString(text, hidden)
	text = looksLikeEmail.ReplaceAllString(text, hidden)
	out, from := "", 0
	for _, at := range looksLikeID.FindAllStringIndex(text, -1) {
		out += scrubNumbers(text[from:at[0]]) + text[at[0]:at[1]]
		from = at[1]
	}
	return out + scrubNumbers(text[from:])
}

func scrubNumbers(text string) string {
	text = looksLikeIBAN.ReplaceAllString(text, hidden)
	text = looksLikeCard.ReplaceAllString(text, hidden)
	return looksLikeNumber.ReplaceAllString(text, hidden)
}
