package taxonomies

import (
	"context"
	"strconv"
	"strings"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Search looks up the ids that the bank uses for choices.
var Search = tools.Define(Toolset, tools.Spec{
	Name: "search_taxonomy", Effect: tools.Reads, Core: true,
	Example: `{"taxonomy":"maritalStatuses","text":"casado"}`,
}, func(ctx context.Context, call *tools.Call, in TaxonomySearch) (TaxonomyItems, error) {
	list, found, err := call.FindItems(ctx, in.Taxonomy, in.Text)
	if err != nil {
		return TaxonomyItems{}, err
	}
	shown := min(len(found), 100)
	return TaxonomyItems{Taxonomy: in.Taxonomy, Items: found[:shown], More: len(found) - shown, origin: list.Origin}, nil
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
	origin   tools.Origin
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
	card.Table.Columns = []string{say("label.code"), say("label.description")}
	for _, item := range t.Items {
		card.Table.Rows = append(card.Table.Rows, []string{strconv.Itoa(int(item.ID)), item.Description})
	}
	return card
}
