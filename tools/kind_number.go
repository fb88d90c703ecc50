package tools

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/balcao/balcao/internal/words"
)

// decimalNumber matches a number as people type it, with one comma or point before its decimals.
var decimalNumber = regexp.MustCompile(`^-?\d{1,9}([.,]\d{1,6})?$`)

// parseNumber reads a number with decimals: 102,5 or 102.5, with or without spaces and a unit of area.
func parseNumber(text string) (any, bool) {
	text = strings.TrimSpace(strings.NewReplacer("m²", "", "m2", "", "\u00a0", "", " ", "").Replace(text))
	if !decimalNumber.MatchString(text) {
		return nil, false
	}
	return json.Number(strings.Replace(text, ",", ".", 1)), true
}

// decimalText returns a number as people write it.
func decimalText(lang words.Lang, n float64) string {
	text := strconv.FormatFloat(n, 'f', -1, 64)
	if math.IsInf(n, 0) || math.IsNaN(n) {
		return ""
	}
	return strings.Replace(text, ".", engineWords.Say(lang, "format.decimal", nil), 1)
}

func shownNumber(lang words.Lang, value any) string {
	if n, ok := value.(float64); ok {
		return decimalText(lang, n)
	}
	return ""
}

func typedNumber(lang words.Lang, text string) string {
	return strings.Replace(text, ".", engineWords.Say(lang, "format.decimal", nil), 1)
}
