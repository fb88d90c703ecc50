package portal

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"

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
	// Children are the items that belong to it, of a list that has them inside: the counties of a district.
	Children []TaxonomyItem `json:"children,omitzero"`
}

var (
	//go:embed words
	files embed.FS
	texts = words.Tree(files, "words") // a folder for each part of the bank
)

// maxTaxonomyPages is the most pages that are read of a taxonomy.
const maxTaxonomyPages = 100

// Taxonomies returns every key that [User.Taxonomy] takes, sorted.
func Taxonomies() []TaxonomyKey { return slices.Clone(taxonomies()) }

var taxonomies = sync.OnceValue(func() (keys []TaxonomyKey) {
	for key := range maps.Keys(profile.Builtin().Taxonomies.Lists) {
		keys = append(keys, TaxonomyKey(key))
	}
	slices.Sort(keys)
	return keys
})

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
		more := reply.HasMoreResults != nil && *reply.HasMoreResults
		if !more && (reply.TotalCount == nil || len(all) >= *reply.TotalCount) {
			return all, nil
		}
		if after = pages.next(after, len(reply.List.all), reply.HasMoreResults, reply.TotalCount, ""); after == "" {
			return all, nil
		}
	}
	return nil, &Error{Kind: Garbled, Operation: row.ID, Reason: "too many pages"}
}

// LocalTaxonomy returns the values of a taxonomy for which the bank is not asked; local is false if it is.
func (u *User) LocalTaxonomy(key TaxonomyKey) (items []TaxonomyItem, local bool) {
	row, known := u.client.rows[key.Operation()]
	items = localItems(u.client.config.Profile, key, u.language)
	return items, items != nil || known && row.Path == ""
}

// TaxonomyVersion returns a text that is another for another bank, and for a profile that reads its taxonomies in another way.
func (u *User) TaxonomyVersion() string { return u.client.taxonomyVersion() }

// taxonomyVersion returns a hash of all that decides what a taxonomy is read as.
func (c *Client) taxonomyVersion() string {
	p := c.config.Profile
	data, err := json.Marshal([]any{c.config.BaseURL, p.Prefix, p.Taxonomies, p.Replies, p.Forms, p.Headers})
	if err != nil {
		panic(fmt.Sprintf("portal: a profile that is no JSON: %v", err)) // it was read from a file
	}
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:8])
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
	TotalCount     *int               `json:"totalCount"`
	HasMoreResults *bool              `json:"hasMoreResults"`
	List           list[TaxonomyItem] `json:"list"`
}

// UnmarshalJSON refuses an item without an id or a description.
func (t *TaxonomyItem) UnmarshalJSON(data []byte) error {
	var item struct {
		ID          *int32  `json:"id"`
		Description *string `json:"description"`
		ParentID    int32   `json:"parentID"`
		Children    []TaxonomyItem
	}
	if json.Unmarshal(data, &item) != nil || item.ID == nil || item.Description == nil {
		return lacking("the reply has no id and description in an item")
	}
	for i := range item.Children {
		item.Children[i].ParentID = *item.ID
	}
	*t = TaxonomyItem{*item.ID, *item.Description, item.ParentID, item.Children}
	return nil
}
