package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// record is what the filters of lists look at, of a process or a simulation.
type record struct {
	id            uuid.UUID
	number        int64
	state, branch int32
	last          time.Time // of the last action
	names, taxIDs []string  // of the borrowers
}

func (p *process) record() record {
	r := record{id: p.id, number: p.number, state: p.state, branch: p.branch, last: p.last}
	for _, known := range p.borrowers {
		if personal := known.data.Personal; personal != nil {
			r.names, r.taxIDs = append(r.names, personal.Name.Reveal()), append(r.taxIDs, personal.TaxID.Reveal())
		}
	}
	return r
}

// filter is the filter and the page of Process List or Simulation List.
type filter struct {
	text           string
	state          int32 // 0 for any
	from, to       string
	next, previous uuid.UUID
	skip           int
	searches       []string
	lines          int
}

// readFilter reads the filter of a list. Status is the name of the parameter with an id of the taxonomy states.
func readFilter(c *call, status string, states portal.TaxonomyKey) (f filter, err error) {
	query, err := readQuery(c, "filterByText", status, "filterStatusLastDateFrom", "filterStatusLastDateTo",
		"lineCount", "nextRecord", "previousRecord", "pageNumber", "offset")
	if err != nil {
		return f, err
	}
	f = filter{
		searches: c.wire.Searches,
		text:     strings.ToLower(strings.TrimSpace(query.text("filterByText"))),
		state:    int32(query.count(status, 0)),
		from:     query.day("filterStatusLastDateFrom"),
		to:       query.day("filterStatusLastDateTo"),
		next:     query.id(c, "nextRecord"),
		previous: query.id(c, "previousRecord"),
		skip:     query.between("offset", 0, 1_000_000, 0),
		lines:    query.between("lineCount", 1, c.wire.Page.Size, min(defaultLines, c.wire.Page.Size)),
	}
	if first := c.wire.Page.First; c.wire.Page.Style == profile.ByNumber {
		f.skip = (query.between("pageNumber", first, 1_000_000, first) - first) * f.lines
	}
	if _, known := taxonomies()[states][f.state]; f.state != 0 && !known {
		query.refuse()
	}
	return f, query.wrong
}

// match reports whether a record matches. Text is searched in what the profile says: of a simulation the borrowers' names and
// tax numbers and the branch, of a process the number too (ours).
func (f filter) match(r record, lang dialect) bool {
	day := r.last.Format(time.DateOnly)
	if f.state != 0 && r.state != f.state || f.from != "" && day < f.from || f.to != "" && day > f.to {
		return false
	}
	var texts []string
	for _, what := range f.searches {
		switch what {
		case "number":
			texts = append(texts, strconv.FormatInt(r.number, 10))
		case "branch":
			texts = append(texts, describe("branches", &r.branch, lang))
		case "name":
			texts = append(texts, r.names...)
		case "taxID":
			texts = append(texts, r.taxIDs...)
		}
	}
	if f.text == "" {
		return true
	}
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(strings.ToLower(text), f.text) })
}

// window returns the page of a list, newest first: after the record next, or before the record previous.
func (f filter) window(list []uuid.UUID) (start, end int, err error) {
	switch {
	case f.skip > 0:
		start = min(f.skip, len(list))
	case f.next != uuid.Nil && f.previous != uuid.Nil:
		return 0, 0, refused(http.StatusBadRequest, "request.query")
	case f.next != uuid.Nil:
		start = slices.Index(list, f.next) + 1
		if start == 0 {
			return 0, 0, refused(http.StatusBadRequest, "request.query")
		}
	case f.previous != uuid.Nil:
		end = slices.Index(list, f.previous)
		if end < 0 {
			return 0, 0, refused(http.StatusBadRequest, "request.query")
		}
		return max(0, end-f.lines), end, nil
	}
	return start, min(start+f.lines, len(list)), nil
}
