package tools

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// The limits of a search. Each process that the bank's filter does not find is read as the person who searches.
const (
	maxVerified    = 40 // processes that one search reads
	verifiedAtOnce = 8
	listFresh      = 30 * time.Minute // how long the index is as complete as a reading of the list made it
	listStale      = 24 * time.Hour   // after which a search requests another reading
)

// FoundProcesses is the result of a search, newest first.
type FoundProcesses struct {
	Processes []portal.ProcessSummary
	Total     int  // as far as it is known
	Partial   bool // there may be others
}

// FindProcesses searches the broker's processes for a number or a part of it, a borrower's name or a branch, as the bank's
// filter and the index understand it; a tax number is only looked for by the bank. It returns at most limit processes. Where
// nothing is found and the list has not been read, it waits for that if wait is set, and returns an error that says so.
func (c *Call) FindProcesses(ctx context.Context, text pii.Name, limit int, wait bool) (found FoundProcesses, err error) {
	query := strings.TrimSpace(text.Reveal())
	trusted := true
	if query != "" {
		if trusted, err = c.index.filterWorks(ctx, c.Bank); err != nil {
			return found, err
		}
	}
	if trusted {
		page, err := c.Bank.ListProcesses(ctx, portal.ProcessQuery{Text: text, Limit: limit})
		if err != nil {
			return found, err
		}
		c.Note(ctx, page.Processes...)
		found.Processes, found.Total = page.Processes, page.TotalRecords
	}
	if query == "" {
		return found, nil
	}
	if err := c.addIndexed(ctx, &found, query, limit); err != nil {
		return found, err
	}
	status, err := c.index.status(ctx)
	if err != nil {
		return found, StoreError(err)
	}
	if status.done == 0 || status.age > listStale {
		if _, err := c.index.asked(ctx, c.Bank, ""); err != nil {
			return found, StoreError(err)
		}
		found.Partial = found.Partial || !trusted
	}
	taxNumber := isTaxNumber(query)
	found.Partial = found.Partial || !trusted && strings.ContainsFunc(query, unicode.IsLetter) // not every borrower was read
	if taxNumber && !trusted && len(found.Processes) == 0 {                                    // only the bank knows tax numbers
		return found, &Error{Kind: Unavailable, list: listUnfiltered, err: errors.New("the bank ignores the filter of its list")}
	}
	strict := !trusted || !taxNumber && strings.ContainsFunc(query, unicode.IsDigit)
	if len(found.Processes) > 0 || !strict && status.done > 0 && status.age <= listFresh {
		return found, nil
	}
	longest := time.Duration(0)
	if wait {
		longest = c.runner.List.Wait
	}
	err = c.index.await(ctx, c.Bank, "search "+searchable(query), longest, func() (bool, error) {
		err := c.addIndexed(ctx, &found, query, limit)
		return len(found.Processes) > 0, err
	})
	if failure := AsError(err); err != nil && failure.Kind == NotFound {
		return found, nil
	}
	return found, err
}

// isTaxNumber reports whether a text is as long as a tax number, and nothing else.
func isTaxNumber(text string) bool {
	digits := strings.Join(strings.Fields(text), "")
	return len(digits) == 9 && !strings.ContainsFunc(digits, func(c rune) bool { return c < '0' || c > '9' })
}

// addIndexed adds the processes that the index finds and the person may see.
func (c *Call) addIndexed(ctx context.Context, found *FoundProcesses, query string, limit int) error {
	if err := c.index.sync(ctx); err != nil {
		return StoreError(err)
	}
	there := map[uuid.UUID]bool{}
	for _, process := range found.Processes {
		there[process.ProcessUniqueID] = true
	}
	candidates := slices.DeleteFunc(c.index.match(query), func(p indexedProcess) bool { return there[p.ID] || c.isHidden(p.ID) })
	slices.SortFunc(candidates, func(a, b indexedProcess) int { return newest(a.summary(), b.summary()) })
	checked, added := 0, 0
	for len(candidates) > 0 && checked < maxVerified {
		fits := slices.DeleteFunc(slices.Clone(candidates[:min(len(candidates), limit)]), func(p indexedProcess) bool {
			return found.before(p) >= limit
		})
		fits = fits[:min(len(fits), maxVerified-checked)]
		if len(fits) == 0 {
			break
		}
		seen, err := c.verify(ctx, fits)
		if err != nil {
			return err
		}
		checked, added = checked+len(fits), added+len(seen)
		candidates = candidates[len(fits):]
		if len(seen) > 0 {
			found.Processes = append(found.Processes, seen...)
			slices.SortStableFunc(found.Processes, newest)
		}
	}
	found.Total += added
	found.Processes = found.Processes[:min(len(found.Processes), limit)]
	found.Partial = found.Partial || len(candidates) > 0 && found.Total <= len(found.Processes)
	return nil
}

