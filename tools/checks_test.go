package tools_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/validation"
)

func TestLimitsOfALaterDayChangeOnlyWhatTheySay(t *testing.T) {
	t.Parallel()
	bank, err := profile.Read("bank.toml", []byte("[limits.2027-01-01]\ndsti = { limit = 45 }\nage.max = 80\nterms = [{ up_to_age = 150, years = 30 }]\n"))
	if err != nil {
		t.Fatal(err)
	}
	options, err := tools.ChecksOf(bank)
	if err != nil || len(options.Limits) != 2 {
		t.Fatalf("got %+v, %v", options.Limits, err)
	}
	for i, want := range []struct {
		from          validation.Date
		dsti          int64
		ageMax, terms int
	}{
		{validation.Date{Year: 2023, Month: time.October, Day: 16}, 50, 75, 3},
		{validation.Date{Year: 2027, Month: time.January, Day: 1}, 45, 80, 1},
	} {
		got := options.Limits[i]
		if got.From != want.from || !got.DSTILimit.Equal(decimal.New(want.dsti, -2)) || got.AgeMax != want.ageMax || len(got.Terms) != want.terms {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if !got.LTVNote.Equal(decimal.New(80, -2)) || !got.LTVOwnHome.Equal(decimal.New(90, -2)) || !got.LTVOther.Equal(decimal.New(80, -2)) ||
			!got.LTVLenderOwned.Equal(decimal.New(1, 0)) || !got.DSTINote.Equal(decimal.New(35, -2)) || got.AgeNote != 70 {
			t.Errorf("got %+v", got)
		}
		if len(got.Shocks) != 3 || got.Shocks[0].OverMonths != 120 || !got.Shocks[0].Rate.Equal(decimal.New(15, -3)) {
			t.Errorf("got %+v", got.Shocks)
		}
	}
}
