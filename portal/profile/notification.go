package profile

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
)

// Notifications says what the bank sends to callbacks: the names of the fields, and what the types mean. A type is known by
// its id, or else by words of its description in the bank's list.
type Notifications struct {
	Fields   map[string]Names               `json:"fields"`
	Meanings map[string]NotificationMeaning `json:"meanings"` // by name
	// IDs are the names of meanings by the id of a type; "" is a type that means none of them.
	IDs map[string]string `json:"ids"`
}

// NotificationMeaning says which types of notifications have a meaning.
type NotificationMeaning struct {
	Words []string `json:"words"` // phrases that say it
}

// NotificationMeaning returns the name of what a type of notification means, or what a description of an action does: by the
// id, if it is not 0, or else by words of the description. It is not known if neither says it.
func (p *Profile) NotificationMeaning(id int32, description string) (name string, known bool) {
	own := States{
		Meanings: make(map[string]Meaning, len(p.Notifications.Meanings)), IDs: p.Notifications.IDs,
		Negations: p.States.Negations, Breaks: p.States.Breaks,
	}
	for name, meaning := range p.Notifications.Meanings {
		own.Meanings[name] = Meaning{Words: meaning.Words}
	}
	found, known := own.Meaning(id, description)
	return found.Name, known
}

// UnknownNotifications returns the types of notifications whose meaning is not known, by id.
func (p *Profile) UnknownNotifications(types []State) []UnknownState {
	var unknown []UnknownState
	for _, of := range types {
		if _, known := p.NotificationMeaning(of.ID, of.Description); !known {
			unknown = append(unknown, UnknownState{of.ID, of.Description})
		}
	}
	slices.SortStableFunc(unknown, func(a, b UnknownState) int { return cmp.Compare(a.ID, b.ID) })
	return unknown
}

// notifications finds types of notifications with a meaning that does not exist.
func (c *checker) notifications() {
	known := slices.Sorted(maps.Keys(c.p.Notifications.Meanings))
	for _, id := range slices.Sorted(maps.Keys(c.p.Notifications.IDs)) {
		if name := c.p.Notifications.IDs[id]; name != "" && !slices.Contains(known, name) {
			c.suggest("meaning", name, known, []string{"notifications", "ids", id})
		}
	}
}

// Notified returns the ids in a notification, by their canonical names; ok is false if it is not a JSON object. They may be
// one level below.
func (p *Profile) Notified(body []byte) (ids map[string]uuid.UUID, ok bool) {
	value, err := parse(body)
	top, ok := value.(map[string]any)
	if err != nil || !ok {
		return nil, false
	}
	ids = map[string]uuid.UUID{}
	objects := []map[string]any{top}
	for _, name := range slices.Sorted(maps.Keys(top)) {
		if below, ok := top[name].(map[string]any); ok {
			objects = append(objects, below)
		}
	}
	for name, names := range p.Notifications.Fields {
		kind, is := idKind(name)
		for _, object := range objects {
			value, found := names.Find(object)
			if !is || !found || ids[name] != uuid.Nil {
				continue
			}
			if id, err := ParseID(p.Forms.IDs[kind], fmt.Sprint(value)); err == nil && id != uuid.Nil {
				ids[name] = id
			}
		}
	}
	return ids, true
}

// WriteNotification returns a notification as the bank writes it, from one with canonical names.
func (p *Profile) WriteNotification(canonical []byte, aliases *Aliases) ([]byte, error) {
	value, err := parse(canonical)
	object, ok := value.(map[string]any)
	if err != nil || !ok {
		return nil, fmt.Errorf("a notification is a JSON object")
	}
	w := &Wire{forms: p.Forms, Aliases: aliases}
	return json.Marshal(w.format(w.rename(object, p.Notifications.Fields), true))
}
