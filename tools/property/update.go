package property

import (
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Update changes a property (Property Update). The bank may clear fields that an update omits, so the update has all data of
// the bank, with the changes.
var Update = tools.Define(Toolset, tools.Spec{
	Name: "update_property", Effect: tools.Updates, Operations: []portal.OperationID{portal.PropertyUpdate}, Needs: tools.OpenProcess,
	Next:    tools.Next{"get_property": {"process", "property"}},
	Example: `{"process":"1042","districtId":11,"countyId":1110,"parishId":111002,"grossBuiltArea":102.5}`,
}, func(ctx context.Context, call *tools.Call, in Change) (Changed, error) {
	process, err := call.Process(ctx, in.Process)
	if err != nil {
		return Changed{}, err
	}
	if _, err := call.Bank.UpdateProperty(ctx, process.ID, in.was.PropertyUniqueID, in.Details.request()); err != nil {
		return Changed{}, err
	}
	return in.done(process), nil
})

// Change has the changes of a property.
type Change struct {
	OfProperty
	Details
	tools.Editing
	was portal.Property
}

// Current implements [tools.Editor].
func (c Change) Current(ctx context.Context, call *tools.Call) (any, error) {
	_, property, err := call.Property(ctx, c.Process, c.Property)
	if err != nil {
		return nil, err
	}
	change := current(property)
	change.OfProperty, change.Editing = c.OfProperty, tools.Editing{Version: version(call, property)}
	return change, nil
}

// current returns the change that changes nothing of a property.
func current(property portal.Property) Change {
	return Change{Details: detailsOf(property.Request()), was: property}
}

// Reply implements [tools.Record].
func (c Change) Reply() any { return c.was }

// FindEffect implements [tools.Verifier]: the change was made if it would change nothing now.
func (c Change) FindEffect(ctx context.Context, call *tools.Call) (tools.Carder, bool, error) {
	process, err := call.Process(ctx, c.Process)
	if err != nil {
		return nil, false, err
	}
	current, err := c.Current(ctx, call)
	if err != nil && tools.AsError(err).Kind == tools.Invalid { // the property is gone
		return nil, false, nil
	}
	if err != nil || len(Update.Changed(current, Update.Merge(current, c))) > 0 {
		return nil, false, err
	}
	return current.(Change).done(process), true, nil
}

// Target implements [tools.Verifier].
func (c Change) Target(ctx context.Context, call *tools.Call) ([]string, error) {
	process, property, err := call.Property(ctx, c.Process, c.Property)
	return []string{"property", process.ID.String(), property.PropertyUniqueID.String()}, err
}

func (c Change) done(process tools.FoundProcess) Changed {
	return Changed{Process: process.ID, ProcessNumber: process.Number, Property: c.was.PropertyUniqueID}
}

// Changed is a property whose data has changed.
type Changed struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber"`
	Property      uuid.UUID `json:"property"`
}

// Subject implements [tools.Subjecter].
func (c Changed) Subject() tools.Subject { return tools.Subject{Process: c.Process} }

// Card implements [tools.Carder].
func (c Changed) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title"),
		Text:  say("card.text", "number", c.ProcessNumber),
		Next:  []tools.Step{tools.NextStep("get_property", "process", c.Process, "property", c.Property)},
	}
}
