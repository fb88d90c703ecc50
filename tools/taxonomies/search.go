package taxonomies

import (
	"context"
	"strconv"
	"strings"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// maxItems is the most items of a result.
const maxItems = 100

// Search looks up the ids that the bank uses for choices.
var Search = tools.Define(Toolset, tools.Spec{
	Name: "search_taxonomy", Effect: tools.Reads, Core: true,
	Resource: "balcao://lists/{taxonomy}",
	Example:  `{"taxonomy":"maritalStatuses","text":"casado"}`,
}, func(ctx context.Context, call *tools.Call, in TaxonomySearch) (TaxonomyItems, error) {
	key, parent := tools.SplitList(in.Taxonomy)
	if in.Parent != "" {
		parent = in.Parent
	}
	list, matching, err := call.FindItems(ctx, key, in.Text)
	if err != nil {
		return TaxonomyItems{}, err
	}
	if flat := list.Flat(); len(flat.Items) != len(list.Items) {
		matching = flat.Match(in.Text)
	}
	found := TaxonomyItems{Taxonomy: key, Items: []Item{}, origin: list.Origin}
	var within map[int32]bool
	if parent != "" {
		if within, err = parents(ctx, call, key, parent); err != nil {
			return TaxonomyItems{}, err
		}
	}
	for _, item := range matching {
		if within != nil && !within[item.ParentID] {
			continue
		}
		if len(found.Items) == maxItems {
			found.More++
			continue
		}
		found.Items = append(found.Items, Item{item.ID, item.Description, item.ParentID, call.ParentName(ctx, key, item)})
	}
	return found, nil
})

// parents returns the ids of the items that a text names in the list of what a list's items belong to.
func parents(ctx context.Context, call *tools.Call, key portal.TaxonomyKey, text string) (map[int32]bool, error) {
	above := tools.ParentList(key)
	if above == "" {
		return nil, call.Invalid("parent", "search.no_parents")
	}
	list, err := call.List(ctx, above)
	if err != nil {
		return nil, err
	}
	ids := map[int32]bool{}
	for _, item := range list.Named(text) {
		ids[item.ID] = true
	}
	if len(ids) == 0 {
		return nil, call.Invalid("parent", "search.parent_unknown", "list", tools.ListName(call.Actor.Lang, above))
	}
	return ids, nil
}

// TaxonomySearch is a search in a taxonomy.
type TaxonomySearch struct {
	Taxonomy portal.TaxonomyKey `json:"taxonomy" page:"search" validate:"required" pii:"open"` // perhaps with a parent, see [tools.SplitList]
	Text     string             `json:"text,omitempty" page:"search" validate:"omitempty,text=100" pii:"open"`
	Parent   string             `json:"parent,omitempty" page:"search" validate:"omitempty,text=100" pii:"open"` // the name or id of what the items belong to
}

// TaxonomyItems has the items found, at most maxItems.
type TaxonomyItems struct {
	Taxonomy portal.TaxonomyKey `json:"taxonomy" pii:"open"`
	Items    []Item             `json:"items"`
	More     int                `json:"more"` // found and not listed here
	origin   tools.Origin
}

// Item is a value of a taxonomy.
type Item struct {
	ID          int32  `json:"id"`
	Description string `json:"description" pii:"open"`
	ParentID    int32  `json:"parentID,omitzero"`
	Parent      string `json:"parent,omitzero" pii:"open"` // what the item belongs to, such as the district of a county
}

// Card implements [tools.Carder].
func (t TaxonomyItems) Card(say tools.Say) tools.Card {
	card := tools.Card{Title: say("list." + string(t.Taxonomy))}
	var texts []string
	switch {
	case len(t.Items) == 0:
		texts = append(texts, say("card.none"))
	case t.More > 0:
		texts = append(texts, say("card.more", "count", t.More))
	}
	if t.origin != tools.FromBank {
		texts = append(texts, say("card.from_"+string(t.origin)))
	}
	if card.Text = strings.Join(texts, " "); len(t.Items) == 0 {
		return card
	}
	inside := false
	for _, item := range t.Items {
		inside = inside || item.Parent != ""
	}
	card.Table.Columns = []string{say("label.code"), say("label.description")}
	if inside {
		card.Table.Columns = append(card.Table.Columns, say("label.parent"))
	}
	for _, item := range t.Items {
		row := []string{strconv.Itoa(int(item.ID)), item.Description}
		if inside {
			row = append(row, item.Parent)
		}
		card.Table.Rows = append(card.Table.Rows, row)
	}
	return card
}
