package testenv

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// Ines is the index of the second borrower of process 1043, who is married to the first.
const Ines = 1

// NewBorrower returns arguments of create_borrower that have no problem, for process 1042. The values in change, which are
// JSON, replace those of fields, by name.
func NewBorrower(change map[string]string) string {
	fields := map[string]string{
		"process": `"1042"`, "borrowerTypeId": "2", "keyBorrowerRelationId": "1",
		"name": `"Rui Amostra"`, "birthDate": `"1985-04-12"`, "taxId": `"299999998"`, "mobile": `"912345678"`,
		"email": `"rui@example.com"`, "genderId": "2",
	}
	maps.Copy(fields, change)
	var top, personal []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		member := `"` + name + `":` + fields[name]
		if slices.Contains([]string{"process", "borrowerTypeId", "keyBorrowerRelationId", "financial", "professional"}, name) {
			top = append(top, member)
		} else {
			personal = append(personal, member)
		}
	}
	return "{" + strings.Join(top, ",") + `,"personal":{` + strings.Join(personal, ",") + "}}"
}

// BorrowerArgs returns arguments that name a sample borrower of a process, and members more.
func BorrowerArgs(process, index int, members ...string) string {
	about := fmt.Sprintf(`"process":"%d","borrower":%q`, process, sandbox.SampleBorrower(process, index))
	return "{" + strings.Join(append([]string{about}, members...), ",") + "}"
}

// Borrower reads a sample borrower of a process from the bank.
func (e *Env) Borrower(t testing.TB, process, index int) portal.Borrower {
	t.Helper()
	borrower, err := e.User().Borrower(t.Context(), sandbox.SampleProcess(process), sandbox.SampleBorrower(process, index))
	if err != nil {
		t.Fatal(err)
	}
	return borrower
}

// BorrowerProxy is an [Options.Proxy] that records the updates of borrowers. With a function show it also changes what
// the bank replies about borrowers, and replies to updates itself, without the bank.
type BorrowerProxy struct {
	mu      sync.Mutex
	updates []string
}

// StartWithProxy starts an environment with a BorrowerProxy; show may be nil.
func StartWithProxy(t testing.TB, show func(reply string) string, options Options) (*Env, *BorrowerProxy) {
	t.Helper()
	p := &BorrowerProxy{}
	options.Proxy = func(bank http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, bank, show) })
	}
	return Start(t, options), p
}

// Updates returns the bodies of the updates so far.
func (p *BorrowerProxy) Updates() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.updates)
}

func (p *BorrowerProxy) serve(w http.ResponseWriter, r *http.Request, bank http.Handler, show func(string) string) {
	isBorrower := strings.Contains(r.URL.Path, "/borrower/")
	switch {
	case r.Method == http.MethodPut && isBorrower:
		body, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		p.updates = append(p.updates, string(body))
		p.mu.Unlock()
		if r.Body = io.NopCloser(bytes.NewReader(body)); show == nil {
			break
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"operationStatus":{"operationStatusCode":"050201"}}`)
		return
	case r.Method == http.MethodGet && isBorrower && show != nil:
		reply := httptest.NewRecorder()
		bank.ServeHTTP(reply, r)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(reply.Code)
		_, _ = io.WriteString(w, show(reply.Body.String()))
		return
	}
	bank.ServeHTTP(w, r)
}
