package validation

import (
	"cmp"
	"strings"
	"time"
	_ "time/tzdata" // Lisbon's clock, on machines that have no zones
)

// Date is a day of the calendar, without a clock or a zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

var lisbon = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Lisbon")
	if err != nil {
		panic(err) // it is embedded
	}
	return zone
}()

// Today is the date in Lisbon, where the bank is.
func Today(now time.Time) Date { return dateOf(now.In(lisbon)) }

func dateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{year, month, day}
}

// ParseDate reads YYYY-MM-DD, the bank's format. It fails with [DateFormat], also for days that do not exist.
func ParseDate(s string) (Date, error) { return parseDate(s, time.DateOnly) }

// ParseDateInput reads what people type: YYYY-MM-DD, DD/MM/YYYY or DD-MM-YYYY. The month never comes first.
func ParseDateInput(s string) (Date, error) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{time.DateOnly, "02/01/2006", "02-01-2006"} {
		if date, err := parseDate(s, layout); err == nil {
			return date, nil
		}
	}
	return Date{}, DateFormat
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
