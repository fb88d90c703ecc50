package tools

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// PropertyRef names a property of a process by the bank's uuid. "" is the only one: most processes have one.
type PropertyRef string

// Class returns [pii.Open].
func (PropertyRef) Class() pii.Class { return pii.Open }

// propertyChoices are the properties of the process beside a field.
type propertyChoices struct{}

// List implements [Choices].
func (propertyChoices) List(ctx context.Context, call *Call, field Field, query string, answers map[string]string) ([]Option, error) {
	process, err := call.Process(ctx, ProcessRef(field.beside(Process, answers)))
	if err != nil {
		return nil, err
	}
	properties, err := call.Properties(ctx, process.ID)
	if err != nil {
		return nil, err
	}
	var options []Option
	for i, property := range properties {
		if option := call.propertyOption(ctx, i, property); strings.Contains(Fold(option.Text), Fold(query)) {
			options = append(options, option)
		}
	}
	return options, nil
}

// Find implements [Choices].
func (propertyChoices) Find(ctx context.Context, call *Call, field Field, value string, answers map[string]string) (Option, bool) {
	process, err := call.Process(ctx, ProcessRef(field.beside(Process, answers)))
	if err != nil {
		return Option{}, false
	}
	properties, err := call.Properties(ctx, process.ID)
	at := slices.IndexFunc(properties, func(p portal.Property) bool { return p.PropertyUniqueID.String() == value })
	if err != nil || at < 0 {
		return Option{}, false
	}
	return call.propertyOption(ctx, at, properties[at]), true
}

// Properties reads the properties of a process. The bank is asked once in a call.
func (c *Call) Properties(ctx context.Context, process uuid.UUID) ([]portal.Property, error) {
	c.mu.Lock()
	properties, read := c.properties[process]
	c.mu.Unlock()
	if read {
		return properties, nil
	}
	properties, err := c.Bank.ListProperties(ctx, process)
	if err != nil {
		return nil, processMissing(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.properties == nil {
		c.properties = map[uuid.UUID][]portal.Property{}
	}
	c.properties[process] = properties
	return properties, nil
}

// Property reads the property of a process that ref names. Without a ref it is the only one.
func (c *Call) Property(ctx context.Context, process ProcessRef, ref PropertyRef) (FoundProcess, portal.Property, error) {
	found, err := c.Process(ctx, process)
	if err != nil {
		return FoundProcess{}, portal.Property{}, err
	}
	properties, err := c.Properties(ctx, found.ID)
	if err != nil {
		return found, portal.Property{}, err
	}
	wrong := func(code string, args ...any) error {
		return &Error{Kind: Invalid, Problems: []Problem{problem(c.Actor.Lang, "property", code, args...)}}
	}
	switch at := slices.IndexFunc(properties, func(p portal.Property) bool { return p.PropertyUniqueID.String() == string(ref) }); {
	case at >= 0:
		return found, properties[at], nil
	case ref != "":
		return found, portal.Property{}, wrong("property.unknown")
	case len(properties) == 0:
		return found, portal.Property{}, wrong("property.none")
	case len(properties) == 1:
		return found, properties[0], nil
	}
	var names []string
	for i, property := range properties {
		names = append(names, c.PropertyName(ctx, i, property)+" ("+property.PropertyUniqueID.String()+")")
	}
	return found, portal.Property{}, wrong("property.which", "properties", strings.Join(names, "; "))
}

// PropertyName returns what a property is called, counted from 0: by its number, where it is and its area.
func (c *Call) PropertyName(ctx context.Context, i int, property portal.Property) string {
	parts := []string{engineWords.Say(c.Actor.Lang, "property.number", map[string]any{"number": i + 1})}
	if county := c.Word(ctx, property, "CountyID"); county != "" {
		parts = append(parts, Clean(county))
	}
	if area := property.GrossBuiltArea; area != nil {
		parts = append(parts, decimalText(c.Actor.Lang, *area)+" m²")
	}
	return strings.Join(parts, " · ")
}

func (c *Call) propertyOption(ctx context.Context, i int, property portal.Property) Option {
	name := c.PropertyName(ctx, i, property)
	clear := strings.TrimSuffix(name+" · "+strings.TrimSpace(property.Address.Reveal()+" "+property.DoorNumber.Reveal()), " · ")
	return Option{Value: property.PropertyUniqueID.String(), Text: name, Clear: pii.New[pii.Private](clear)}
}

// OnlyChoice returns the option of a field that a form leaves out because there is no other; ok is false if the form asks.
func (r *Runner) OnlyChoice(ctx context.Context, actor Actor, field Field, answers map[string]string) (option Option, ok bool) {
	if !field.Kind.Sole || field.Required {
		return Option{}, false
	}
	options, err := r.Options(ctx, actor, field, "", answers)
	if err != nil || len(options) != 1 {
		return Option{}, false
	}
	return options[0], true
}
