package tools

import (
	"context"
	"reflect"
	"strconv"

	"github.com/balcao/balcao/portal"
)

// itemChoices are the items of the bank's list that a field names.
type itemChoices struct{}

// List implements [Choices].
func (itemChoices) List(ctx context.Context, call *Call, field Field, query string, answers map[string]string) ([]Option, error) {
	list, err := call.List(ctx, field.Taxonomy)
	if err != nil {
		return nil, err
	}
	beneath, limited := call.beneath(ctx, field, func(other Field) (int32, bool) {
		id, err := strconv.ParseInt(answers[other.Path], 10, 32)
		return int32(id), err == nil && !call.Checks().NoItem(int32(id))
	})
	var options []Option
	for _, item := range list.Match(query) {
		if limited && !beneath(item) {
			continue
		}
		option := itemOption(item)
		if !limited {
			option.Note = call.parentName(ctx, field, item)
		}
		if list.Origin == FromReplies {
			option.Note = engineWords.Say(call.Actor.Lang, "choice.incomplete", nil)
		}
		options = append(options, option)
	}
	return options, nil
}

// Find implements [Choices].
func (itemChoices) Find(ctx context.Context, call *Call, field Field, value string, _ map[string]string) (Option, bool) {
	id, err := strconv.ParseInt(value, 10, 32)
	if err != nil {
		return Option{}, false
	}
	list, err := call.List(ctx, field.Taxonomy)
	item, known := list.item(int32(id))
	return itemOption(list.marked(item)), err == nil && known
}

func itemOption(item portal.TaxonomyItem) Option {
	return Option{Value: strconv.Itoa(int(item.ID)), Text: item.Description}
}

// checkItem looks an id up in the bank's list. An unknown id blocks if the list is fresh, and is a warning otherwise. The bank
// knows an id that its replies had.
func checkItem(ctx context.Context, call *Call, field Field, value reflect.Value) []Problem {
	id := value.Int()
	if call.Checks().NoItem(int32(id)) {
		return nil
	}
	list, err := call.List(ctx, field.Taxonomy)
	_, known := list.item(int32(id))
	switch {
	case err == nil && known:
		return nil
	case list.fresh:
		return []Problem{problem(call.Actor.Lang, field.Path, "taxonomy.unknown")}
	default:
		return []Problem{warning(call.Actor.Lang, field.Path, "taxonomy.unconfirmed")}
	}
}

// noItem reports whether the value of a field is an id that stands for no item of the bank's list.
func (r *Runner) noItem(field Field, text string) bool {
	id, err := strconv.ParseInt(text, 10, 32)
	return field.Taxonomy != "" && err == nil && r.Checks.NoItem(int32(id))
}

// taxonomyChoices are the keys of the bank's lists.
type taxonomyChoices struct{}

// List implements [Choices].
func (taxonomyChoices) List(_ context.Context, call *Call, _ Field, query string, _ map[string]string) ([]Option, error) {
	var options []Option
	for _, list := range FindLists(query) {
		options = append(options, Option{Value: string(list), Text: ListName(call.Actor.Lang, list)})
	}
	return options, nil
}

// Find implements [Choices]. It returns an option for an unknown key too: the runner's check says what is wrong with it.
func (taxonomyChoices) Find(_ context.Context, call *Call, _ Field, value string, _ map[string]string) (Option, bool) {
	if list, ok := listNamed(value); ok {
		return Option{Value: string(list), Text: ListName(call.Actor.Lang, list)}, true
	}
	if named, ok := listWithParent(value); ok {
		list, parent := SplitList(named)
		return Option{Value: string(named), Text: ListName(call.Actor.Lang, list) + " · " + parent}, true
	}
	if list, parent := SplitList(portal.TaxonomyKey(value)); parent != "" {
		return Option{Value: value, Text: ListName(call.Actor.Lang, list) + " · " + parent}, true
	}
	return Option{Value: value, Text: value}, true
}

func parseTaxonomy(text string) (any, bool) {
	if list, ok := listNamed(text); ok {
		return string(list), true
	}
	if named, ok := listWithParent(text); ok {
		return string(named), true
	}
	list, parent := SplitList(portal.TaxonomyKey(text)) // as this function returned it
	known, ok := listNamed(string(list))
	return text, ok && parent != "" && known == list
}
