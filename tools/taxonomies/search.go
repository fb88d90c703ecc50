package taxonomies

import (
	"context"
	"strconv"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Search looks up the ids that the bank uses for choices.
var Search = tools.Define(Toolset, tools.Spec{
	Name: "search_taxonomy", Effect: tools.Reads,
}, func(ctx context.Context, call *tools.Call, in TaxonomySearch) (TaxonomyItems, error) {
	items, err := call.Taxonomy(ctx, in.Taxonomy)
	if err != nil {
		return TaxonomyItems{}, err
	}
	found := tools.MatchItems(items, in.Text)
	shown := min(len(found), 100)
	return TaxonomyItems{Taxonomy: in.Taxonomy, Items: found[:shown], More: len(found) - shown}, nil
})

// TaxonomySearch is a search in a taxonomy.
type TaxonomySearch struct {
	Taxonomy portal.TaxonomyKey `json:"taxonomy" page:"search" validate:"required" pii:"open"`
	Text     string             `json:"text,omitempty" page:"search" validate:"omitempty,text=100" pii:"open"`
}

// TaxonomyItems has the items found, at most 100.
type TaxonomyItems struct {
	Taxonomy portal.TaxonomyKey    `json:"taxonomy" pii:"open"`
	Items    []portal.TaxonomyItem `json:"items"`
	More     int                   `json:"more"` // found and not listed here
}

// Card implements [tools.Carder].
func (t TaxonomyItems) Card(say tools.Say) tools.Card {
	card := tools.Card{Title: say("list." + string(t.Taxonomy))}
	switch {
	case len(t.Items) == 0:
		card.Text = say("card.none")
		return card
	case t.More > 0:
		card.Text = say("card.more", "count", t.More)
	}
	card.Table.Columns = []string{say("label.code"), say("label.description")}
	for _, item := range t.Items {
		card.Table.Rows = append(card.Table.Rows, []string{strconv.Itoa(int(item.ID)), item.Description})
	}
	return card
}
