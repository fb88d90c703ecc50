package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/balcao/balcao/portal"
)

// A choice may be within another: a parish is in a county, and that in a district. The bank's lists say which item belongs to
// which, or nothing; an item that belongs to none is offered everywhere.

// parentLists are the lists of what the items of a list belong to.
var parentLists = map[portal.TaxonomyKey]portal.TaxonomyKey{
	"districts": "countries", "counties": "districts", "parishes": "counties",
	"countryWithDistricts": "countries", "districtsWithCounties": "districts", "countyWithParishes": "counties",
	"brokerSubTypes": "brokerTypes", "documentTypes": "documentCategories", "indexTypeSubCategories": "indexTypes",
	"workflowStatesProposal": "workflowPhases", "workflowStatesSimulation": "workflowPhases",
}

// ParentList returns the list that has what the items of a list belong to, "" if it is not known.
func ParentList(list portal.TaxonomyKey) portal.TaxonomyKey { return parentLists[list] }

// parent returns the field that a choice is within, and false if it is within none.
func (f Field) parent() (Field, bool) {
	if f.Within == "" {
		return Field{}, false
	}
	return f.tool.Field(f.Within)
}

// HasWithin reports whether the choices of another field of the tool depend on this one.
func (f Field) HasWithin() bool {
	return f.tool != nil && slices.ContainsFunc(f.tool.Fields, func(other Field) bool { return other.Within == f.Path })
}

// beneath returns a function that reports whether an item belongs to what was chosen in the nearest field that the field is
// within. limited is false if nothing was chosen there.
func (c *Call) beneath(ctx context.Context, field Field, chosen func(Field) (int32, bool)) (is func(portal.TaxonomyItem) bool, limited bool) {
	parent, within := field.parent()
	if !within {
		return nil, false
	}
	if id, given := chosen(parent); given {
		return func(item portal.TaxonomyItem) bool { return item.ParentID == 0 || item.ParentID == id }, true
	}
	beneathParent, limited := c.beneath(ctx, parent, chosen)
	list, err := c.List(ctx, parent.Taxonomy)
	if !limited || err != nil {
		return nil, false
	}
	allowed := map[int32]bool{0: true}
	for _, item := range list.Items {
		if beneathParent(item) {
			allowed[item.ID] = true
		}
	}
	return func(item portal.TaxonomyItem) bool { return allowed[item.ParentID] }, true
}

// parentName returns what the parent of an item is called, "" if the item has none.
func (c *Call) parentName(ctx context.Context, field Field, item portal.TaxonomyItem) string {
	parent, within := field.parent()
	if !within || item.ParentID == 0 {
		return ""
	}
	return c.ItemName(ctx, parent.Taxonomy, item.ParentID)
}

// ParentName returns what an item of a list belongs to is called, "" if it belongs to nothing.
func (c *Call) ParentName(ctx context.Context, list portal.TaxonomyKey, item portal.TaxonomyItem) string {
	above := ParentList(list)
	if above == "" || item.ParentID == 0 {
		return ""
	}
	return c.ItemName(ctx, above, item.ParentID)
}

// Flat returns the list with the children of its items instead of the items.
func (l List) Flat() List {
	if !slices.ContainsFunc(l.Items, func(item portal.TaxonomyItem) bool { return item.Children != nil }) {
		return l
	}
	var items []portal.TaxonomyItem
	for _, item := range l.Items {
		if len(item.Children) > 0 {
			items = append(items, item.Children...)
		} else {
			items = append(items, item)
		}
	}
	l.Items = items
	return l
}

// Named returns the items that a text names: the one with the id, or those that are called so, or else those whose description
// contains it.
func (l List) Named(text string) (found []portal.TaxonomyItem) {
	id, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	for _, item := range l.Items {
		if err == nil && item.ID == int32(id) || Fold(item.Description) == Fold(text) {
			found = append(found, item)
		}
	}
	if len(found) == 0 {
		return MatchItems(l.Items, text)
	}
	return found
}

// ItemName returns what an item of a list is called, "" if that is not known.
func (c *Call) ItemName(ctx context.Context, list portal.TaxonomyKey, id int32) string {
	_, name := c.Described(ctx, list, &id)
	return name
}

// checkChain returns a warning for each choice that does not belong to what was chosen in the field that it is within. That it
// has to is our inference: the bank's page does not say so.
func (c *Call) checkChain(ctx context.Context, tool *Tool, in any) (problems []Problem) {
	for _, field := range tool.Fields {
		parent, within := field.parent()
		value, given := field.Value(in)
		above, chosen := parent.valueIn(in)
		if !within || !given || !chosen || c.Checks().NoItem(int32(above.Int())) {
			continue
		}
		list, err := c.List(ctx, field.Taxonomy)
		if err != nil {
			continue
		}
		item, known := list.item(int32(value.Int()))
		if !known || item.ParentID == 0 || item.ParentID == int32(above.Int()) {
			continue
		}
		problems = append(problems, warning(c.Actor.Lang, field.Path, "choice.outside",
			"item", item.Description, "parent", c.ItemName(ctx, parent.Taxonomy, int32(above.Int())), "own", c.ItemName(ctx, parent.Taxonomy, item.ParentID)))
	}
	return problems
}

// valueIn is [Field.Value], also of no field.
func (f Field) valueIn(in any) (reflect.Value, bool) {
	if f.tool == nil {
		return reflect.Value{}, false
	}
	return f.Value(in)
}

// givenID returns the id that the arguments of a call, while they are understood, have for a field: of an editor's that they
// leave out, what the bank has. An error is no id: the checks report it.
func (c *Call) givenID(ctx context.Context, field Field) (id int32, given bool) {
	group, name := within(c.given, field.Path)
	if value, has := group[name]; has {
		number, err := strconv.ParseInt(fmt.Sprint(value), 10, 32)
		return int32(number), err == nil && !c.Checks().NoItem(int32(number))
	}
	if !c.tool.Edits {
		return 0, false
	}
	about := map[string]any{}
	for _, other := range c.tool.Fields {
		if value, has := c.given[other.Path]; has && other.Refers() {
			about[other.Path] = value
		}
	}
	args, err := json.Marshal(about)
	if err != nil {
		return 0, false
	}
	in, _ := c.tool.decode(args, c.Actor.Lang)
	if in == nil {
		return 0, false
	}
	current, err := in.(Editor).Current(ctx, c)
	if err != nil {
		return 0, false
	}
	value, has := field.Value(current)
	if !has {
		return 0, false
	}
	return int32(value.Int()), !c.Checks().NoItem(int32(value.Int()))
}
