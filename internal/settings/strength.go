package settings

import (
	"math"
	"strings"
)

const (
	strongEnough = 128 // bits, as of openssl rand -hex 16 and of a signing secret of Slack
	longestRead  = 256 // characters of a secret that are considered
	shortestTwin = 8   // characters: a shorter repetition also happens by chance
	shortestWord = 6   // letters
	letterBits   = 2.0 // of a letter in a word
	spread       = 1.5 // bits: by chance a short secret shows less than half of its alphabet
)

// weak reports whether a secret could be guessed.
func weak(secret string) bool { return strength(secret) < strongEnough }

// strength estimates the bits of a random secret: its length times the bits of a character of its alphabet. Separators do
// not count. A repetition, or a sequence with equal steps («4321», «aaaa»), counts as one character. If most of the secret
// may be words, their letters count less.
//
// Estimators for passwords, such as zxcvbn, find dates and names in random hexadecimal digits, and would refuse many signing
// secrets of Slack.
func strength(secret string) (bits float64) {
	text := []byte(strings.NewReplacer("-", "", "_", "", ".", "", ":", "", " ", "", "+", "", "/", "", "=", "").Replace(secret))
	text = text[:min(len(text), longestRead)]
	seen := map[byte]bool{}
	for _, c := range text {
		seen[c] = true
	}
	each := min(math.Log2(alphabet(text)), math.Log2(float64(len(seen)))+spread)
	if len(text) == 0 {
		return 0
	}
	var counted, spelt float64 // characters, and those of them that may spell words
	for i, end := 0, 0; i < len(text); counted++ {
		if twin := repeated(text, i); twin >= shortestTwin {
			i += twin
			continue
		}
		if word := letters(text[i:]); i >= end && word >= shortestWord {
			end = i + word
		}
		if i < end {
			spelt++
		}
		i++
	}
	if spelt > counted/2 {
		return (counted-spelt)*each + spelt*min(each, letterBits)
	}
	return counted * each
}

// alphabet returns the size of the smallest usual alphabet that has all characters of the text.
func alphabet(text []byte) float64 {
	only := func(characters string) bool { return strings.Trim(string(text), characters) == "" }
	const digits, lower, upper = "0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for _, characters := range []string{
		digits, digits + lower[:6], digits + upper[:6], lower, upper + digits[2:8], digits + lower, digits + upper, lower + upper, digits + lower + upper,
	} {
		if only(characters) {
			return float64(len(characters))
		}
	}
	return 94 // printable ASCII
}

// repeated returns how many characters from i on repeat earlier ones or continue a sequence.
func repeated(text []byte, i int) (longest int) {
	step := func(at int) int { return int(text[at]) - int(text[at-1]) }
	for from := range i {
		same := 0
		for i+same < len(text) && text[from+same] == text[i+same] {
			same++
		}
		longest = max(longest, same)
		if from == 0 {
			continue
		}
		for same = 0; i+same < len(text) && step(from+same) == step(i+same); {
			same++
		}
		longest = max(longest, same)
	}
	return longest
}

// letters returns the number of letters at the beginning of a text that may be a word: lower case, the first in any case.
func letters(text []byte) (n int) {
	if len(text) > 0 && 'A' <= text[0] && text[0] <= 'Z' {
		n = 1
	}
	for n < len(text) && 'a' <= text[n] && text[n] <= 'z' {
		n++
	}
	return n
}
