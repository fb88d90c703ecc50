package bank

import (
	"context"
	"slices"
	"strings"

	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// reading is a read that is compared with its profile.
type reading struct {
	op     portal.OperationID
	query  map[string]string
	isList bool
	key    string   // the canonical field that identifies an object
	about  []string // words of what the objects are
	known  map[string]string
	so     []entry // that were found for another process
}

// outcome is what came of a reading.
type outcome struct {
	probe    portal.Probe
	location location
	entries  []entry // that were needed
	came     string  // before them
	good     bool
}

// read tries a read with the profile, and with what may correct it.
func (x *Examination) read(ctx context.Context, r reading) outcome {
	with, err := x.over(r.so)
	if err != nil {
		with, r.so = x.profile, nil
	}
	probe := x.ask(ctx, with, r.op, r.query)
	o := outcome{probe: probe, came: describe(probe), entries: slices.Clone(r.so)}
	for range 5 { // headers, path, prefix, location and names, forms
		if probe.Err == nil {
			break
		}
		more := x.repair(ctx, r, probe, o.entries)
		if len(more) == 0 {
			break
		}
		o.entries = append(o.entries, more...)
		p, err := x.over(o.entries)
		if err != nil {
			break
		}
		probe = x.try(ctx, p, r.op, r.query)
	}
	o.probe = probe
	if probe.Err == nil {
		x.improve(ctx, r, &o)
	}
	if o.good = o.probe.Err == nil; o.good {
		o.entries = append(o.entries, x.snakeRest(r, o)...)
	}
	return o
}

// snakeRest returns entries for the fields that did not come, if those that came are in snake case.
func (x *Examination) snakeRest(r reading, o outcome) (entries []entry) {
	reply, table := replyOf(x.profile, r.op)
	part, names := "fields", reply.Fields
	if r.isList {
		part, names = "items", reply.Items
	}
	if !inSnakeCase(o.entries) {
		return nil
	}
	for _, path := range o.location.matched.absent {
		if _, own := parent(path); snake(own) != own {
			entries = append(entries, set(first(snake(own), names[path]), append(slices.Clone(table), part, path)...))
		}
	}
	return entries
}

// repair returns entries that bring a read further, nil if there are none.
func (x *Examination) repair(ctx context.Context, r reading, probe portal.Probe, so []entry) []entry {
	switch {
	case probe.Status == 0:
		return nil
	case wrongPath(probe):
		return x.findPath(ctx, r, so)
	case probe.Status == 401 || probe.Status == 403:
		return x.findHeaders(ctx, r, so)
	case answered(probe):
		p, err := x.over(so)
		if err != nil {
			return nil
		}
		entries, _ := x.locate(p, r, tree(probe.Body))
		return entries
	}
	return nil
}

// improve adds the names of fields that the client can do without, and adopts them if the read is still good with them.
func (x *Examination) improve(ctx context.Context, r reading, o *outcome) {
	p, err := x.over(o.entries)
	if err != nil {
		return
	}
	more, at := x.locate(p, r, tree(o.probe.Body))
	o.location = at
	more = slices.DeleteFunc(more, func(e entry) bool {
		return x.settled[e.path()] || slices.ContainsFunc(o.entries, func(own entry) bool { return own.path() == e.path() })
	})
	if len(more) == 0 {
		return
	}
	better, err := x.over(slices.Concat(o.entries, more))
	if err != nil {
		return
	}
	if probe := x.try(ctx, better, r.op, r.query); probe.Err == nil {
		o.probe, o.entries = probe, slices.Concat(o.entries, more)
		_, o.location = x.locate(better, r, tree(probe.Body))
	}
}

// findHeaders returns headers with which a session is accepted.
func (x *Examination) findHeaders(ctx context.Context, r reading, so []entry) []entry {
	for _, alternative := range x.profile.Alternatives {
		entries := flatten(alternative.Profile)
		if len(entries) == 0 || slices.ContainsFunc(entries, func(e entry) bool { return !e.concerns("headers") }) {
			continue
		}
		p, err := x.over(slices.Concat(so, entries))
		if err != nil {
			continue
		}
		if probe := x.try(ctx, p, r.op, r.query); probe.Status != 0 && probe.Status != 401 && probe.Status != 403 {
			return entries
		}
	}
	return nil
}

// locate returns entries for where a reply has its data and how its fields are named, as far as they differ from a profile,
// and where they are.
func (x *Examination) locate(p *profile.Profile, r reading, value any) ([]entry, location) {
	if value == nil {
		return nil, location{}
	}
	if r.isList {
		return x.locateList(p, r, value)
	}
	return x.locateObject(p, r, value)
}

func (x *Examination) vocabulary() vocabulary { return vocabulary{x.profile.Candidates.Words} }

// replyOf returns the reply of an operation, and the table that has it.
func replyOf(p *profile.Profile, op portal.OperationID) (profile.Reply, []string) {
	if operation, ok := p.Operations[string(op)]; ok {
		return operation.Reply, []string{"operations", string(op), "reply"}
	}
	return p.Taxonomies.Reply, []string{"taxonomies", "reply"}
}

// atOf returns where the data of a reply is, by the operation or for all replies.
func atOf(p *profile.Profile, reply profile.Reply) profile.Names {
	if len(reply.At) > 0 {
		return reply.At
	}
	return p.Replies.At
}

func (x *Examination) locateList(p *profile.Profile, r reading, value any) ([]entry, location) {
	reply, table := replyOf(p, r.op)
	f := fields{
		table: append(slices.Clone(table), "items"), names: reply.Items, about: r.about, key: r.key, known: r.known, vocab: x.vocabulary(),
	}
	at, inside, ok := container(value, atOf(p, reply))
	if ok {
		if path, items, found := array(inside, reply.List); found {
			own, are := objects(items)
			if here := f.match(own); are && (here.key || len(own) == 0) {
				entries := append(here.entries, x.locateTotals(reply, table, inside)...)
				return append(entries, x.idForms(p, here, own)...), location{join(at, path), own, here}
			}
		}
	}
	best, ok := bestList(value, f)
	if !ok {
		return nil, location{}
	}
	outer, name := parent(best.path)
	entries := slices.Clone(best.matched.entries)
	entries = append(entries, x.idForms(p, best.matched, best.objects)...)
	around := value
	if outer == at && ok {
		entries = append(entries, set(first(name, reply.List), append(slices.Clone(table), "list")...))
		around = inside
	} else if around, ok = profile.Lookup(value, outer); ok {
		entries = append(entries, x.atEntry(outer, reply, table))
		if _, items, found := array(around, reply.List); !found || len(items) != len(best.objects) {
			entries = append(entries, set(first(name, reply.List), append(slices.Clone(table), "list")...))
		}
	}
	return append(entries, x.locateTotals(reply, table, around)...), best
}

// locateTotals returns entries for the fields beside the array of a list, such as the total.
func (x *Examination) locateTotals(reply profile.Reply, table []string, around any) []entry {
	object, ok := around.(map[string]any)
	if !ok || len(reply.Fields) == 0 {
		return nil
	}
	scalars := map[string]any{}
	for name, value := range object {
		if isScalar(value) || isObject(value) {
			scalars[name] = value
		}
	}
	f := fields{table: append(slices.Clone(table), "fields"), names: reply.Fields, vocab: x.vocabulary()}
	return f.match(sample{scalars}).entries
}

func isObject(value any) bool { _, is := value.(map[string]any); return is }

// atEntry returns the entry for the object around the data: for all replies if its name says nothing of the operation.
func (x *Examination) atEntry(path string, reply profile.Reply, table []string) entry {
	general := path != "" && len(reply.At) == 0 && !x.settled["replies.at"]
	for _, name := range strings.Split(path, ".") {
		general = general && slices.ContainsFunc(x.profile.Candidates.Envelopes, func(known string) bool { return strings.EqualFold(known, name) })
	}
	if general {
		return set(first(path, first("", nil)), "replies", "at")
	}
	if path == "" {
		return set(profile.Names{""}, append(slices.Clone(table), "at")...)
	}
	return set(first(path, profile.Names{""}), append(slices.Clone(table), "at")...)
}

func (x *Examination) locateObject(p *profile.Profile, r reading, value any) ([]entry, location) {
	reply, table := replyOf(p, r.op)
	f := fields{table: append(slices.Clone(table), "fields"), names: reply.Fields, about: r.about, key: r.key, known: r.known, vocab: x.vocabulary()}
	at, inside, ok := container(value, atOf(p, reply))
	if object, is := inside.(map[string]any); ok && is {
		own := sample{object}
		if here := f.match(own); here.key && !dotted(here.entries) {
			return append(here.entries, x.idForms(p, here, own)...), location{at, own, here}
		}
	}
	best, found := bestObject(value, f)
	if !found {
		return nil, location{}
	}
	entries := append(slices.Clone(best.matched.entries), x.idForms(p, best.matched, best.objects)...)
	if best.path != at || !ok {
		entries = append(entries, x.atEntry(best.path, reply, table))
	}
	return entries, best
}

// dotted reports whether an entry names something inside another object.
func dotted(entries []entry) bool {
	return slices.ContainsFunc(entries, func(e entry) bool {
		names, _ := e.value.(profile.Names)
		return len(names) > 0 && strings.Contains(names[0], ".")
	})
}

// idForms returns entries for ids that come in another form than the profile says.
func (x *Examination) idForms(p *profile.Profile, m matched, objects sample) (entries []entry) {
	for _, path := range m.found {
		if !endsIn(path, "uniqueid") {
			continue
		}
		_, own := parent(path)
		kind := own[:len(own)-len("uniqueID")]
		form := profile.UUID
		if p.Forms.IDs[kind] == profile.Integer {
			form = profile.Integer
		}
		values := m.values(path, objects)
		switch {
		case form == profile.UUID && all(values, isWhole):
			entries = append(entries, set(string(profile.Integer), "forms", "ids", kind))
		case form == profile.Integer && all(values, isUUID):
			entries = append(entries, set(string(profile.UUID), "forms", "ids", kind))
		}
	}
	return entries
}

// values returns the values of a field that was found in objects.
func (m matched) values(path string, objects sample) []any {
	values := objects.values(m.at[path])
	return slices.DeleteFunc(values, func(value any) bool { return value == nil })
}

// finding returns the findings of a reading.
func (x *Examination) finding(r reading, o outcome) []finding.Finding {
	table := "operations." + string(r.op)
	if !o.good {
		f := x.found(finding.Fail, x.whyNot(o.probe), "came", o.came, "operation", string(r.op))
		f.Entries = confirmed(finding.Differs, table+".path")
		return []finding.Finding{f}
	}
	x.passed = true
	x.note(o)
	part := ".reply.fields."
	if r.isList {
		part = ".reply.items."
	}
	var paths []string
	for _, path := range o.location.matched.found {
		paths = append(paths, table+part+path)
	}
	var found []finding.Finding
	if len(o.entries) > 0 {
		f := x.differs(o.came, o.entries)
		f.Entries = append(f.Entries, confirmed(finding.OK, paths...)...)
		found = append(found, f)
	} else {
		f := x.found(finding.OK, "bank.confirmed", "fields", len(paths))
		f.Entries = append(confirmed(finding.OK, table+".path", table+".method"), confirmed(finding.OK, paths...)...)
		found = append(found, f)
	}
	if absent := o.location.matched.absent; len(absent) > 0 {
		f := finding.New(finding.NotTried, "bank.absent", "fields", strings.Join(absent, ", "))
		for _, path := range absent {
			f.Entries = append(f.Entries, finding.Entry{Path: table + part + path, Status: finding.NotTried})
		}
		found = append(found, f)
	}
	return found
}

// whyNot returns the code of the finding for a read that nothing brings further.
func (x *Examination) whyNot(probe portal.Probe) string {
	switch {
	case probe.Err == errSpent:
		return "bank.read.spent"
	case wrongPath(probe):
		return "bank.read.no_path"
	case probe.Status == 401 || probe.Status == 403:
		return "bank.read.no_session"
	case answered(probe):
		return "bank.read.not_understood"
	case probe.Status >= 500 || probe.Status == 0:
		return "bank.read.failing"
	}
	return "bank.read.refuses"
}
