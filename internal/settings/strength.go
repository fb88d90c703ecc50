package settings

import (
	"math"
	"strings"
)

const (
	strongEnough = 128 // bits: what openssl rand -hex 16 gives, and a signing secret of Slack's
	longestRead  = 256 // characters of a secret that count
	shortestTwin = 8   // characters: a shorter repetition also happens by chance
	shortestWord = 6   // letters
	letterBits   = 2.0 // what a letter of a word is worth
	spread       = 1.5 // bits: by chance a short secret shows less than half of its alphabet
)

// weak tells whether a secret could be guessed.
func weak(secret string) bool { return strength(secret) < strongEnough }

// strength estimates the bits of a secret that was drawn at random: its length times what a character of its alphabet is
// worth. What separates counts nothing, a stretch that was there before, or goes on in the same steps («4321», «aaaa»),
// counts as one character. Where most of it may be words, their letters count little.
//
// The estimators for passwords of people, such as ports of zxcvbn, do not serve here: they find dates and names in random
// hexadecimal digits, and would refuse many signing secrets of Slack's.
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

// alphabet is how many characters the smallest usual alphabet with all of these has.
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
	return 94 // what a keyboard has
}

// repeated is how many characters from i on were there before, or go on in steps that were there before.
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

// letters is how many letters a text begins with that may be words: small ones, the first perhaps a capital.
func letters(text []byte) (n int) {
	if len(text) > 0 && 'A' <= text[0] && text[0] <= 'Z' {
		n = 1
	}
	for n < len(text) && 'a' <= text[n] && text[n] <= 'z' {
		n++
	}
	return n
}
