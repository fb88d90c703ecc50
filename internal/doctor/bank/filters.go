package bank

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// effect is what a filter does.
type effect int

const (
	unsure  effect = iota // nothing can be said
	works                 // the reply has only what the filter asks for
	ignored               // the reply is that without the filter
	refused               // the bank refuses the parameter
)

// checkFilters tries each filter of the list of processes with a value for which the right reply is known.
func (x *Examination) checkFilters(ctx context.Context) (found []finding.Finding) {
	tries := []struct {
		parameter string
		value     string
		right     func([]seen) bool
	}{
		{"filterByText", strings.ToLower(rand.Text()[:12]), none},
		{"filterProcessStatus", x.state(), x.onlyState},
		{"filterStatusLastDateFrom", "2099-01-01", none},
		{"filterStatusLastDateTo", "1990-01-01", none},
	}
	var working, unknown []string
	for _, try := range tries {
		if x.profile.Operations[string(portal.ProcessList)].Query[try.parameter] == "" {
			continue // it is not sent
		}
		if try.value == "" {
			unknown = append(unknown, try.parameter)
			continue
		}
		judge := func(p *profile.Profile) effect {
			probe := x.try(ctx, p, portal.ProcessList, map[string]string{try.parameter: try.value})
			return x.judge(probe, try.right)
		}
		first := judge(x.profile)
		if first == works {
			working = append(working, try.parameter)
			continue
		}
		if first == unsure {
			unknown = append(unknown, try.parameter)
			continue
		}
		if entries := x.findFilter(try.parameter, judge); entries != nil {
			found = append(found, x.differs("", entries))
			working = append(working, try.parameter)
			continue
		}
		found = append(found, x.uselessFilter(try.parameter, first))
	}
	if slices.Contains(working, "filterByText") {
		found = append(found, x.checkSearches(ctx)...)
	}
	if len(working) > 0 {
		f := x.found(finding.OK, "bank.filters.confirmed", "filters", strings.Join(working, ", "))
		for _, parameter := range working {
			f.Entries = append(f.Entries, confirmed(finding.OK, "operations.processList.query."+parameter)...)
		}
		found = append([]finding.Finding{f}, found...)
	}
	if len(unknown) > 0 {
		f := finding.New(finding.NotTried, "bank.filters.unknown", "filters", strings.Join(unknown, ", "))
		for _, parameter := range unknown {
			f.Entries = append(f.Entries, confirmed(finding.NotTried, "operations.processList.query."+parameter)...)
		}
		found = append(found, f)
	}
	return found
}

func none(list []seen) bool { return len(list) == 0 }

// state returns the state of the newest process, "" unless another process of the first page has another one.
func (x *Examination) state() string {
	own := text(x.processes[0].fields, "processStatusID")
	for _, process := range x.processes {
		if other := text(process.fields, "processStatusID"); own != "" && other != "" && other != own {
			return own
		}
	}
	return ""
}

func (x *Examination) onlyState(list []seen) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(process seen) bool { return text(process.fields, "processStatusID") != x.state() })
}

// judge says what a filter does, by the reply.
func (x *Examination) judge(probe portal.Probe, right func([]seen) bool) effect {
	list := x.listed(probe.Canonical)
	switch {
	case probe.Err == nil && right(list):
		return works
	case probe.Err == nil && len(list) > 0 && len(list) == len(x.processes) && list[0].id == x.processes[0].id:
		return ignored
	case probe.Status >= 400 && probe.Status < 500:
		return refused
	}
	return unsure
}

// findFilter returns the entry for the name with which a filter works, nil if there is none.
func (x *Examination) findFilter(parameter string, judge func(*profile.Profile) effect) []entry {
	for _, name := range x.queryNames(parameter) {
		entries := []entry{listEntry(name, "query", parameter)}
		if p, err := x.over(entries); err == nil && judge(p) == works {
			return entries
		}
	}
	return nil
}

// uselessFilter returns the finding for a filter that does not work under any name. It is not sent any more, so that nobody
// takes an unfiltered list for what was asked for.
func (x *Examination) uselessFilter(parameter string, first effect) finding.Finding {
	entries := []entry{listEntry("", "query", parameter)}
	if parameter == "filterByText" {
		entries = append(entries, listEntry([]string{}, "searches"))
	}
	code := "bank.filters.ignored"
	if first == refused {
		code = "bank.filters.refused"
	}
	f := x.differs("", entries)
	f.Code, f.Args = code, map[string]any{"filter": parameter}
	return f
}

// checkSearches finds out what the text filter looks at, with texts of processes that are known.
func (x *Examination) checkSearches(ctx context.Context) []finding.Finding {
	known := x.profile.Operations[string(portal.ProcessList)].Searches
	newest := x.processes[0]
	type try struct {
		what, text string
		process    seen
	}
	tries := []try{
		{"name", text(newest.fields, "borrowerName"), newest},
		{"taxID", x.taxID, seen{id: x.taxProcess}},
		{"branch", text(newest.fields, "branchDescription"), newest},
		{"number", text(newest.fields, "processNumber"), newest},
	}
	var searches, tried []string
	for _, try := range tries {
		was := slices.Contains(known, try.what)
		if try.text == "" {
			if was {
				searches = append(searches, try.what)
			}
			continue
		}
		probe := x.try(ctx, x.profile, portal.ProcessList, map[string]string{"filterByText": try.text})
		hit := slices.ContainsFunc(x.listed(probe.Canonical), func(process seen) bool { return process.id == try.process.id })
		if tried = append(tried, try.what); hit || probe.Status == 0 && was {
			searches = append(searches, try.what)
		}
	}
	same := len(searches) == len(known) && !slices.ContainsFunc(searches, func(what string) bool { return !slices.Contains(known, what) })
	if !same {
		return []finding.Finding{x.differs("", []entry{listEntry(searches, "searches")})}
	}
	if len(tried) == 0 {
		return nil
	}
	f := x.found(finding.OK, "bank.filters.searches", "searches", strings.Join(tried, ", "))
	f.Entries = confirmed(finding.OK, "operations.processList.searches")
	return []finding.Finding{f}
}
