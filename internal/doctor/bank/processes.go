package bank

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// checkProcessList reads the first page of the processes, with the largest page of the profile.
func (x *Examination) checkProcessList(ctx context.Context) []finding.Finding {
	r := reading{op: portal.ProcessList, isList: true, key: "processUniqueID", about: []string{"process"}}
	o := x.read(ctx, r)
	if o.good {
		o.entries = append(o.entries, x.snakeReplies(o.entries)...)
	}
	found := x.finding(r, o)
	if !o.good {
		return found
	}
	x.processes = x.listed(o.probe.Canonical)
	if len(x.processes) == 0 {
		x.stopped = "none"
		return append(found, finding.New(finding.NotTried, "bank.no_process"))
	}
	return found
}

// snakeReplies returns entries for the replies to operations that are not tried, if the fields of the list are in snake case.
func (x *Examination) snakeReplies(named []entry) (entries []entry) {
	if !inSnakeCase(named) {
		return nil
	}
	add := func(fields map[string]profile.Names, table ...string) {
		for _, path := range sortedKeys(fields) {
			_, own := parent(path)
			if name := snake(own); name != own && !x.settled[strings.Join(append(slices.Clone(table), path), ".")] {
				entries = append(entries, set(first(name, fields[path]), append(slices.Clone(table), path)...))
			}
		}
	}
	add(x.profile.Replies.Fields, "replies", "fields")
	for _, id := range sortedKeys(x.profile.Operations) {
		if op := x.profile.Operations[id]; !isRead(id, op) {
			add(op.Reply.Fields, "operations", id, "reply", "fields")
			add(op.Reply.Items, "operations", id, "reply", "items")
		}
	}
	return entries
}

// inSnakeCase reports whether entries say that names are in snake case: three of them at least.
func inSnakeCase(entries []entry) bool {
	found := 0
	for _, e := range entries {
		names, _ := e.value.(profile.Names)
		_, own := parent(e.keys[len(e.keys)-1])
		if len(names) > 0 && names[0] != own && names[0] == snake(own) {
			found++
		}
	}
	return found >= 3
}

// snake returns a name in camel case in snake case.
func snake(name string) string { return strings.Join(wordsIn(name), "_") }

// listed returns the processes of a page with canonical names.
func (x *Examination) listed(canonical []byte) (all []seen) {
	for _, item := range itemsOf(canonical) {
		if id, ok := idOf(item, "processUniqueID"); ok {
			all = append(all, seen{id, item})
		}
	}
	return all
}

// itemsOf returns the items of a list with canonical names.
func itemsOf(canonical []byte) (items []map[string]any) {
	object, _ := tree(canonical).(map[string]any)
	array, _ := object[profile.ListName].([]any)
	for _, item := range array {
		if fields, ok := item.(map[string]any); ok {
			items = append(items, fields)
		}
	}
	return items
}

// idOf returns an id in an object with canonical names.
func idOf(object map[string]any, name string) (uuid.UUID, bool) {
	value, _ := profile.Lookup(object, name)
	id, err := uuid.Parse(textOf(value))
	return id, err == nil
}

// text returns a value of an object with canonical names, "" if it has none.
func text(object map[string]any, name string) string {
	value, _ := profile.Lookup(object, name)
	return textOf(value)
}

// checkProcessDetail reads the newest process.
func (x *Examination) checkProcessDetail(ctx context.Context) []finding.Finding {
	newest := x.processes[0]
	x.ids["processUniqueId"] = newest.id
	r := reading{op: portal.ProcessDetail, key: "processUniqueID", about: []string{"process"}, known: x.knownOf(newest)}
	o := x.read(ctx, r)
	if o.good {
		x.good, _ = tree(o.probe.Body).(map[string]any)
	}
	return x.finding(r, o)
}

// knownOf returns the texts of what the list says of a process, for a comparison with its detail.
func (x *Examination) knownOf(process seen) map[string]string {
	known := map[string]string{}
	for name := range x.profile.Operations[string(portal.ProcessDetail)].Reply.Fields {
		if value := text(process.fields, name); value != "" && endsIn(name, "number", "description") {
			known[name] = value
		}
	}
	known["processUniqueID"] = x.written("process", process.id)
	return known
}

// written returns an id as the bank writes it.
func (x *Examination) written(kind string, id uuid.UUID) string {
	return profile.FormatID(x.profile.Forms.IDs[kind], id)
}

// checkBorrowerList reads the borrowers of the newest process that has some, of the first three.
func (x *Examination) checkBorrowerList(ctx context.Context) []finding.Finding {
	r := reading{op: portal.BorrowerList, isList: true, key: "borrowerUniqueID", about: []string{"borrower"}}
	var o outcome
	for i, process := range x.processes[:min(len(x.processes), 3)] {
		x.ids["processUniqueId"] = process.id
		if i > 0 { // the one before has none
			x.repairs = 0
		}
		if o = x.read(ctx, r); !o.good {
			break
		}
		for _, item := range itemsOf(o.probe.Canonical) {
			if id, ok := idOf(item, "borrowerUniqueID"); ok {
				x.ids["borrowerUniqueId"] = id
				break
			}
		}
		if x.ids["borrowerUniqueId"] != uuid.Nil || len(o.entries) > 0 {
			break
		}
	}
	return x.finding(r, o)
}

// checkBorrowerGet reads one borrower, in both languages for what the reply says of lists that the bank does not have.
func (x *Examination) checkBorrowerGet(ctx context.Context) []finding.Finding {
	id, ok := x.ids["borrowerUniqueId"]
	if !ok {
		return finding.One(finding.NotTried, "bank.no_borrower")
	}
	r := reading{
		op: portal.BorrowerGet, key: "borrowerUniqueID", about: []string{"borrower"},
		known: map[string]string{"borrowerUniqueID": x.written("borrower", id)},
	}
	o := x.read(ctx, r)
	found := x.finding(r, o)
	if !o.good {
		return found
	}
	if more := x.readPeople(ctx, r); len(more) > 0 {
		found = append(found, x.differs("", more))
	}
	return found
}

