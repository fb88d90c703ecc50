package tools

import (
	"fmt"
	"strconv"
	"time"

	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/validation"
)

// Day is a calendar day that is no personal data.
type Day string

// Class returns [pii.Open].
func (Day) Class() pii.Class { return pii.Open }

// Begins returns the moment in Lisbon when the day begins, or the zero time if d is no day.
func (d Day) Begins() time.Time {
	date, err := validation.ParseDateInput(string(d))
	if err != nil {
		return time.Time{}
	}
	return time.Date(date.Year, date.Month, date.Day, 0, 0, 0, 0, lisbon.Zone)
}

// parseDate accepts any text: the checks of its page report what is no date.
func parseDate(text string) (any, bool) {
	if date, err := validation.ParseDateInput(text); err == nil {
		return date.String(), true
	}
	return text, true
}

// isISODate reports whether a text is a day as YYYY-MM-DD: of 3/7/1985 it is not clear which number is the month.
func isISODate(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}

func typedDate(lang words.Lang, text string) string {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return text
	}
	return day.Format(engineWords.Say(lang, "format.typed_day", nil))
}

// maskedDate says of the mask of a birth date that it is an age.
func maskedDate(lang words.Lang, value any) string {
	if _, birth := value.(pii.BirthDate); birth {
		if age, err := strconv.Atoi(fmt.Sprint(value)); err == nil {
			return engineWords.Say(lang, "age", map[string]any{"count": age})
		}
	}
	return ""
}

func clearDate(lang words.Lang, value any) string {
	text := revealed(value)
	_, personal := value.(interface{ Reveal() string })
	if date, err := validation.ParseDate(text); err == nil && personal {
		return written(date, engineWords.Say(lang, "format.day", nil))
	}
	return text
}
