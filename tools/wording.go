package tools

import (
	"context"
	"reflect"
	"strings"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
)

// What an id is called. The first of these that has a word for it decides:
//
//  1. the description beside it in the reply that has it;
//  2. the bank's list, or the items that an operator has given for it;
//  3. the descriptions of the id in earlier replies (see [Learnt]);
//  4. Balcão's own list, marked as such, where the bank has no operation for its own.
//
// Otherwise it is shown as a number with an explanation.

// Record is implemented by an input that was read from the bank.
type Record interface {
	// Reply returns the bank's reply. The fields of the input have the names of its own; see [Field.Member].
	Reply() any
}

// Member returns the Go names of the field in its input, those of embedded structs left out: Personal.GenderID.
func (f Field) Member() string {
	var names []string
	in := f.tool.in
	for _, i := range f.index {
		member := in.Field(i)
		if !member.Anonymous {
			names = append(names, member.Name)
		}
		if in = member.Type; in.Kind() == reflect.Pointer {
			in = in.Elem()
		}
	}
	return strings.Join(names, ".")
}

// saidOf returns the description of an input's id in the reply that the input was read from; "" if the reply has none, or
// the input another id.
func saidOf(field Field, in any) string {
	record, ok := in.(Record)
	if !ok || field.Taxonomy == "" {
		return ""
	}
	one := describedAt(record.Reply(), field.Member())
	value, given := field.Value(in)
	var id int32
	if given {
		id = int32(value.Int())
	}
	if has := value.Kind() != reflect.Pointer; has != one.Given || id != one.ID {
		return ""
	}
	return Clean(one.Text)
}

// describedAt returns what a reply says of the id at member, the zero value if the reply has no such object.
func describedAt(reply any, member string) portal.Description {
	for _, one := range portal.Descriptions(reply) {
		if one.Member == member {
			return one
		}
	}
	return portal.Description{}
}

// Word returns what an id of a reply is called, "" if it is not given, or stands for no item. member is the id's field, see
// [portal.Description].
func (c *Call) Word(ctx context.Context, reply any, member string) string {
	one := describedAt(reply, member)
	if text := Clean(one.Text); text != "" || !one.Given {
		return text
	}
	if one.Taxonomy != "" {
		if list, err := c.List(ctx, one.Taxonomy); err == nil {
			if item, known := list.item(one.ID); known {
				return list.marked(item).Description
			}
		}
	}
	if c.Checks().NoItem(one.ID) {
		return ""
	}
	return unexplained(c.Actor.Lang, one.ID)
}

// StatusWord returns what the status of a process is called.
func (c *Call) StatusWord(ctx context.Context, process FoundProcess) string {
	return c.Word(ctx, portal.ProcessSummary{ProcessStatusID: process.StatusID, ProcessStatusDescription: process.Status}, "ProcessStatusID")
}

// unexplained is the text of an id for which nobody has a word.
func unexplained(lang words.Lang, id any) string {
	return engineWords.Say(lang, "choice.unexplained", map[string]any{"id": id})
}

// DescribedIn returns an id with its description in a reply that has the id at member, else in the bank's list. The
// description is "" if there is neither.
func (c *Call) DescribedIn(ctx context.Context, reply any, member string, key portal.TaxonomyKey, id *int32) (int32, string) {
	if one := describedAt(reply, member); id != nil && one.Given && one.ID == *id && Clean(one.Text) != "" {
		return *id, Clean(one.Text)
	}
	return c.Described(ctx, key, id)
}
