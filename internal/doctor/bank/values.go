package bank

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// checkValues compares the texts of the bank's states and lists with what the profile says of them. It sends nothing.
func (x *Examination) checkValues(context.Context) (found []finding.Finding) {
	found = append(found, x.checkStates()...)
	found = append(found, x.checkNotifications())
	for _, key := range sortedKeys(x.profile.Taxonomies.Lists) {
		if items := x.profile.Taxonomies.Lists[key].Items; len(items) > 0 {
			found = append(found, x.checkItems(key, items))
		}
	}
	return append(found, x.forms()...)
}

// checkStates finds states of processes that the profile has no meaning for.
func (x *Examination) checkStates() []finding.Finding {
	var states []profile.State
	for _, item := range x.lists["workflowStatesProposal"] {
		states = append(states, profile.State{ID: item.ID, Description: item.Description, PhaseID: item.ParentID})
	}
	for _, process := range x.processes {
		if id, ok := number(process.fields, "processStatusID"); ok {
			states = append(states, profile.State{ID: id, Description: text(process.fields, "processStatusDescription")})
		}
	}
	if len(states) == 0 {
		return []finding.Finding{finding.New(finding.NotTried, "bank.states.none").About("bank.states")}
	}
	unknown := x.profile.States.Unknown(states)
	if len(unknown) == 0 {
		f := finding.New(finding.OK, "bank.states.known").About("bank.states")
		f.Entries = confirmed(finding.OK, "states.meanings")
		return []finding.Finding{f}
	}
	f := finding.New(finding.Warn, "bank.states.unknown", "total", len(unknown)).About("bank.states")
	f.Args["meanings"] = strings.Join(x.profile.States.Names(), ", ")
	for _, state := range unknown {
		if line := state.Line(); line != "" {
			f.Lines = append(f.Lines, "states.ids."+line)
			f.Entries = append(f.Entries, confirmed(finding.Differs, "states.ids."+strings.Fields(line)[0])...)
		}
	}
	return []finding.Finding{f}
}

// checkNotifications finds types of notifications that the profile has no meaning for.
func (x *Examination) checkNotifications() finding.Finding {
	var types []profile.State
	for _, item := range x.lists["notificationTypes"] {
		types = append(types, profile.State{ID: item.ID, Description: item.Description})
	}
	if len(types) == 0 {
		return finding.New(finding.NotTried, "bank.notifications.none").About("bank.notifications")
	}
	unknown := x.profile.UnknownNotifications(types)
	if len(unknown) == 0 {
		f := finding.New(finding.OK, "bank.notifications.known", "total", len(types)).About("bank.notifications")
		f.Entries = confirmed(finding.OK, "notifications.meanings")
		return f
	}
	f := finding.New(finding.Warn, "bank.notifications.unknown", "total", len(unknown)).About("bank.notifications")
	f.Args["meanings"] = strings.Join(sortedKeys(x.profile.Notifications.Meanings), ", ")
	for _, of := range unknown {
		if line := of.Line(); line != "" {
			f.Lines = append(f.Lines, "notifications.ids."+line)
			f.Entries = append(f.Entries, confirmed(finding.Differs, "notifications.ids."+strings.Fields(line)[0])...)
		}
	}
	return f
}

// checkItems compares the values that the profile has for a list with what replies say of its ids, and with the bank's list.
func (x *Examination) checkItems(key string, items []profile.Item) finding.Finding {
	said := maps.Clone(x.said[portal.TaxonomyKey(key)])
	if len(said) == 0 {
		f := finding.New(finding.NotTried, "bank.items.unseen").About("taxonomies.lists." + key)
		f.Entries = confirmed(finding.NotTried, "taxonomies.lists."+key+".items")
		return f
	}
	differ := 0
	for _, item := range items {
		if own, ok := said[item.ID]; ok && sameItem(own, item) {
			delete(said, item.ID)
		}
	}
	differ = len(said)
	if differ == 0 {
		f := finding.New(finding.OK, "bank.items.confirmed", "total", len(x.said[portal.TaxonomyKey(key)])).About("taxonomies.lists." + key)
		f.Entries = confirmed(finding.OK, "taxonomies.lists."+key+".items")
		return f
	}
	f := x.differs("", []entry{set(corrected(x.said[portal.TaxonomyKey(key)]), "taxonomies", "lists", key, "items")})
	f.Code = "bank.items.differs"
	return f.About("taxonomies.lists." + key)
}

// sameItem reports whether a reply says of an id what the profile does, in one of the languages: «KeyBorrower» is «Key borrower».
func sameItem(said, item profile.Item) bool {
	for _, text := range []string{said.Portuguese, said.English} {
		if text != "" && (plain(text) == plain(item.Portuguese) || plain(text) == plain(item.English)) {
			return true
		}
	}
	return false
}

// plain returns the characters of a text, without spaces and signs, in lower case.
func plain(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.In(c, unicode.L, unicode.N) {
			return unicode.ToLower(c)
		}
		return -1
	}, text)
}

// corrected returns what replies say of the ids of a list. The other values of the profile are left out: once some are wrong,
// nothing shows that these are right.
func corrected(said map[int32]profile.Item) (all []profile.Item) {
	for _, id := range slices.Sorted(maps.Keys(said)) {
		item := said[id]
		if item.Portuguese == "" {
			item.Portuguese = item.English
		}
		if item.English == "" {
			item.English = item.Portuguese
		}
		all = append(all, item)
	}
	return all
}

// forms returns findings of forms of values that the client reads as well.
func (x *Examination) forms() (found []finding.Finding) {
	for _, form := range sortedKeys(x.notes) {
		found = append(found, finding.New(finding.OK, "bank.forms."+form).About("bank.forms"))
	}
	return found
}

// checkRest lists what is never tried.
func (x *Examination) checkRest(context.Context) (found []finding.Finding) {
	var writes, emails, unread []string
	for _, id := range sortedKeys(x.profile.Operations) {
		op := x.profile.Operations[id]
		switch {
		case id == string(portal.Authenticate) || isRead(id, op):
		case strings.HasSuffix(id, "Email"):
			emails = append(emails, id)
		case op.Method != "GET" && id != string(portal.SimulationValidate):
			writes = append(writes, id)
		default:
			unread = append(unread, id)
		}
	}
	for _, one := range []struct {
		code string
		ids  []string
	}{{"bank.rest.writes", writes}, {"bank.rest.emails", emails}, {"bank.rest.unread", unread}} {
		if len(one.ids) == 0 {
			continue
		}
		f := finding.New(finding.NotTried, one.code, "operations", strings.Join(one.ids, ", "))
		for _, id := range one.ids {
			f.Entries = append(f.Entries, finding.Entry{Path: "operations." + id, Status: finding.NotTried})
		}
		found = append(found, f)
	}
	return found
}
