package profile

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
)

// Notifications says how the bank names the fields of what it sends to callbacks.
type Notifications struct {
	Fields map[string]Names `json:"fields"`
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
