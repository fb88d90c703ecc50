package portal

import (
	"net/url"
	"strconv"

	"github.com/balcao/balcao/portal/profile"
)

// pageParameters are the parameters that the client adds to a query by itself.
var pageParameters = []string{"lineCount", "pageSize", "limit", "nextRecord", "pageNumber", "offset"}

// pages reads a list page by page, as the profile says that the bank has it.
type pages struct {
	profile.Page
	limit int // the most items of a page; 0 is the bank's default
}

// newPages returns how to read a list with at most limit items a page.
func newPages(page profile.Page, limit int) pages {
	if page.Size > 0 && limit > page.Size {
		limit = page.Size
	}
	return pages{page, limit}
}

// query adds the parameters of a page: the one after a cursor, or the first for "". Which of them are sent, and under which
// name, is in the profile.
func (p pages) query(query url.Values, after string) {
	if p.limit > 0 {
		for _, name := range []string{"lineCount", "pageSize", "limit"} {
			query.Set(name, strconv.Itoa(p.limit))
		}
	}
	switch {
	case p.Style == profile.ByCursor && after != "":
		query.Set("nextRecord", after)
	case p.Style == profile.ByNumber && (after != "" || p.Size > 0):
		query.Set("pageNumber", orFirst(after, p.First))
	case p.Style == profile.ByOffset:
		query.Set("offset", orFirst(after, 0))
	}
}

func orFirst(after string, first int) string {
	if after == "" {
		return strconv.Itoa(first)
	}
	return after
}

// pageReply is the reply with a page of a list of which the bank says how many items it has, and whether there are more.
type pageReply[T any] struct {
	TotalRecords   *int    `json:"totalRecords"`
	HasMoreResults *bool   `json:"hasMoreResults"`
	List           list[T] `json:"list"`
}

// end returns how many items the list has, 0 if the bank does not say, and the cursor of the page that follows the one after
// a cursor. of returns the cursor of an item.
func (r pageReply[T]) end(p pages, after string, of func(T) string) (total int, next string) {
	if r.TotalRecords != nil {
		total = *r.TotalRecords
	}
	if count := len(r.List.all); count > 0 {
		next = p.next(after, count, r.HasMoreResults, r.TotalRecords, of(r.List.all[count-1]))
	}
	return total, next
}

// next returns the cursor of the page that follows one with count items, "" if there is none. The bank says whether there
// are more, or how many there are in total, or nothing: then there are more if the page is full. Last is the cursor of the
// page's last item.
func (p pages) next(after string, count int, more *bool, total *int, last string) string {
	if count == 0 || p.Style == profile.Whole || more != nil && !*more {
		return ""
	}
	at, _ := strconv.Atoi(orFirst(after, p.First))
	read := count
	switch p.Style {
	case profile.ByNumber:
		read += (at - p.First) * max(p.limit, count)
	case profile.ByOffset:
		at, _ = strconv.Atoi(orFirst(after, 0))
		read += at
	}
	if more == nil && p.ended(count, read, total) {
		return ""
	}
	switch p.Style {
	case profile.ByCursor:
		return last
	case profile.ByNumber:
		return strconv.Itoa(at + 1)
	default:
		return strconv.Itoa(read)
	}
}

// ended reports whether a list whose bank does not say it has no more pages: all that it counts were read, or the page is not
// full. The number that was read up to a cursor is not known.
func (p pages) ended(count, read int, total *int) bool {
	if total != nil && p.Style != profile.ByCursor {
		return read >= *total
	}
	return p.limit == 0 || count < p.limit
}
