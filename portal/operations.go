package portal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// OperationID is the id of an operation: its title in the bank's navigation, in camel case. That of a taxonomy is its key
// and «Get»: maritalStatusesGet.
type OperationID string

// Operation is a row of the table of operations. Each file of this package registers the rows of its methods.
type Operation struct {
	ID     OperationID
	Method string // printed in the bank's navigation
	// Path is a template in the syntax of [http.ServeMux], below the base URL. It is empty for a taxonomy that
	// the bank has no operation for.
	Path string
	// Parameters are the names in the query and the body that a refusal may name, beside the placeholders of Path and the
	// fields of a borrower.
	Parameters []string
	// Missing are the statuses with which the bank says that what the call names does not exist. Others of a 404 and its like
	// say that there is no operation at Path.
	Missing []int
	// Confirmed says that the bank's page prints method and path. The other paths are inferred.
	Confirmed bool
	// Writes says that the operation changes something at the bank: it is never sent twice.
	Writes bool
}

var operations []Operation

// register adds rows to the table. It panics if an operation is registered twice.
func register(rows ...Operation) {
	for _, row := range rows {
		if slices.ContainsFunc(operations, func(op Operation) bool { return op.ID == row.ID }) {
			panic(fmt.Sprintf("portal: operation %q is registered twice", row.ID))
		}
		operations = append(operations, row)
	}
}

// Operations returns the table: one row for each operation of the bank that this client calls. testdata/operations.txt
// shows it.
func Operations() []Operation {
	return slices.DeleteFunc(slices.Clone(operations), func(op Operation) bool { return op.Path == "" })
}

// Route corrects a row of the table of operations; empty fields change nothing.
type Route struct {
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	// Items are the values of a taxonomy; with them the bank is not called.
	Items []TaxonomyItem `json:"items,omitempty"`
}

// ReadRoutes reads a file for [Config.Operations]: {"processList": {"path": "/v1/process"}}.
func ReadRoutes(r io.Reader) (map[OperationID]Route, error) {
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	routes := map[OperationID]Route{}
	if err := decoder.Decode(&routes); err != nil {
		return nil, fmt.Errorf("reading the settings of operations: %w", err)
	}
	if decoder.More() {
		return nil, errors.New("reading the settings of operations: more than one JSON value")
	}
	return routes, nil
}

// row is an operation as one client calls it.
type row struct {
	Operation
	items []TaxonomyItem
}

// table returns the table of operations with routes applied. Its error lists everything that is wrong with them.
func table(routes map[OperationID]Route) (map[OperationID]row, error) {
	rows := make(map[OperationID]row, len(operations))
	for _, op := range operations {
		rows[op.ID] = row{Operation: op}
	}
	var wrong []error
	for id, route := range routes {
		row, known := rows[id]
		if !known {
			wrong = append(wrong, fmt.Errorf("operation %q is unknown", id))
			continue
		}
		if err := route.check(row.Operation); err != nil {
			wrong = append(wrong, fmt.Errorf("operation %q: %w", id, err))
		}
		if route.Method != "" {
			row.Method = route.Method
		}
		if route.Path != "" {
			row.Path, row.Confirmed = route.Path, false
		}
		row.items = route.Items
		rows[id] = row
	}
	slices.SortFunc(wrong, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return rows, errors.Join(wrong...)
}

var (
	methods     = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	placeholder = regexp.MustCompile(`\{\w+\}`)
	template    = regexp.MustCompile(`^(/([\w.~-]+|\{\w+\}))+/?$`)
)

func (r Route) check(op Operation) error {
	if r.Method != "" && !slices.Contains(methods, r.Method) {
		return fmt.Errorf("method %q must be one of %s", r.Method, strings.Join(methods, ", "))
	}
	if r.Path != "" && !template.MatchString(r.Path) {
		return fmt.Errorf("path %q must be like /v1/name/{id}", r.Path)
	}
	if r.Path != "" && !slices.Equal(placeholders(r.Path), placeholders(op.Path)) {
		return fmt.Errorf("path %q must have the placeholders %s", r.Path, placeholders(op.Path))
	}
	if r.Items != nil && !isTaxonomy(op.ID) {
		return errors.New("only a taxonomy has items")
	}
	return nil
}

// placeholders returns the placeholders of a path, such as {processUniqueId}, sorted.
func placeholders(path string) []string {
	found := placeholder.FindAllString(path, -1)
	slices.Sort(found)
	return found
}
