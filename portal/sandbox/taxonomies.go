package sandbox

import (
	_ "embed"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// text is a description in both languages.
type text struct {
	Portuguese string `toml:"pt"`
	English    string `toml:"en"`
}

func (t text) in(lang words.Lang) string {
	if lang == words.English {
		return t.English
	}
	return t.Portuguese
}

// item is a value of a taxonomy in taxonomies.toml.
type item struct {
	text
	Code        string // official, of a country, district, county or parish
	In          int32  // id of its parent
	Nationality text
}

//go:embed taxonomies.toml
var taxonomyFile string

// taxonomies are the values by the taxonomy's key and their id. The nested ones («Country With Districts») are built from two
// of them, and «branches» has no operation.
var taxonomies = sync.OnceValue(func() map[portal.TaxonomyKey]map[int32]item {
	var file map[portal.TaxonomyKey]map[string]struct {
		PT, EN, Code string
		In           int32
		Nationality  text
	}
	if _, err := toml.Decode(taxonomyFile, &file); err != nil {
		panic(fmt.Sprintf("sandbox: taxonomies.toml: %v", err))
	}
	all := map[portal.TaxonomyKey]map[int32]item{}
	for key, items := range file {
		all[key] = map[int32]item{}
		for id, it := range items {
			number, err := strconv.ParseInt(id, 10, 32)
			if err != nil {
				panic(fmt.Sprintf("sandbox: taxonomies.toml: %s has an id that is no number", key))
			}
			all[key][int32(number)] = item{text{it.PT, it.EN}, it.Code, it.In, it.Nationality}
		}
	}
	return all
})

// dialect is a language with the bank's lists in it.
type dialect struct {
	words.Lang
	lists map[portal.TaxonomyKey]map[int32]item
}

// listsOf returns the lists of a bank with a profile: the values that it has for a list replace ours.
func listsOf(p *profile.Profile) map[portal.TaxonomyKey]map[int32]item {
	all := maps.Clone(taxonomies())
	for key, list := range p.Taxonomies.Lists {
		given := profile.Builtin().Taxonomies.Lists[key].Items
		if len(list.Items) == 0 || slices.Equal(list.Items, given) {
			continue
		}
		replaced := map[int32]item{}
		for _, it := range list.Items {
			replaced[it.ID] = item{text: text{it.Portuguese, it.English}, In: taxonomies()[portal.TaxonomyKey(key)][it.ID].In}
		}
		all[portal.TaxonomyKey(key)] = replaced
	}
	return all
}

// nested are the taxonomies of parents with their children.
var nested = map[portal.TaxonomyKey]struct{ parents, children portal.TaxonomyKey }{
	"countryWithDistricts":  {"countries", "districts"},
	"districtsWithCounties": {"districts", "counties"},
	"countyWithParishes":    {"counties", "parishes"},
}

// taxonomyItem is an item of the reply. The bank's form is not public.
type taxonomyItem struct {
	ID          int32          `json:"id"`
	Description string         `json:"description"`
	Code        string         `json:"code,omitzero"`
	ParentID    int32          `json:"parentID,omitzero"`
	Children    []taxonomyItem `json:"children,omitzero"`
}

type taxonomyPage struct {
	TotalCount int            `json:"totalCount"`
	Count      int            `json:"count"`
	List       []taxonomyItem `json:"list"`
}

// taxonomy returns the handler for one taxonomy. All accept pageNumber and pageSize; only the notification types are known to
// be paginated.
func taxonomy(key portal.TaxonomyKey) handler {
	return func(_ *Bank, c *call) (any, error) {
		list := items(key, c.lang)
		query, err := readQuery(c, "pageNumber", "pageSize")
		if err != nil {
			return nil, err
		}
		number, size := query.count("pageNumber", 1), query.count("pageSize", len(list))
		if query.wrong != nil {
			return nil, query.wrong
		}
		start := min((number-1)*size, len(list))
		page := list[start:min(start+size, len(list))]
		return taxonomyPage{len(list), len(page), page}, nil
	}
}

// items returns the items of a taxonomy, sorted by id.
func items(key portal.TaxonomyKey, lang dialect) []taxonomyItem {
	if nest, ok := nested[key]; ok {
		parents := items(nest.parents, lang)
		for i, parent := range parents {
			parents[i].Children = slices.DeleteFunc(items(nest.children, lang), func(child taxonomyItem) bool {
				return child.ParentID != parent.ID
			})
		}
		return parents
	}
	list := make([]taxonomyItem, 0, len(lang.lists[key]))
	for _, id := range slices.Sorted(maps.Keys(lang.lists[key])) {
		it := lang.lists[key][id]
		list = append(list, taxonomyItem{ID: id, Description: it.in(lang.Lang), Code: it.Code, ParentID: it.In})
	}
	return list
}

// describe returns an item's description, "" if there is no such item or no id.
func describe(key portal.TaxonomyKey, id *int32, lang dialect) string {
	if id == nil {
		return ""
	}
	return lang.lists[key][*id].in(lang.Lang)
}

// nationality returns the nationality of a country: the bank shows 1 as «Portuguese».
func nationality(id *int32, lang dialect) string {
	if id == nil {
		return ""
	}
	return lang.lists["countries"][*id].Nationality.in(lang.Lang)
}

// query parses the parameters of a call. Wrong is the refusal if one is invalid.
type query struct {
	wire   *profile.Wire
	values map[string][]string
	wrong  error
}

// readQuery refuses parameters other than the named ones: ignoring a filter would give wrong results.
func readQuery(c *call, names ...string) (*query, error) {
	values := c.wire.Parameters(c.r.URL.Query())
	for name, given := range values {
		if unknown := strings.HasPrefix(name, "?"); unknown && c.wire.IgnoresUnknown() || strings.HasSuffix(strings.ToLower(name), "uniqueid") {
			continue // ids are read from the query where the profile has them there
		}
		if !slices.Contains(names, name) || len(given) != 1 {
			return nil, &refusal{http.StatusBadRequest, []problem{{key: "request.query"}}}
		}
	}
	return &query{wire: c.wire, values: values}, nil
}

func (q *query) text(name string) string {
	if given := q.values[name]; len(given) == 1 {
		return given[0]
	}
	return ""
}

// count returns a number from 1 to 1000, or fallback if there is none.
func (q *query) count(name string, fallback int) int { return q.between(name, 1, 1000, fallback) }

func (q *query) between(name string, least, most, fallback int) int {
	given := q.text(name)
	if given == "" {
		return fallback
	}
	n, err := strconv.Atoi(given)
	if err != nil || n < least || n > most {
		q.wrong = &refusal{http.StatusBadRequest, []problem{{"request.query", q.wire.QueryName(name)}}}
		return least
	}
	return n
}

func (q *query) refuse() { q.wrong = refused(http.StatusBadRequest, "request.query") }
