package tools

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// ProcessFilter is what the processes of a search have in common. An empty field admits every process.
type ProcessFilter struct {
	Text     pii.Name     `json:"text,omitzero"`     // as [Call.FindProcesses] takes it
	Borrower pii.Name     `json:"borrower,omitzero"` // part of the name of any borrower
	Branch   string       `json:"branch,omitzero"`   // part of its name
	State    int32        `json:"state,omitzero"`    // taxonomy workflowStatesProposal
	Phase    int32        `json:"phase,omitzero"`    // taxonomy workflowPhases
	Turn     profile.Turn `json:"turn,omitzero"`     // who acts next
}

// The limits of one page of a search.
const (
	maxSearched  = 100       // processes that a search by text looks at
	maxPagesRead = 10        // of the bank's list
	searchLife   = time.Hour // of a cursor
)

// searchState is where a page of a search ends. It is stored, since a filter may name a client, and the cursor is its key.
type searchState struct {
	Filter ProcessFilter `json:"filter"`
	After  string        `json:"after,omitempty"` // the bank's cursor of the page of its list that was read last
	Last   uuid.UUID     `json:"last,omitzero"`   // the last process shown
	Number int64         `json:"number,omitempty"`
}

// SearchProcesses returns the newest processes that a filter admits, at most limit, and the cursor of the next page. With a
// cursor the search continues where that page ended, with its filter. Cursors live for an hour and are for one actor; an
// unknown one is an error of the kind Invalid.
//
// A search without a text reads the bank's list, at most 1,000 processes for one page: there may be more even if nothing is
// found. It says so by Partial and Next.
func (c *Call) SearchProcesses(ctx context.Context, filter ProcessFilter, cursor string, limit int) (found FoundProcesses, next string, err error) {
	at := searchState{Filter: filter}
	if cursor != "" {
		if err = c.readSearch(ctx, cursor, &at); err != nil {
			return found, "", err
		}
	}
	if at.Filter.Text.IsZero() && at.Filter.Borrower.IsZero() {
		found, err = c.searchList(ctx, &at, limit)
	} else {
		found, err = c.searchText(ctx, &at, limit)
	}
	if err != nil || at.Last == uuid.Nil && at.After == "" {
		return found, "", err
	}
	next, err = c.storeSearch(ctx, at)
	return found, next, err
}

func (c *Call) searchKey(cursor string) string { return c.Actor.ID + " " + c.tool.Name + " " + cursor }

// readSearch reads where the search of a cursor ended.
func (c *Call) readSearch(ctx context.Context, cursor string, at any) error {
	data, ok, err := c.index.store().Get(ctx, "search", c.searchKey(cursor))
	switch {
	case err != nil:
		return StoreError(err)
	case !ok || json.Unmarshal(data, at) != nil:
		return c.Invalid("cursor", "cursor.unknown")
	}
	return nil
}

// storeSearch stores where a search of the call's tool ends and returns its cursor.
func (c *Call) storeSearch(ctx context.Context, at any) (cursor string, err error) {
	data, err := pii.MarshalClear(at)
	if err != nil {
		return "", err
	}
	cursor = rand.Text()
	return cursor, StoreError(c.index.store().Put(ctx, "search", c.searchKey(cursor), data, searchLife))
}

// searchText finds processes by a text or a borrower's name, and advances at to the end of the page, the zero value if that
// is the last.
func (c *Call) searchText(ctx context.Context, at *searchState, limit int) (FoundProcesses, error) {
	filter, after := at.Filter, at.Number
	text := filter.Borrower
	if text.IsZero() {
		text = filter.Text
	}
	found, err := c.FindProcesses(ctx, text, maxSearched, true)
	if err != nil {
		return found, err
	}
	counted := found.Total > len(found.Processes) // the bank has more than were looked at
	found.Processes = slices.DeleteFunc(found.Processes, func(p portal.ProcessSummary) bool { return !c.admits(ctx, filter, p) })
	if !counted {
		found.Total = len(found.Processes)
	}
	found.Partial = found.Partial || counted
	*at = searchState{Filter: filter}
	if after > 0 {
		found.Processes = slices.DeleteFunc(found.Processes, func(p portal.ProcessSummary) bool { return p.ProcessNumber >= after })
	}
	if len(found.Processes) > limit {
		found.Processes = found.Processes[:limit]
		last := found.Processes[limit-1]
		at.Last, at.Number = last.ProcessUniqueID, last.ProcessNumber
	}
	return found, nil
}

// searchList reads the bank's list after at, and advances at as [Call.searchText] does.
func (c *Call) searchList(ctx context.Context, at *searchState, limit int) (found FoundProcesses, err error) {
	filter, whole := at.Filter, at.Filter == ProcessFilter{}
	query := portal.ProcessQuery{Limit: listLines, After: at.After}
	if whole {
		query.Limit = limit
	}
	if filter.State != 0 {
		query.StatusID = &filter.State
	}
	last := at.Last
	for range maxPagesRead {
		page, err := c.Bank.ListProcesses(ctx, query)
		if query.StatusID != nil && portal.KindOf(err) == portal.Refused { // that the bank filters by a state is a guess
			query.StatusID = nil
			page, err = c.Bank.ListProcesses(ctx, query)
		}
		if err != nil {
			return found, err
		}
		c.Note(ctx, page.Processes...)
		rows := page.Processes
		if i := slices.IndexFunc(rows, func(p portal.ProcessSummary) bool { return p.ProcessUniqueID == last }); i >= 0 {
			rows = rows[i+1:]
		}
		for _, row := range rows {
			if !whole && !c.admits(ctx, filter, row) {
				continue
			}
			if len(found.Processes) == limit {
				end := found.Processes[limit-1]
				*at = searchState{Filter: filter, After: query.After, Last: end.ProcessUniqueID, Number: end.ProcessNumber}
				if whole {
					found.Total = page.TotalRecords
				}
				return found, nil
			}
			found.Processes = append(found.Processes, row)
		}
		if page.Next == "" {
			found.Total = len(found.Processes)
		}
		if whole {
			found.Total = page.TotalRecords
		}
		if page.Next == "" || whole && len(found.Processes) == limit {
			*at = searchState{Filter: filter, After: page.Next}
			return found, nil
		}
		query.After, last = page.Next, uuid.Nil
	}
	*at = searchState{Filter: filter, After: query.After}
	found.Partial = true
	return found, nil
}

// admits reports whether a filter admits a process of which the bank's list has a row.
func (c *Call) admits(ctx context.Context, filter ProcessFilter, row portal.ProcessSummary) bool {
	process := found(row)
	contains := func(text, part string) bool { return strings.Contains(searchable(text), searchable(part)) }
	switch {
	case filter.State != 0 && row.ProcessStatusID != filter.State,
		filter.Branch != "" && !contains(row.BranchDescription, filter.Branch),
		filter.Turn != profile.Nobody && c.State(ctx, process).Turn != filter.Turn,
		filter.Phase != 0 && c.PhaseID(ctx, process) != filter.Phase:
		return false
	case filter.Borrower.IsZero():
		return true
	}
	// The bank's filter also finds branches, and a process by a tax number; the names of all borrowers may not be known.
	names := strings.Fields(searchable(filter.Borrower.Reveal()))
	text := strings.Fields(searchable(filter.Text.Reveal()))
	if byBranch := contains(row.BranchDescription, filter.Borrower.Reveal()); byBranch && !c.index.hasName(row, names) {
		return false
	}
	return c.index.hasWords(row, text)
}
