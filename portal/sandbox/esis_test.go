package sandbox

import (
	"errors"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox/esispdf"
)

// ask requests the ESIS of a sample process after a change to it.
func ask(t *testing.T, change func(*process)) error {
	t.Helper()
	b := New(Config{Now: func() time.Time { return noon }})
	change(b.store.processes[SampleProcess(SampleOpen)])
	c := &call{r: httptest.NewRequest("GET", "/", nil), wire: profile.Builtin().Wire("processESISGet"), now: noon, session: session{broker: BrokerA}}
	c.r.SetPathValue("processUniqueId", SampleProcess(SampleOpen).String())
	_, err := b.newSheet(c, false)
	return err
}

func TestAnESISIsMadeWithinTheLimitsOnly(t *testing.T) {
	born := func(day string) func(*process) {
		return func(p *process) { p.borrowers[0].data.Personal.BirthDate = pii.New[pii.BirthDate](day) }
	}
	for name, c := range map[string]struct {
		change func(*process)
		want   string
	}{
		"as it is":                    {func(*process) {}, ""},
		"40 years":                    {func(p *process) { p.loan.Months = 480 }, ""},
		"40 years and a month":        {func(p *process) { p.loan.Months = 481 }, "esis.term"},
		"75 years and 364 days old":   {born("1960-11-23"), ""}, // when the 10 years end
		"76 years old":                {born("1960-11-22"), "esis.age"},
		"without borrowers":           {func(p *process) { p.borrowers = nil }, "esis.noKey"},
		"without a key borrower":      {func(p *process) { p.borrowers[0].data.BorrowerTypeID = 2 }, "esis.noKey"},
		"cancelled":                   {func(p *process) { p.state = cancelled }, "esis.state"},
		"closed":                      {func(p *process) { p.state = closed }, ""},
		"of another broker meanwhile": {func(p *process) { p.broker = uuid.New() }, "process.missing"},
	} {
		err, got := ask(t, c.change), ""
		if reason, ok := errors.AsType[*refusal](err); ok {
			got = reason.problems[0].key
		}
		if got != c.want || (err == nil) != (c.want == "") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestABorrowerOfAnyUsualAgeMayJoinTheProcessesOfExamples(t *testing.T) {
	s := samples(noon, ours)
	for _, number := range pinnedSamples {
		for _, age := range []int{18, 41, 55, 65} {
			p := *s.processes[SampleProcess(int(number))]
			born := noon.AddDate(-age-1, 0, 1) // a day before the next birthday
			p.borrowers = append(slices.Clone(p.borrowers), borrower{data: portal.BorrowerRequest{
				BorrowerTypeID: 2, Personal: &portal.PersonalDataRequest{BirthDate: pii.New[pii.BirthDate](born.Format(time.DateOnly))},
			}})
			if p.tooOld(noon) {
				t.Errorf("process %d refuses the ESIS once somebody of %d has joined", number, age)
			}
		}
	}
}

func TestTheFiguresOfEverySampleAddUpToTheCent(t *testing.T) {
	for _, p := range samples(noon, ours).processes {
		f := p.loan.Figures(len(p.borrowers))
		var all struct {
			Instalments               int
			Paid, Interest, Principal esispdf.Cents
		}
		for _, y := range f.Plan {
			all.Instalments += y.Instalments
			all.Paid += y.Paid
			all.Interest += y.Interest
			all.Principal += y.Principal
		}
		last := f.Plan[len(f.Plan)-1]
		if all.Instalments != p.loan.Months || all.Principal != p.loan.Amount || last.Remaining != 0 || all.Paid != all.Interest+all.Principal {
			t.Errorf("process %d: the plan has %+v and leaves %d", p.number, all, last.Remaining)
		}
		if total := all.Paid + f.Upfront + esispdf.Cents(p.loan.Months)*(f.Life+f.Home); f.Total != total || f.Cost != total-p.loan.Amount {
			t.Errorf("process %d: the MTIC is %d, and all payments are %d", p.number, f.Total, total)
		}
		if off := f.Last - f.Instalment; p.loan.Rate != esispdf.MixedRate && (off > 500 || off < -500) {
			t.Errorf("process %d: rounding makes the last instalment differ by %d Cents", p.number, off)
		}
		if f.TAEG <= float64(min(f.Rate, f.LaterRate+f.Rate))/10_000 && f.LaterRate == 0 || f.TAEG > 0.12 {
			t.Errorf("process %d: TAEG %f at a TAN of %d", p.number, f.TAEG, f.Rate)
		}
		if n := len(f.Steps); n > 0 {
			variable := f.Instalment
			if f.Later != 0 {
				variable = f.Later
			}
			if f.Steps[n-1].Instalment != variable || f.Steps[0].Instalment <= variable {
				t.Errorf("process %d: the discounts end at %d, and the instalment is %d", p.number, f.Steps[n-1].Instalment, variable)
			}
		}
	}
}
