package bank

import (
	"context"
	"slices"
	"strconv"

	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// The table of the list of processes.
var listTable = []string{"operations", string(portal.ProcessList)}

func listEntry(value any, keys ...string) entry {
	return set(value, append(slices.Clone(listTable), keys...)...)
}

// smallPage is the size of the pages that are compared.
const smallPage = 2

// checkPages compares pages of the list of processes with its beginning: their size, and how the next one is asked for.
func (x *Examination) checkPages(ctx context.Context) []finding.Finding {
	if len(x.processes) <= smallPage {
		return finding.One(finding.NotTried, "bank.few")
	}
	page := x.profile.Operations[string(portal.ProcessList)].Page
	entries, problem := x.findSize(ctx, page.Size)
	if problem == "" {
		var more []entry
		more, problem = x.findNext(ctx, entries)
		entries = append(entries, more...)
	}
	if problem != "" {
		f := x.found(finding.Warn, problem)
		if len(entries) > 0 {
			return []finding.Finding{x.differs("", entries), f}
		}
		return []finding.Finding{f}
	}
	if len(entries) > 0 {
		return []finding.Finding{x.differs("", entries)}
	}
	f := x.found(finding.OK, "bank.pages.confirmed")
	f.Entries = confirmed(finding.OK, "operations.processList.page", "operations.processList.query.lineCount", "operations.processList.query.nextRecord")
	return []finding.Finding{f}
}

// findSize returns entries for the size of a page: its largest value, and its name.
func (x *Examination) findSize(ctx context.Context, largest int) (entries []entry, problem string) {
	sized := func(p *profile.Profile, size int) portal.Probe {
		return x.try(ctx, p, portal.ProcessList, map[string]string{"lineCount": strconv.Itoa(size)})
	}
	accepted := 0
	for size := largest; size > 0 && accepted == 0; size /= 2 {
		if sized(x.profile, size).Err == nil {
			accepted = size
		}
	}
	if accepted > 0 && accepted < largest {
		entries = append(entries, listEntry(accepted, "page", "size"))
	}
	if accepted > 0 && x.pageIs(sized(x.profile, smallPage), 0) {
		return entries, ""
	}
	for _, name := range x.queryNames("lineCount") {
		named := []entry{listEntry(name, "query", "lineCount")}
		p, err := x.over(named)
		if err != nil || !x.pageIs(sized(p, smallPage), 0) {
			continue
		}
		entries = named
		for size := largest; size > 0; size /= 2 {
			if sized(p, size).Err != nil {
				continue
			}
			if size < largest {
				entries = append(entries, listEntry(size, "page", "size"))
			}
			break
		}
		return entries, ""
	}
	return nil, "bank.pages.no_size"
}

// queryNames returns other names for a parameter of the list of processes. Names of its other parameters are left out.
func (x *Examination) queryNames(parameter string) (names []string) {
	query := x.profile.Operations[string(portal.ProcessList)].Query
	for _, name := range x.profile.Candidates.Queries[parameter] {
		taken := false
		for _, other := range sortedKeys(query) {
			taken = taken || query[other] == name
		}
		if !taken {
			names = append(names, name)
		}
	}
	return names
}

// pageIs reports whether a page has as many processes as a small one, beginning with that of the first page at an index.
func (x *Examination) pageIs(probe portal.Probe, from int) bool {
	got := x.listed(probe.Canonical)
	if probe.Err != nil || from >= len(x.processes) || len(got) != min(smallPage, len(x.processes)-from) {
		return false
	}
	for i, process := range got {
		if process.id != x.processes[from+i].id {
			return false
		}
	}
	return true
}

// nextPage is a way to ask for the second page.
type nextPage struct {
	entries   []entry
	parameter string
	value     string
}

// findNext returns entries for how the second page is asked for.
func (x *Examination) findNext(ctx context.Context, so []entry) (entries []entry, problem string) {
	for _, way := range x.waysToNext() {
		p, err := x.over(slices.Concat(so, way.entries))
		if err != nil {
			continue
		}
		probe := x.try(ctx, p, portal.ProcessList, map[string]string{"lineCount": strconv.Itoa(smallPage), way.parameter: way.value})
		if probe.Err == errSpent {
			break
		}
		if x.pageIs(probe, smallPage) {
			return way.entries, ""
		}
	}
	return nil, "bank.pages.no_next"
}

// waysToNext returns how the second page may be asked for: as the profile has it, then by other cursors, by the number of the
// page, and by the number of processes to skip.
func (x *Examination) waysToNext() (ways []nextPage) {
	operation := x.profile.Operations[string(portal.ProcessList)]
	page, last := operation.Page, x.processes[smallPage-1]
	cursors := map[string]string{
		"processUniqueID": x.written("process", last.id), "processNumber": text(last.fields, "processNumber"),
	}
	switch page.Style {
	case profile.ByCursor:
		ways = append(ways, nextPage{nil, "nextRecord", cursors[page.Key]})
	case profile.ByNumber:
		ways = append(ways, nextPage{nil, "pageNumber", strconv.Itoa(page.First + 1)})
	case profile.ByOffset:
		ways = append(ways, nextPage{nil, "offset", strconv.Itoa(smallPage)})
	}
	style := func(style profile.PageStyle) []entry {
		if page.Style == style {
			return nil
		}
		return []entry{listEntry(string(style), "page", "style")}
	}
	named := func(parameter, name string) []entry {
		if operation.Query[parameter] == name {
			return nil
		}
		return []entry{listEntry(name, "query", parameter)}
	}
	for _, key := range []string{page.Key, "processUniqueID", "processNumber"} {
		if cursors[key] == "" {
			continue
		}
		byKey := style(profile.ByCursor)
		if key != page.Key {
			byKey = append(byKey, listEntry(key, "page", "key"))
		}
		forward, back := operation.Query["nextRecord"], operation.Query["previousRecord"]
		swapped := append(slices.Clone(byKey), listEntry(back, "query", "nextRecord"), listEntry(forward, "query", "previousRecord"))
		ways = append(ways, nextPage{byKey, "nextRecord", cursors[key]}, nextPage{swapped, "nextRecord", cursors[key]})
		for _, name := range x.queryNames("nextRecord") {
			ways = append(ways, nextPage{append(slices.Clone(byKey), named("nextRecord", name)...), "nextRecord", cursors[key]})
		}
	}
	for _, name := range x.profile.Candidates.Queries["pageNumber"] {
		for _, first := range []int{1, 0} {
			entries := append(style(profile.ByNumber), named("pageNumber", name)...)
			if first != page.First {
				entries = append(entries, listEntry(first, "page", "first"))
			}
			ways = append(ways, nextPage{entries, "pageNumber", strconv.Itoa(first + 1)})
		}
	}
	for _, name := range x.profile.Candidates.Queries["offset"] {
		ways = append(ways, nextPage{append(style(profile.ByOffset), named("offset", name)...), "offset", strconv.Itoa(smallPage)})
	}
	return ways
}