// readPeople reads borrowers of the first processes, for what their replies say of ids of lists. Nothing else of them is
// kept, but for a tax number to try the text filter with. It returns entries for fields that only some borrowers have.
func (x *Examination) readPeople(ctx context.Context, r reading) (entries []entry) {
	read, proposed := 0, map[string]bool{}
	for _, process := range x.processes {
		ids := maps.Clone(x.ids)
		ids["processUniqueId"] = process.id
		list := x.askIn(ctx, portuguese, x.profile, portal.BorrowerList, ids, nil)
		for _, item := range itemsOf(list.Canonical) {
			id, ok := idOf(item, "borrowerUniqueID")
			if !ok {
				continue
			}
			if read++; read > maxPeople {
				return entries
			}
			ids["borrowerUniqueId"] = id
			for _, language := range []string{portuguese, english} {
				reply := x.askIn(ctx, language, x.profile, portal.BorrowerGet, ids, nil)
				x.remember(language, reply.Described)
				r.known = map[string]string{"borrowerUniqueID": x.written("borrower", id)}
				named, _ := x.locateObject(x.profile, r, tree(reply.Body))
				for _, e := range named {
					if path := e.path(); !x.settled[path] && !proposed[path] && reply.Err == nil {
						proposed[path] = true
						entries = append(entries, e)
					}
				}
				if object, ok := tree(reply.Canonical).(map[string]any); ok && x.taxID == "" {
					x.taxID, x.taxProcess = text(object, "borrowerPersonalData.taxID"), process.id
				}
			}
		}
	}
	return entries
}

// The languages that the bank is asked in.
const (
	portuguese = "pt-PT"
	english    = "en"
)

// remember keeps what a reply says of ids.
func (x *Examination) remember(language string, said []portal.Description) {
	for _, d := range said {
		if d.Taxonomy == "" || d.Other || !d.Given || d.Text == "" {
			continue
		}
		if x.said[d.Taxonomy] == nil {
			x.said[d.Taxonomy] = map[int32]profile.Item{}
		}
		item := x.said[d.Taxonomy][d.ID]
		if item.ID = d.ID; language == english {
			item.English = d.Text
		} else {
			item.Portuguese = d.Text
		}
		x.said[d.Taxonomy][d.ID] = item
	}
}

// checkESIS reads the ESIS of the first of a few processes that has one. A refusal is an answer too.
func (x *Examination) checkESIS(ctx context.Context) []finding.Finding {
	r := reading{op: portal.ProcessESISGet, key: "esis", about: nil}
	var o outcome
	came := ""
	for _, process := range x.processes[:min(len(x.processes), 4)] {
		x.ids["processUniqueId"] = process.id
		o = x.read(ctx, r)
		if came == "" || o.good {
			came = o.came
		}
		if o.good || !refusedIn(o.probe) {
			break
		}
		r.so = o.entries // the path, which is another, is found once
	}
	o.came = came
	x.ids["processUniqueId"] = x.processes[0].id
	if !o.good && refusedIn(o.probe) {
		f := x.found(finding.OK, "bank.esis.refused")
		f.Entries = confirmed(finding.OK, "operations.processESISGet.path")
		if len(o.entries) > 0 {
			return []finding.Finding{x.differs(o.came, o.entries)}
		}
		return []finding.Finding{f}
	}
	return x.finding(r, o)
}

// checkCallbacks reads the registered callbacks.
func (x *Examination) checkCallbacks(ctx context.Context) []finding.Finding {
	if x.config.Partner == "" {
		return finding.One(finding.NotTried, "bank.no_partner")
	}
	var found []finding.Finding
	if _, ok := x.ids["partnerUniqueID"]; !ok {
		integer, err := profile.ParseID(profile.Integer, x.config.Partner)
		if err != nil {
			return finding.One(finding.Fail, "bank.partner")
		}
		x.ids["partnerUniqueID"] = integer
		found = append(found, x.differs("", []entry{set(string(profile.Integer), "forms", "ids", "partner")}))
	}
	r := reading{
		op: portal.CallbackList, isList: true, key: "notificationTypeID", about: []string{"notification"},
		query: map[string]string{"offset": "0", "limit": "100"},
	}
	o := x.read(ctx, r)
	if !o.good && refusedIn(o.probe) {
		return append(found, x.found(finding.Fail, "bank.partner", "came", o.came))
	}
	return append(found, x.finding(r, o)...)
}

// note records the forms of values that the client reads in any form.
func (x *Examination) note(o outcome) {
	if o.location.matched.cased {
		x.notes["cased"] = true
	}
	for _, path := range o.location.matched.found {
		for _, value := range o.location.matched.values(path, o.location.objects) {
			written, is := value.(string)
			switch {
			case !is:
			case endsIn(path, "id", "months") && !endsIn(path, "uniqueid", "taxid") && isWhole(written):
				x.notes["numbers"] = true
			case endsIn(path, "birthdate", "expireddate") && strings.Contains(written, "T"):
				x.notes["dates"] = true
			}
		}
	}
	for _, object := range o.location.objects {
		if hasNull(object) {
			x.notes["nulls"] = true
		}
	}
}

func hasNull(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(value)), hasNull)
	}
	return false
}

// number returns a whole number in an object with canonical names.
func number(object map[string]any, name string) (int32, bool) {
	value, _ := profile.Lookup(object, name)
	n, err := strconv.ParseInt(textOf(value), 10, 32)
	return int32(n), err == nil
}