// before returns how many of the processes are newer than another.
func (f *FoundProcesses) before(p indexedProcess) (count int) {
	for _, process := range f.Processes {
		if newest(process, p.summary()) < 0 {
			count++
		}
	}
	return count
}

// newest orders processes by their number, the highest first: the bank gives later processes higher ones, as its list shows,
// and may give no dates.
func newest(a, b portal.ProcessSummary) int { return cmp.Compare(b.ProcessNumber, a.ProcessNumber) }

func (p indexedProcess) summary() portal.ProcessSummary {
	return portal.ProcessSummary{
		ProcessUniqueID: p.ID, ProcessNumber: p.Number, KeyBorrowerName: p.Name,
		BranchID: p.BranchID, BranchDescription: p.Branch,
	}
}

// verify reads processes as the person, and returns those that the bank shows.
func (c *Call) verify(ctx context.Context, candidates []indexedProcess) ([]portal.ProcessSummary, error) {
	read := make([]*portal.ProcessSummary, len(candidates))
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(verifiedAtOnce)
	for i, candidate := range candidates {
		group.Go(func() error {
			process, err := c.Bank.Process(within, candidate.ID)
			if kind := portal.KindOf(err); kind == portal.Refused || kind == portal.NotFound {
				c.hide(candidate.ID)
				return nil
			}
			if err != nil {
				return err
			}
			row := process.ProcessSummary
			row.KeyBorrowerName = cmp.Or(row.KeyBorrowerName, candidate.Name)
			read[i] = &row
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var shown []portal.ProcessSummary
	for _, row := range read {
		if row != nil {
			shown = append(shown, *row)
		}
	}
	c.Note(ctx, shown...)
	return shown, nil
}

// hide stores, for the rest of the call, that the bank does not show a process to the person.
func (c *Call) hide(process uuid.UUID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hidden == nil {
		c.hidden = map[uuid.UUID]bool{}
	}
	c.hidden[process] = true
}

func (c *Call) isHidden(process uuid.UUID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hidden[process]
}

// maxBranchReads is how many processes of a branch are read to find one that the person may see.
const maxBranchReads = 3

// FindBranches returns the branches of the broker's processes whose name contains a text, the best match first; see
// [MatchItems]. Where there are none and the list has not been read, it waits, and returns an error that says so.
func (c *Call) FindBranches(ctx context.Context, name string) (found []portal.TaxonomyItem, err error) {
	page, err := c.Bank.ListProcesses(ctx, portal.ProcessQuery{Text: pii.New[pii.Name](strings.TrimSpace(name)), Limit: MaxOptions})
	if err != nil {
		return nil, err
	}
	c.Note(ctx, page.Processes...)
	for _, process := range page.Processes { // of a bank that ignores the filter, the others do not match either
		found = append(found, branchesOf(process.BranchID, process.BranchDescription)...)
	}
	found = MatchItems(distinct(found), name)
	find := func() (bool, error) {
		err := c.addBranches(ctx, &found, name)
		return len(found) > 0, err
	}
	if there, err := find(); there || err != nil {
		return found, err
	}
	err = c.index.await(ctx, c.Bank, "branch "+searchable(name), c.runner.List.Wait, find)
	if failure := AsError(err); err != nil && failure.Kind == NotFound {
		return nil, nil
	}
	return found, err
}

// addBranches adds the branches that the index has, of which the person may see a process.
func (c *Call) addBranches(ctx context.Context, found *[]portal.TaxonomyItem, name string) error {
	if err := c.index.sync(ctx); err != nil {
		return StoreError(err)
	}
	branches, candidates := map[int32]portal.TaxonomyItem{}, map[int32][]indexedProcess{}
	for _, process := range c.index.match(name) {
		for _, branch := range branchesOf(process.BranchID, process.Branch) {
			if len(MatchItems([]portal.TaxonomyItem{branch}, name)) > 0 && !c.isHidden(process.ID) {
				branches[branch.ID], candidates[branch.ID] = branch, append(candidates[branch.ID], process)
			}
		}
	}
	for id, processes := range candidates {
		branch := branches[id]
		if slices.ContainsFunc(*found, func(other portal.TaxonomyItem) bool { return other.ID == branch.ID }) {
			continue
		}
		seen, err := c.verify(ctx, processes[:min(len(processes), maxBranchReads)])
		if err != nil {
			return err
		}
		if len(seen) > 0 {
			*found = append(*found, branch)
		}
	}
	*found = MatchItems(*found, name)
	return nil
}

func branchesOf(id int32, name string) []portal.TaxonomyItem {
	if id == 0 {
		return nil
	}
	return []portal.TaxonomyItem{{ID: id, Description: name}}
}

func distinct(items []portal.TaxonomyItem) (all []portal.TaxonomyItem) {
	for _, item := range items {
		same := func(other portal.TaxonomyItem) bool {
			return other.ID == item.ID && other.Description == item.Description
		}
		if !slices.ContainsFunc(all, same) {
			all = append(all, item)
		}
	}
	return all
}
