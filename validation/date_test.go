package validation_test

import (
	"strings"
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

func TestAddMonthsEndsAtTheLastDayOfAShortMonth(t *testing.T) {
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

func TestDatesAreReadInEveryUsualForm(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"1985-07-03", "1985-07-03"}, {"1985-7-3", "1985-07-03"}, {"1985/07/03", "1985-07-03"}, {"1985.07.03", "1985-07-03"},
		{"03/07/1985", "1985-07-03"}, {"3/7/1985", "1985-07-03"}, {"03.07.1985", "1985-07-03"}, {"3.7.1985", "1985-07-03"},
		{"03-07-1985", "1985-07-03"}, {"3-7-1985", "1985-07-03"}, {"03 07 1985", "1985-07-03"}, {"3 / 7 / 1985", "1985-07-03"},
		{"03/ 07/1985", "1985-07-03"}, {"03071985", "1985-07-03"}, {" 03/07/1985\u00a0", "1985-07-03"},
		{"3 jul 1985", "1985-07-03"}, {"3 jul. 1985", "1985-07-03"}, {"03JUL1985", "1985-07-03"}, {"3-jul-1985", "1985-07-03"},
		{"3 julho 1985", "1985-07-03"}, {"3 de julho de 1985", "1985-07-03"}, {"3 de Julho, 1985", "1985-07-03"},
		{"3 July 1985", "1985-07-03"}, {"3 Sept 1985", "1985-09-03"}, {"1.º de maio de 1985", "1985-05-01"}, {"1º maio 1985", "1985-05-01"},
		{"15 de março de 1985", "1985-03-15"}, {"15 marco 1985", "1985-03-15"}, {"15 de marc\u0327o de 1985", "1985-03-15"},
		{"1 fev 1985", "1985-02-01"}, {"1 feb 1985", "1985-02-01"}, {"1 ago 1985", "1985-08-01"}, {"1 de dezembro de 1985", "1985-12-01"},
		{"12/04/1985", "1985-04-12"}, {"29/02/2024", "2024-02-29"}, {"31122035", "2035-12-31"}, {"20/12/2012", "2012-12-20"},
	} {
		if date, err := validation.ParseDateInput(c.in); err != nil || date.String() != c.want {
			t.Errorf("%q: got %s, %v, want %q", c.in, date, err, c.want)
		}
	}
	if _, err := validation.ParseDate("12/04/1985"); err != validation.DateFormat {
		t.Errorf("the bank's format takes a day first: %v", err)
	}
}

func TestAnInvalidDateIsRefusedWithTheReason(t *testing.T) {
	for _, c := range []struct {
		in   string
		want validation.Code
	}{
		{"3/7/85", validation.DateYear}, {"03.07.85", validation.DateYear}, {"030785", validation.DateYear},
		{"3 jul 85", validation.DateYear}, {"3 de julho de 85", validation.DateYear}, {"29/2/00", validation.DateYear},
		{"31/31/85", validation.DateFormat}, {"85-07-03", validation.DateFormat}, {"04/31/1985", validation.DateFormat}, {"12/13/1985", validation.DateFormat},
		{"29/02/2023", validation.DateFormat}, {"2023-02-29", validation.DateFormat}, {"31 abr 1985", validation.DateFormat},
		{"0/7/1985", validation.DateFormat}, {"03/07/985", validation.DateFormat}, {"03/07/19855", validation.DateFormat},
		{"12-04/1985", validation.DateFormat}, {"12/04 1985", validation.DateFormat}, {"1985-04/12", validation.DateFormat},
		{"19850703", validation.DateFormat}, {"20121203", validation.DateFormat}, {"03071", validation.DateFormat},
		{"3 ju 1985", validation.DateFormat}, {"3 julhinho 1985", validation.DateFormat}, {"July 3, 1985", validation.DateFormat},
		{"1985-04-12T00:00:00Z", validation.DateFormat}, {"-3/7/1985", validation.DateFormat}, {"3//7//1985", validation.DateFormat},
		{"amanhã", validation.DateFormat}, {"", validation.DateFormat}, {strings.Repeat("1", 5000), validation.DateFormat},
	} {
		if date, err := validation.ParseDateInput(c.in); err != c.want {
			t.Errorf("%.40q: got %s, %v, want %v", c.in, date, err, c.want)
		}
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
