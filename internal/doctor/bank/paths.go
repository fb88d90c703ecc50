package bank

import (
	"context"
	"slices"
	"strings"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// findPath returns entries with which a read finds its operation: first another path, then another prefix. One whose reply is
// a success has precedence over one that only exists.
func (x *Examination) findPath(ctx context.Context, r reading, so []entry) []entry {
	var exists []entry
	for _, candidate := range x.pathCandidates(r.op) {
		p, err := x.over(slices.Concat(so, candidate))
		if err != nil {
			continue
		}
		probe := x.try(ctx, p, r.op, r.query)
		switch {
		case probe.Err == errSpent:
			return x.followed(r.op, exists)
		case answered(probe):
			return x.followed(r.op, candidate)
		case exists == nil && probe.Status != 0 && !wrongPath(probe) && probe.Status < 500:
			exists = candidate
		}
	}
	return x.followed(r.op, exists)
}

// pathCandidates returns what may be the path of an operation, the likeliest first.
func (x *Examination) pathCandidates(op portal.OperationID) (all [][]entry) {
	own := x.profile.Operations[string(op)]
	var paths []string
	add := func(path string) {
		if path != own.Path && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	for _, other := range sortedKeys(x.moved) {
		m := x.moved[other]
		if rest, below := strings.CutPrefix(own.Path, m.from+"/"); below {
			add(m.to + "/" + rest)
		}
	}
	for _, path := range x.profile.Candidates.Paths[string(op)] {
		add(path)
	}
	for _, path := range paths {
		at := []entry{set(path, "operations", string(op), "path")}
		all = append(all, at)
		if moved := inQuery(op, own.Path, path); moved != nil {
			all = append(all, slices.Concat(at, moved))
		}
	}
	for _, prefix := range x.profile.Candidates.Prefixes {
		if prefix != x.profile.Prefix {
			all = append(all, x.prefixEntries(op, prefix))
		}
	}
	for _, prefix := range x.profile.Candidates.Prefixes {
		for _, path := range paths[:min(len(paths), 2)] {
			if prefix != x.profile.Prefix {
				all = append(all, append(x.prefixEntries(op, prefix), set(path, "operations", string(op), "path")))
			}
		}
	}
	return all
}

// inQuery returns entries that put into the query what is in the path of an operation and not in another path.
func inQuery(op portal.OperationID, own, path string) (entries []entry) {
	for _, name := range profile.Placeholders(own) {
		if !strings.Contains(path, "{"+name+"}") {
			entries = append(entries, set(name, "operations", string(op), "query", name))
		}
	}
	return entries
}

// prefixEntries returns entries for another prefix: of everything but the login if nothing else has been tried yet, else of
// the operation.
func (x *Examination) prefixEntries(op portal.OperationID, prefix string) []entry {
	if op != portal.ProcessList || x.settled["prefix"] {
		return []entry{set(prefix, "operations", string(op), "prefix")}
	}
	entries := []entry{set(prefix, "prefix")}
	if login := x.profile.Operations[string(portal.Authenticate)]; login.Prefix == nil {
		entries = append(entries, set(x.profile.Prefix, "operations", string(portal.Authenticate), "prefix"))
	}
	return entries
}

// followed returns the entries of a moved operation with those of the operations that cannot be tried and stand at the same
// path or below: the bank is taken to have moved them too. Nothing follows an operation that another read is nearer to.
func (x *Examination) followed(op portal.OperationID, entries []entry) []entry {
	path := "operations." + string(op) + ".path"
	at := slices.IndexFunc(entries, func(e entry) bool { return e.path() == path })
	prefix := slices.IndexFunc(entries, func(e entry) bool { return e.path() == "operations."+string(op)+".prefix" })
	if at < 0 && prefix < 0 {
		return entries
	}
	from := x.profile.Operations[string(op)].Path
	to := from
	if at >= 0 {
		to = entries[at].value.(string)
		x.moved[string(op)] = move{from, to}
	}
	for _, id := range sortedKeys(x.profile.Operations) {
		other := x.profile.Operations[id]
		rest, below := strings.CutPrefix(other.Path, from)
		if id == string(op) || isRead(id, other) || !below || rest != "" && !strings.HasPrefix(rest, "/") || x.nearer(other.Path, from) {
			continue
		}
		if at >= 0 {
			entries = append(entries, set(to+rest, "operations", id, "path"))
			entries = append(entries, inQuery(portal.OperationID(id), other.Path, to+rest)...)
		}
		if prefix >= 0 {
			entries = append(entries, set(entries[prefix].value, "operations", id, "prefix"))
		}
	}
	return entries
}

// isRead reports whether an operation is one that the doctor tries.
func isRead(id string, op profile.Operation) bool {
	return op.Method == "GET" && slices.Contains(reads, portal.OperationID(id))
}

// reads are the operations that the doctor tries, beside the lists.
var reads = []portal.OperationID{
	portal.ProcessList, portal.ProcessDetail, portal.BorrowerList, portal.BorrowerGet, portal.ProcessESISGet, portal.CallbackList,
}

// nearer reports whether a read has a path that is nearer to a path than from is.
func (x *Examination) nearer(path, from string) bool {
	return slices.ContainsFunc(reads, func(id portal.OperationID) bool {
		own := profile.Builtin().Operations[string(id)].Path
		return len(own) > len(from) && (path == own || strings.HasPrefix(path, own+"/"))
	})
}
