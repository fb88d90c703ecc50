package portal

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/profile"
)

// TaxonomyKey is the name of a taxonomy: its title in the bank's navigation, in camel case.
type TaxonomyKey string

// TaxonomyItem is a value of a taxonomy.
type TaxonomyItem struct {
	ID          int32  `json:"id"`
	Description string `json:"description"`
	ParentID    int32  `json:"parentID,omitzero"` // of the item that it belongs to, such as the district of a county; 0 if the bank does not say
}

var (
	//go:embed words
	files embed.FS
	texts = words.Tree(files, "words") // a folder for each part of the bank
)

// maxTaxonomyPages is the most pages that are read of a taxonomy.
const maxTaxonomyPages = 100

func init() {
	for _, key := range Taxonomies() {
		registerReads(key.Operation())
	}
}

// Taxonomies returns every key that [User.Taxonomy] takes, sorted.
func Taxonomies() []TaxonomyKey {
	var keys []TaxonomyKey
	for key := range maps.Keys(profile.Builtin().Taxonomies.Lists) {
		keys = append(keys, TaxonomyKey(key))
	}
	slices.Sort(keys)
	return keys
}

// Operation returns the id of the operation that reads the taxonomy.
func (k TaxonomyKey) Operation() OperationID { return OperationID(k + "Get") }

// LocalTaxonomy returns the values that the built-in profile has for a taxonomy, nil if it has none.
func LocalTaxonomy(k TaxonomyKey, language string) []TaxonomyItem {
	return localItems(profile.Builtin(), k, language)
}

// localItems returns the values that a profile has for a taxonomy.
func localItems(p *profile.Profile, k TaxonomyKey, language string) []TaxonomyItem {
	var items []TaxonomyItem
	for _, item := range p.Taxonomies.Lists[string(k)].Items {
		items = append(items, TaxonomyItem{ID: item.ID, Description: item.In(words.Match(language) == words.English)})
	}
	return items
}

// Taxonomy returns the values of a taxonomy, with descriptions in the user's language. Those that the profile has replace
// the bank's.
//
// Nothing but the titles of these operations is public, and that one of them has pages.
func (u *User) Taxonomy(ctx context.Context, key TaxonomyKey) ([]TaxonomyItem, error) {
	row, known := u.client.rows[key.Operation()]
	if !known || !strings.HasSuffix(string(row.ID), "Get") || !slices.Contains(Taxonomies(), key) {
		return nil, fmt.Errorf("taxonomy %q is unknown", key)
	}
	if items := localItems(u.client.config.Profile, key, u.language); items != nil || row.Path == "" {
		return items, nil
	}
	var all []TaxonomyItem
	pages, after := newPages(row.wire.Page, row.wire.Page.Size), ""
	for range maxTaxonomyPages {
		query := url.Values{}
		pages.query(query, after)
		var reply taxonomyReply
		if err := u.do(ctx, call{op: row.ID, query: query}, &reply); err != nil {
			return nil, err
		}
		all = append(all, reply.List.all...)
		if reply.TotalCount == nil || len(all) >= *reply.TotalCount {
			return all, nil
		}
		if after = pages.next(after, len(reply.List.all), nil, reply.TotalCount, ""); after == "" {
			return all, nil
		}
	}
	return nil, &Error{Kind: Garbled, Operation: row.ID, Reason: "too many pages"}
}

// OwnList reports whether [User.Taxonomy] returns Balcão's own list: values that the profile infers, or none where the bank has
// no operation for the taxonomy and the profile no values.
func (u *User) OwnList(key TaxonomyKey) bool {
	row, known := u.client.rows[key.Operation()]
	if len(u.client.config.Profile.Taxonomies.Lists[string(key)].Items) == 0 {
		return known && row.Path == ""
	}
	mark, _ := u.client.config.Profile.Mark("taxonomies.lists." + string(key) + ".items")
	return mark != profile.Given && mark != profile.Confirmed && mark != profile.Seen
}

type taxonomyReply struct {
	TotalCount *int               `json:"totalCount"`
	List       list[TaxonomyItem] `json:"list"`
}

// UnmarshalJSON refuses an item without an id or a description.
func (t *TaxonomyItem) UnmarshalJSON(data []byte) error {
	var item struct {
		ID          *int32  `json:"id"`
		Description *string `json:"description"`
		ParentID    int32   `json:"parentID"`
	}
	if json.Unmarshal(data, &item) != nil || item.ID == nil || item.Description == nil {
		return lacking("the reply has no id and description in an item")
	}
	*t = TaxonomyItem{*item.ID, *item.Description, item.ParentID}
	return nil
}
