package validation

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/balcao/balcao/internal/lisbon"
)

// Date is a day of the calendar, without a clock or a zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// Today is the date in Lisbon, where the bank is.
func Today(now time.Time) Date { return dateOf(now.In(lisbon.Zone)) }

func dateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{year, month, day}
}

// ParseDate reads YYYY-MM-DD, the bank's format. It fails with [DateFormat], also for days that do not exist.
func ParseDate(s string) (Date, error) { return parseDate(s, time.DateOnly) }

// maxDateInput is how many bytes of a typed date are looked at: "15 de fevereiro de 1985" and room for spaces.
const maxDateInput = 64

// The forms in which people write a date: in numbers, in eight digits, with the month's name, and with the year first.
// White space is single spaces by then.
var (
	numericDate   = regexp.MustCompile(`^(\d{1,2}) ?([/.\- ]) ?(\d{1,2}) ?([/.\- ]) ?(\d{4}|\d{2})$`)
	compactDate   = regexp.MustCompile(`^(\d{2})(\d{2})((?:19|20|21)\d{2}|\d{2})$`)
	namedDate     = regexp.MustCompile(`^(\d{1,2})(?:\.?º)?(?: de |[ .\-/]?)(\pL{3,9})\.?(?: de |,? |[.\-/]?)(\d{4}|\d{2})$`)
	yearFirstDate = regexp.MustCompile(`^(\d{4})([/.\-])(\d{1,2})([/.\-])(\d{1,2})$`)
)

// monthNames are the months as they are written in Portuguese and in English. Three letters are enough of each.
var monthNames = [12][]string{
	{"janeiro", "january"}, {"fevereiro", "february"}, {"marco", "march"}, {"abril", "april"}, {"maio", "may"}, {"junho", "june"},
	{"julho", "july"}, {"agosto", "august"}, {"setembro", "september", "sept"}, {"outubro", "october"}, {"novembro", "november"},
	{"dezembro", "december"},
}

// ParseDateInput reads a date as people type it: 3/7/1985, 03.07.1985, 3-7-1985, 03 07 1985, 03071985, 3 jul 1985,
// 3 de julho de 1985, 1985-07-03. The month never comes first. It fails with [DateYear] if only the year is
// wrong, because it has two digits and its century is unknown, and with [DateFormat] otherwise, also for days that do not
// exist.
func ParseDateInput(s string) (Date, error) {
	if len(s) > maxDateInput {
		return Date{}, DateFormat
	}
	s = strings.Join(strings.Fields(s), " ")
	if m := numericDate.FindStringSubmatch(s); m != nil && m[2] == m[4] {
		return dateFrom(m[1], m[3], m[5])
	}
	if m := compactDate.FindStringSubmatch(s); m != nil {
		return dateFrom(m[1], m[2], m[3])
	}
	if m := namedDate.FindStringSubmatch(norm.NFC.String(s)); m != nil {
		return dateFrom(m[1], monthNamed(m[2]), m[3])
	}
	if m := yearFirstDate.FindStringSubmatch(s); m != nil && m[2] == m[4] {
		return dateFrom(m[5], m[3], m[1])
	}
	return Date{}, DateFormat
}

// dateFrom makes a date of its digits.
func dateFrom(day, month, year string) (Date, error) {
	short := len(year) == 2
	if short {
		year = "20" + year // to find out whether the day exists
	}
	date, err := parseDate(fmt.Sprintf("%s-%02s-%02s", year, month, day), time.DateOnly)
	if err == nil && short {
		return Date{}, DateYear
	}
	return date, err
}

// monthNamed is a month's number in digits, "" for a word that names none.
func monthNamed(word string) string {
	word = folded(word)
	for i, names := range monthNames {
		for _, name := range names {
			if word == name || word == name[:3] {
				return strconv.Itoa(i + 1)
			}
		}
	}
	return ""
}

func parseDate(s, layout string) (Date, error) {
	t, err := time.Parse(layout, s)
	if err != nil || len(s) != len(layout) {
		return Date{}, DateFormat
	}
	return dateOf(t), nil
}

// String returns YYYY-MM-DD.
func (d Date) String() string { return d.midnight().Format(time.DateOnly) }

func (d Date) midnight() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// Compare is negative when d is earlier than other, 0 on the same day, positive when later.
func (d Date) Compare(other Date) int {
	return cmp.Or(cmp.Compare(d.Year, other.Year), cmp.Compare(d.Month, other.Month), cmp.Compare(d.Day, other.Day))
}

// DaysUntil counts the days from d to other.
func (d Date) DaysUntil(other Date) int {
	return int(other.midnight().Sub(d.midnight()) / (24 * time.Hour))
}

// Age is the number of full years that somebody born on d has on the given day. The birthday counts; who was born on
// 29 February grows older on 1 March in common years.
func (d Date) Age(on Date) int {
	years := on.Year - d.Year
	if (Date{0, on.Month, on.Day}).Compare(Date{0, d.Month, d.Day}) < 0 {
		years--
	}
	return years
}

// AddMonths moves n months on, to the last day of a month too short: 31 January and one month is 28 February.
func (d Date) AddMonths(n int) Date {
	first := time.Date(d.Year, d.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return Date{first.Year(), first.Month(), min(d.Day, last)}
}

// folded returns s in lower case, without accents and with spaces for hyphens, or "" if it is too long.
func folded(s string) string {
	if len(s) > 4*longest {
		return ""
	}
	return strings.ToLower(strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r == '-':
			return ' '
		}
		return r
	}, norm.NFD.String(s)))
}
