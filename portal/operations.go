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

// OperationID names an operation of the bank: its title in the bank's navigation, in camel case.
type OperationID string

// The operations beside the taxonomies, whose ids are their key and «Get»: maritalStatusesGet.
const (
	Authenticate     OperationID = "authenticate"
	BorrowerList     OperationID = "borrowerList"
	BorrowerGet      OperationID = "borrowerGet"
	BorrowerCreate   OperationID = "borrowerCreate"
	BorrowerUpdate   OperationID = "borrowerUpdate"
	BorrowerDelete   OperationID = "borrowerDelete"
	ProcessList      OperationID = "processList"
	ProcessDetail    OperationID = "processDetail"
	ProcessESISGet   OperationID = "processESISGet"
	ProcessESISEmail OperationID = "processESISEmail"
	CallbackList     OperationID = "callbackList"
	CallbackUpdate   OperationID = "callbackUpdate"
	CallbackDelete   OperationID = "callbackDelete"
	CallbackEcho     OperationID = "callbackEcho"
)

// Operation is a row of the table of operations.
type Operation struct {
	ID     OperationID
	Method string
	// Path is a template in the syntax of [http.ServeMux], below the base URL. It is empty for a taxonomy that
	// the bank has no operation for.
	Path string
	// Confirmed tells that the bank's page prints method and path. The other paths are inferred.
	Confirmed bool
	// Writes tells that the operation changes something at the bank, and must never be sent twice on a guess.
	Writes bool
}

// Every method is printed in the bank's navigation; of the paths only those of the borrowers are.
var operations = append([]Operation{
	{ID: Authenticate, Method: http.MethodPost, Path: "/v1/authentication"}, // opening a second session harms nobody
	{ID: BorrowerList, Method: http.MethodGet, Path: "/v1/processes/{processUniqueId}/borrower", Confirmed: true},
	{ID: BorrowerGet, Method: http.MethodGet, Path: "/v1/processes/{processUniqueId}/borrower/{borrowerUniqueId}", Confirmed: true},
	{ID: BorrowerCreate, Method: http.MethodPost, Path: "/v1/processes/{processUniqueId}/borrower", Confirmed: true, Writes: true},
	{ID: BorrowerUpdate, Method: http.MethodPut, Path: "/v1/processes/{processUniqueId}/borrower/{borrowerUniqueId}", Confirmed: true, Writes: true},
	{ID: BorrowerDelete, Method: http.MethodDelete, Path: "/v1/processes/{processUniqueId}/borrower/{borrowerUniqueId}", Confirmed: true, Writes: true},
	{ID: ProcessList, Method: http.MethodGet, Path: "/v1/processes"},
	{ID: ProcessDetail, Method: http.MethodGet, Path: "/v1/processes/{processUniqueId}"},
	{ID: ProcessESISGet, Method: http.MethodGet, Path: "/v1/processes/{processUniqueId}/esis"},
	{ID: ProcessESISEmail, Method: http.MethodGet, Path: "/v1/processes/{processUniqueId}/esis/email", Writes: true}, // a GET that sends a document
	{ID: CallbackList, Method: http.MethodGet, Path: "/v1/partners/{partnerUniqueID}/callbacks"},
	{ID: CallbackUpdate, Method: http.MethodPut, Path: "/v1/partners/{partnerUniqueID}/callbacks/{notificationType}", Writes: true},
	{ID: CallbackDelete, Method: http.MethodDelete, Path: "/v1/partners/{partnerUniqueID}/callbacks/{notificationType}", Writes: true},
	{ID: CallbackEcho, Method: http.MethodPost, Path: "/v1/partners/{partnerUniqueID}/callbacks/echo", Writes: true},
}, taxonomyOperations()...)

// Operations returns the table: one row for each operation of the bank that this client calls.
func Operations() []Operation {
	return slices.DeleteFunc(slices.Clone(operations), func(op Operation) bool { return op.Path == "" })
}

// Route corrects a row of the table of operations; what is empty stays as it is.
type Route struct {
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	// Items gives the items of a taxonomy here, so that the bank is not asked.
	Items []TaxonomyItem `json:"items,omitempty"`
}

// ReadRoutes reads a settings file for [Config.Operations]: {"processList": {"path": "/v1/process"}}.
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

// table applies routes to the table of operations, and lists everything that is wrong with them.
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
		return fmt.Errorf("method %q is none of %s", r.Method, strings.Join(methods, ", "))
	}
	if r.Path != "" && !template.MatchString(r.Path) {
		return fmt.Errorf("path %q is no path like /v1/name/{id}", r.Path)
	}
	if r.Path != "" && !slices.Equal(places(r.Path), places(op.Path)) {
		return fmt.Errorf("path %q must hold %s", r.Path, places(op.Path))
	}
	if r.Items != nil && !isTaxonomy(op.ID) {
		return errors.New("only a taxonomy has items")
	}
	return nil
}

func places(path string) []string {
	found := placeholder.FindAllString(path, -1)
	slices.Sort(found)
	return found
}
