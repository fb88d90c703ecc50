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
)

// ask draws the ESIS of a sample process after a change to it.
func ask(t *testing.T, change func(*process)) error {
	t.Helper()
	b := New(Config{Now: func() time.Time { return noon }})
	change(b.store.processes[SampleProcess(SampleOpen)])
	c := &call{r: httptest.NewRequest("GET", "/", nil), now: noon, session: session{broker: BrokerA}}
	c.r.SetPathValue("processUniqueId", SampleProcess(SampleOpen).String())
	_, err := b.draw(c, false)
	return err
}

func TestAnESISIsDrawnWithinTheLimitsAndNotBeyond(t *testing.T) {
	born := func(day string) func(*process) {
		return func(p *process) { p.borrowers[0].data.Personal.BirthDate = pii.New[pii.BirthDate](day) }
	}
	for name, c := range map[string]struct {
		change func(*process)
		want   string
	}{
		"as it is":                    {func(*process) {}, ""},
		"40 years":                    {func(p *process) { p.loan.months = 480 }, ""},
		"40 years and a month":        {func(p *process) { p.loan.months = 481 }, "esis.term"},
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
	s := samples(noon)
	for _, number := range stillSamples {
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
