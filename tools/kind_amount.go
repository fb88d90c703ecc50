package tools

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/shopspring/decimal"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
)

// Amounts as people in Portugal and in English-speaking countries type them. Neither has three decimal places, so that
// 2.500 and 2,500 are both two and a half thousand.
var (
	portugueseAmount = regexp.MustCompile(`^-?(\d{1,3}(\.\d{3})+|\d+)(,\d{1,2})?$`)
	englishAmount    = regexp.MustCompile(`^-?(\d{1,3}(,\d{3})+|\d+)(\.\d{1,2})?$`)
)

// parseAmount reads euros: 2500, 2500,5, 2.500,00, 2 500.00, 2500 €.
func parseAmount(text string) (decimal.Decimal, bool) {
	text = strings.NewReplacer("€", "", " ", "", "\u00a0", "", "\u202f", "").Replace(text)
	switch {
	case len(text) > 20:
		return decimal.Zero, false
	case portugueseAmount.MatchString(text):
		text = strings.Replace(strings.ReplaceAll(text, ".", ""), ",", ".", 1)
	case englishAmount.MatchString(text):
		text = strings.ReplaceAll(text, ",", "")
	default:
		return decimal.Zero, false
	}
	amount, err := decimal.NewFromString(text)
	return amount, err == nil
}

func parseAmountField(text string) (any, bool) {
	amount, ok := parseAmount(text)
	return json.Number(amount.String()), ok
}

func clearAmount(lang words.Lang, value any) string {
	if money, ok := value.(pii.Money); ok {
		amount, _ := money.Reveal()
		return euros(lang, amount)
	}
	return revealed(value)
}

// equalAmounts compares values and not spellings: 10 equals 10.00.
func equalAmounts(a, b any) bool {
	first, _ := a.(pii.Money).Reveal()
	second, _ := b.(pii.Money).Reveal()
	return first.Equal(second)
}

// Euros returns an amount as people write it, in the language of say. It is for what the bank offers; a person's finances are
// masked by their type.
func Euros(say Say, amount decimal.Decimal) string { return euros(words.Lang(say("language")), amount) }

// Percent returns a percentage as people write it, in the language of say, with at least two decimal places.
func Percent(say Say, share decimal.Decimal) string {
	places := max(2, int(-share.Exponent()))
	text := message.NewPrinter(language.Make(say("language"))).Sprint(number.Decimal(share.InexactFloat64(), number.Scale(places)))
	return say("format.percent", "share", text)
}

// euros returns an amount as people write it, with all its decimal places and at least two.
func euros(lang words.Lang, amount decimal.Decimal) string {
	places := max(2, int(-amount.Exponent()))
	text := message.NewPrinter(language.Make(string(lang))).Sprint(number.Decimal(amount.InexactFloat64(), number.Scale(places)))
	return engineWords.Say(lang, "format.euros", map[string]any{"amount": text})
}
