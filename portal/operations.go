package portal

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/balcao/balcao/portal/profile"
)

// OperationID is the id of an operation: its title in the bank's navigation, in camel case. That of a taxonomy is its key
// and «Get»: maritalStatusesGet. The profile has its path and its names.
type OperationID string

// Operation is an operation of the bank that this client calls.
type Operation struct {
	ID     OperationID
	Method string
	// Path is a template in the syntax of [http.ServeMux], below the base URL. It is empty for a taxonomy that
	// the bank has no operation for.
	Path string
	// Parameters are the names in the query and the body that a caller gives, beside the placeholders of Path.
	Parameters []string
	// Missing are the statuses with which the bank says that what the call names does not exist. Others of a 404 and its like
	// say that there is no operation at Path.
	Missing []int
	// Confirmed says that the bank's page prints method and path; see [profile.Profile.Mark].
	Confirmed bool
	// Writes says that the operation changes something at the bank: it is never sent twice.
	Writes bool
}

// registered are the operations that this client calls, and whether they write, but for those that read taxonomies.
var registered = map[OperationID]bool{}

// operations are all that this client calls, and whether they write. Which taxonomies there are is in the profile, which is not
// read before it is needed.
var operations = sync.OnceValue(func() map[OperationID]bool {
	for _, key := range Taxonomies() {
		registerReads(key.Operation())
	}
	return registered
})

// registerReads registers operations that change nothing at the bank. Each file of this package registers those of its
// methods. It panics if one is registered twice.
func registerReads(ids ...OperationID) { register(ids, false) }

// registerWrites registers operations that change something at the bank.
func registerWrites(ids ...OperationID) { register(ids, true) }

func register(ids []OperationID, writes bool) {
	for _, id := range ids {
		if _, twice := registered[id]; twice {
			panic(fmt.Sprintf("portal: operation %q is registered twice", id))
		}
		registered[id] = writes
	}
}

// Operations returns the operations of a profile that this client calls, sorted by id. testdata/operations.txt shows those
// of the built-in profile.
func Operations(p *profile.Profile) []Operation {
	var all []Operation
	for _, row := range table(p) {
		if row.Path != "" {
			all = append(all, row.Operation)
		}
	}
	slices.SortFunc(all, func(a, b Operation) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return all
}

// row is an operation as one client calls it.
type row struct {
	Operation
	wire *profile.Wire
}

func isPageParameter(name string) bool { return slices.Contains(pageParameters, name) }

// table returns the operations that this client calls as a profile has them.
func table(p *profile.Profile) map[OperationID]row {
	rows := make(map[OperationID]row, len(operations()))
	for id := range operations() {
		rows[id] = rowOf(p, id)
	}
	return rows
}

// rowOf returns a registered operation as a profile has it.
func rowOf(p *profile.Profile, id OperationID) row {
	wire := p.Wire(string(id))
	if wire == nil {
		panic(fmt.Sprintf("portal: the profile has no operation %q", id)) // a test reads every operation
	}
	mark, _ := p.Mark("operations." + string(id) + ".path")
	return row{wire: wire, Operation: Operation{
		ID: id, Method: wire.Method, Path: wire.Path, Parameters: slices.DeleteFunc(wire.Names(), isPageParameter), Missing: wire.Missing,
		Confirmed: mark == profile.Confirmed, Writes: operations()[id],
	}}
}
