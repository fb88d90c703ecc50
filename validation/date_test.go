package validation_test

import (
	"testing"
	"time"

	"github.com/balcao/balcao/validation"
)

func day(t testing.TB, s string) validation.Date {
	date, err := validation.ParseDate(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return date
}

func TestAgeCountsFullYearsAndTheBirthday(t *testing.T) {
	for _, c := range []struct {
		born, on string
		want     int
	}{
		{"1985-04-12", "2026-04-11", 40},
		{"1985-04-12", "2026-04-12", 41},
		{"2008-02-29", "2026-02-28", 17},
		{"2008-02-29", "2026-03-01", 18},
		{"2008-02-29", "2028-02-29", 20},
		{"2026-12-31", "2026-12-31", 0},
		{"2026-12-31", "2026-01-01", -1},
	} {
		if got := day(t, c.born).Age(day(t, c.on)); got != c.want {
			t.Errorf("born %s, on %s: got %d, want %d", c.born, c.on, got, c.want)
		}
	}
}

func TestMonthsEndWhereTheMonthEnds(t *testing.T) {
	for _, c := range []struct {
		from   string
		months int
		want   string
	}{
		{"2026-01-31", 1, "2026-02-28"},
		{"2024-01-31", 1, "2024-02-29"},
		{"2026-08-31", 1, "2026-09-30"},
		{"2026-11-22", 420, "2061-11-22"},
		{"2026-03-31", -1, "2026-02-28"},
		{"2026-12-15", 0, "2026-12-15"},
	} {
		if got := day(t, c.from).AddMonths(c.months).String(); got != c.want {
			t.Errorf("%s and %d months: got %s, want %s", c.from, c.months, got, c.want)
		}
	}
}

func TestPeopleWriteTheDayFirstOrTheYearFirstAndNeverTheMonth(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"1985-04-12", "1985-04-12"}, {"12/04/1985", "1985-04-12"}, {"12-04-1985", "1985-04-12"},
		{" 12/04/1985 ", "1985-04-12"}, {"29/02/2024", "2024-02-29"},
		{"04/31/1985", ""}, {"12/13/1985", ""}, {"29/02/2023", ""}, {"2023-02-29", ""}, {"1985-4-12", ""},
		{"12.04.1985", ""}, {"12/04/85", ""}, {"12-04/1985", ""}, {"1985-04-12T00:00:00Z", ""}, {"", ""},
	} {
		date, err := validation.ParseDateInput(c.in)
		if c.want == "" && err != validation.DateFormat || c.want != "" && (err != nil || date.String() != c.want) {
			t.Errorf("%q: got %s, %v, want %q", c.in, date, err, c.want)
		}
	}
	if _, err := validation.ParseDate("12/04/1985"); err != validation.DateFormat {
		t.Errorf("the bank's format takes a day first: %v", err)
	}
}

func TestTodayIsTheDateInLisbon(t *testing.T) {
	summerNight := time.Date(2026, 7, 1, 23, 30, 0, 0, time.UTC) // half past midnight in Lisbon
	winterNight := time.Date(2026, 1, 1, 23, 30, 0, 0, time.UTC) // half past eleven
	if got := validation.Today(summerNight).String(); got != "2026-07-02" {
		t.Errorf("in summer: got %s", got)
	}
	if got := validation.Today(winterNight).String(); got != "2026-01-01" {
		t.Errorf("in winter: got %s", got)
	}
}
