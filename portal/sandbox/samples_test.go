package sandbox

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/profile"
)

// Ours is a bank with the built-in profile, and strict refuses what breaks a rule.
var (
	ours   = valuesOf(profile.Builtin())
	strict = valuesOf(WithRules(EveryRule(profile.Error)))
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestTheSamplesWouldPassTheBanksOwnChecks(t *testing.T) {
	seen := map[string]int64{}
	for _, p := range samples(noon, ours).processes {
		keys := 0
		for _, b := range p.borrowers {
			for _, problem := range strict.check(b.data, noon) {
				t.Errorf("process %d: %+v", p.number, problem)
			}
			if b.data.BorrowerTypeID == keyBorrower {
				keys++
			}
			taxID := b.data.Personal.TaxID.Reveal()
			if other, taken := seen[taxID]; taken {
				t.Errorf("processes %d and %d share a tax number", p.number, other)
			}
			seen[taxID] = p.number
		}
		if keys != 1 {
			t.Errorf("process %d has %d key borrowers", p.number, keys)
		}
	}
	for _, free := range []string{"299999998", "123456789"} {
		if _, taken := seen[free]; taken {
			t.Errorf("%s is left for people to type", free)
		}
	}
}

func TestAddedProcessesWouldPassTheBanksOwnChecks(t *testing.T) {
	s, seen := samples(noon, ours), map[string]bool{}
	for range 2000 {
		p := s.add(BrokerA, noon)
		if problems := strict.check(p.borrowers[0].data, noon); problems != nil || !ours.isKey(p.borrowers[0]) {
			t.Fatalf("process %d: %+v", p.number, problems)
		}
		taxID := p.borrowers[0].data.Personal.TaxID.Reveal()
		if seen[taxID] || taxID == "299999998" {
			t.Fatalf("process %d has the tax number of another", p.number)
		}
		seen[taxID] = true
	}
	if len(s.processes) != 2014 {
		t.Errorf("%d processes", len(s.processes))
	}
}

func TestTheSamplesAreManyAndDiffer(t *testing.T) {
	states, brokers, couples := map[int32]int{}, map[string]int{}, 0
	all := samples(noon, ours).processes
	for _, p := range all {
		states[p.state]++
		brokers[p.broker.String()]++
		if len(p.borrowers) == 2 {
			couples++
		}
	}
	everyState := slices.Sorted(maps.Keys(taxonomies()["workflowStatesProposal"]))
	if len(all) < 12 || len(brokers) != 2 || couples < 4 || !slices.Equal(slices.Sorted(maps.Keys(states)), everyState) {
		t.Errorf("%d processes, %d brokers, %d couples, states %v", len(all), len(brokers), couples, states)
	}
}

func TestTheSamplesFollowTheClockAndTheirIDsDoNot(t *testing.T) {
	now, later := samples(noon, ours), samples(noon.AddDate(1, 0, 0), ours)
	for id, p := range now.processes {
		moved, ok := later.processes[id]
		if !ok || !moved.created.Equal(p.created.AddDate(1, 0, 0)) || moved.borrowers[0].id != p.borrowers[0].id {
			t.Errorf("process %d is not the same a year later", p.number)
		}
	}
	if got := SampleProcess(SampleOpen).String(); got != "7e7c1ab7-81e5-5c1c-bd9b-bcfc76f8932c" {
		t.Errorf("documents call the first process %s", got)
	}
}

// The numbers are vectors of other libraries' tests: validator.js, masterzdran's, AMA's note, django-localflavor, socrates-java.
func TestSampleNumbersAreCompletedAsTheAuthoritiesDo(t *testing.T) {
	if got := sampleTaxID(29999999); got != "299999998" {
		t.Errorf("NIF %s", got)
	}
	if got := sampleNISS(1234567890); got != "12345678902" {
		t.Errorf("NISS %s", got)
	}
	for eight, want := range map[int]string{0: "000000000ZZ4", 12946383: "129463833ZZ5", 17653917: "176539174ZZ5"} {
		if number, suffix := sampleCard(eight); number+suffix != want {
			t.Errorf("citizen card %s%s, want %s", number, suffix, want)
		}
	}
}

func TestEveryTextIsThereInBothLanguages(t *testing.T) {
	want := []string{"action." + opened, "message.user"}
	for _, action := range actions {
		want = append(want, "action."+action)
	}
	for _, key := range []string{"usual", "paySlips", "reply", "thanks", "status", "simulation", "simulationAsk", "simulationReply"} {
		want = append(want, "message."+key+".subject", "message."+key+".text")
	}
	want = append(want, "action."+documentDecided)
	for _, status := range fileStatuses {
		want = append(want, "document.status."+status)
	}
	for id, code := range codes {
		want = append(want, string(id))
		if len(code) != 6 {
			t.Errorf("the code of %s has not six digits", id)
		}
	}
	if missing := book.Missing(want...); missing != nil {
		t.Errorf("missing: %v", missing)
	}
	for _, key := range book.Keys(words.English) {
		operation, ofOperation := strings.CutPrefix(key, "action.")
		if !slices.Contains(want, key) && !(ofOperation && slices.Contains(want, operation)) {
			t.Errorf("%s is never said", key)
		}
	}
}
