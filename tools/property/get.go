package property

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Get shows what the bank knows of the property of a process, and what is missing (Property List).
var Get = tools.Define(Toolset, tools.Spec{
	Name: "get_property", Effect: tools.Reads, Operations: []portal.OperationID{portal.PropertyList},
	Next:    tools.Next{"update_property": {"process", "property", "version"}, "get_property": {"process", "property"}, "get_process": {"process"}},
	Example: `{"process":"1042"}`,
}, func(ctx context.Context, call *tools.Call, in OfProperty) (File, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return File{}, err
	}
	file := File{Process: process.ID, ProcessNumber: process.Number}
	if in.Property == "" {
		all, err := call.Properties(ctx, process.ID)
		if err != nil {
			return File{}, err
		}
		if len(all) != 1 {
			file.list(ctx, call, all)
			return file, nil
		}
	}
	_, property, err := call.Property(ctx, in.Process, in.Property)
	if err != nil {
		return File{}, err
	}
	file.fill(ctx, call, property)
	return file, nil
})

// OfProperty is the input of tools that take a property of a process. A process with one property needs no more.
type OfProperty struct {
	Process  tools.ProcessRef  `json:"process" page:"process" validate:"required"`
	Property tools.PropertyRef `json:"property,omitzero" page:"property"`
}

// File is a property, masked, or the properties of a process that has several.
type File struct {
	Process       uuid.UUID         `json:"process"`
	ProcessNumber int64             `json:"processNumber"`
	Property      uuid.UUID         `json:"property,omitzero"`
	Version       string            `json:"version,omitzero" pii:"open"`  // for update_property
	Fields        map[string]string `json:"fields,omitempty" pii:"open"`  // masked; a choice has its id: «Oeiras #1110»
	Missing       []string          `json:"missing,omitempty" pii:"open"` // names of fields without a value
	Properties    []Row             `json:"properties,omitempty"`         // of a process that has not exactly one
	facts         []tools.Fact
	missing       []string // labels
}

// Row is one of several properties.
type Row struct {
	Property uuid.UUID `json:"property"`
	Name     string    `json:"name" pii:"open"` // its number, county and area
	Price    pii.Money `json:"price,omitzero"`
}

// dispensable are fields that many properties do not have, or not yet.
var dispensable = []string{"doorNumber", "floor", "acquisitionDate"}

// fill sets the data of one property.
func (f *File) fill(ctx context.Context, call *tools.Call, property portal.Property) {
	f.Property, f.Version, f.Fields = property.PropertyUniqueID, version(call, property), map[string]string{}
	record := current(property)
	for _, field := range Update.Fields {
		if field.Refers() || field.Hidden() {
			continue
		}
		label, text := field.Label(call.Actor.Lang), call.Shown(ctx, field, record)
		if text == "" {
			if !slices.Contains(dispensable, field.Name()) {
				f.Missing, f.missing = append(f.Missing, field.Name()), append(f.missing, label)
			}
			continue
		}
		f.facts = append(f.facts, tools.Fact{Label: label, Value: text})
		if id, given := field.Value(record); given && field.Taxonomy != "" && !strings.HasPrefix(text, fmt.Sprint(id.Interface(), " ")) {
			text += fmt.Sprint(" #", id.Interface())
		}
		f.Fields[field.Name()] = text
	}
}

// list sets the properties of a process that has not exactly one.
func (f *File) list(ctx context.Context, call *tools.Call, all []portal.Property) {
	for i, property := range all {
		f.Properties = append(f.Properties, Row{property.PropertyUniqueID, call.PropertyName(ctx, i, property), property.AcquisitionAmount})
	}
}

// version returns a fingerprint of the data of a property.
func version(call *tools.Call, property portal.Property) string {
	data, err := pii.MarshalClear(property.Request())
	if err != nil {
		panic(fmt.Sprintf("tools: a property that the bank sent: %T", err)) // it was JSON a moment ago
	}
	digest := call.Fingerprint(data)
	return digest[:min(len(digest), 16)]
}

// Card implements [tools.Carder].
func (f File) Card(say tools.Say) tools.Card {
	card := tools.Card{Title: say("card.title", "number", f.ProcessNumber), Facts: f.facts}
	if f.Property == uuid.Nil {
		card.Text = say("card.several", "count", len(f.Properties))
		if len(f.Properties) == 0 {
			card.Text = say("card.none")
			return card
		}
		card.Table.Columns = []string{say("label.property"), say("label.price")}
		for _, row := range f.Properties {
			card.Table.Rows = append(card.Table.Rows, []string{row.Name, row.Price.String()})
			card.Table.IDs = append(card.Table.IDs, row.Property.String())
			card.Table.Steps = append(card.Table.Steps, tools.NextStep("get_property", "process", f.Process, "property", row.Property))
		}
		return card
	}
	if len(f.missing) > 0 {
		card.Text = say("card.missing", "fields", strings.Join(f.missing, ", "))
	}
	card.Next = []tools.Step{
		tools.NextStep("update_property", "process", f.Process, "property", f.Property, "version", f.Version),
		tools.NextStep("get_process", "process", f.Process),
	}
	return card
}
