package portal_test

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

var update = flag.Bool("update", false, "write testdata/operations.txt")

func TestTheTableNamesEachOperationOnceWithAPathThatServeMuxTakes(t *testing.T) {
	mux := http.NewServeMux()
	ids := map[portal.OperationID]bool{}
	for _, op := range portal.Operations(profile.Builtin()) {
		mux.HandleFunc(op.Method+" "+op.Path, http.NotFound) // panics at a pattern that is malformed or taken
		if ids[op.ID] {
			t.Errorf("%s is there twice", op.ID)
		}
		ids[op.ID] = true
		if op.Confirmed != strings.Contains(op.Path, "/borrower") {
			t.Errorf("%s: only the paths of the borrowers are printed on a page of the bank", op.ID)
		}
		posts := []portal.OperationID{portal.Authenticate, portal.SimulationValidate} // that change nothing
		gets := []portal.OperationID{portal.ProcessESISEmail, portal.SimulationESISEmail}
		if op.Writes != (op.Method != http.MethodGet && !slices.Contains(posts, op.ID) || slices.Contains(gets, op.ID)) {
			t.Errorf("%s: writes is %v", op.ID, op.Writes)
		}
	}
}

func TestTheTableIsTheOneThatWasReviewed(t *testing.T) {
	const golden = "testdata/operations.txt"
	rows := portal.Operations(profile.Builtin())
	slices.SortStableFunc(rows, func(a, b portal.Operation) int { return strings.Compare(a.Path, b.Path) })
	var table strings.Builder
	columns := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	for _, op := range rows {
		path, effect := "inferred", "reads"
		if op.Confirmed {
			path = "confirmed"
		}
		if op.Writes {
			effect = "writes"
		}
		fmt.Fprintf(columns, "%s\t%s\t%s\t%s\t%s\n", op.Method, op.Path, op.ID, path, effect)
	}
	columns.Flush()
	if *update {
		if err := os.WriteFile(golden, []byte(table.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), table.String()); diff != "" {
		t.Errorf("%s differs; go test ./portal -update writes it:\n%s", golden, diff)
	}
}

// overlay returns the built-in profile with the entries of a file.
func overlay(t *testing.T, file string) *profile.Profile {
	t.Helper()
	p, err := profile.Read("bank.toml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAProfileCorrectsOperations(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/process/"+process.String()+"/detail", text(200, `{"processUniqueID": "`+process.String()+`"}`))
	mux.HandleFunc("POST /v2/taxonomies/maritalStatus", text(200, `[{"value": 3, "label": "Married"}]`))
	mux.HandleFunc("GET /v2/taxonomies/borrower-types", text(200, `[{"value": 7, "label": "Guarantor"}]`))
	_, config := overTCP(t, mux.ServeHTTP)
	config.Profile = overlay(t, `
		prefix = "/v2"
		operations.authenticate.prefix = "/v1"
		operations.processDetail.path = "/process/{processUniqueId}/detail"
		taxonomies.path = "/taxonomies/{name}"
		taxonomies.reply.items = { id = "value", description = "label" }
		taxonomies.lists.maritalStatuses = { name = "maritalStatus", method = "POST" }
		taxonomies.lists.academicLevels.items = [{ id = 9, pt = "Outro", en = "Other" }]
		taxonomies.lists.borrowerTypes = { name = "borrower-types", items = [] }
	`)
	user := as(t, config, maria)
	if _, err := user.Process(t.Context(), process); err != nil {
		t.Error(err)
	}
	for key, id := range map[portal.TaxonomyKey]int32{"maritalStatuses": 3, "academicLevels": 9, "borrowerTypes": 7} {
		if items, err := user.Taxonomy(t.Context(), key); err != nil || len(items) != 1 || items[0].ID != id {
			t.Errorf("%s: got %v, %v", key, items, err)
		}
		if user.OwnList(key) {
			t.Errorf("%s is taken to be Balcão's own", key)
		}
	}
}

func TestAStartListsEverythingThatIsWrong(t *testing.T) {
	_, err := portal.New(portal.Config{BaseURL: "bank.example", ReadAttempts: -1, MaxInFlight: 1})
	if err == nil {
		t.Fatal("got no error")
	}
	for _, want := range []string{"base URL", "client id", "client secret", "negative", "MaxInFlight must be at least 2"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is missing in:\n%v", want, err)
		}
	}
}

func TestABaseURLIsCheckedWithoutRepeatingIt(t *testing.T) {
	for _, url := range []string{"", "bank", "ftp://bank", "https://", "https://me:pass@bank", "https://bank?key=x", "https://bank#x", "http://[::1"} {
		_, err := portal.New(portal.Config{BaseURL: url, ClientID: "id", ClientSecret: "secret"})
		if err == nil || strings.Contains(err.Error(), "pass") {
			t.Errorf("%s: got %v", url, err)
		}
	}
}

func TestTheMethodsPutTheirIDsIntoTheRightParameters(t *testing.T) {
	borrower := uuid.New()
	bank, config := overTCP(t, text(404, ""))
	user := as(t, config, maria)
	_, err := user.Borrower(t.Context(), process, borrower)
	wantKind(t, err, portal.WrongPath)
	if want := "/v1/processes/" + process.String() + "/borrower/" + borrower.String(); bank.calls[0].URL.Path != want {
		t.Errorf("got %s, want %s", bank.calls[0].URL.Path, want)
	}
}

func TestACallWithoutTLSBeyondThisMachineIsWarnedOf(t *testing.T) {
	for url, warned := range map[string]bool{
		"https://bank.example": false, "http://127.0.0.1:8080": false, "http://[::1]:8080": false, "http://localhost": false,
		"http://bank.example": true, "http://10.0.0.7": true,
	} {
		var log bytes.Buffer
		if _, err := portal.New(portal.Config{BaseURL: url, ClientID: "id", ClientSecret: "secret", Log: logTo(&log)}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(log.String(), "without TLS"); got != warned {
			t.Errorf("%s: warned is %v", url, got)
		}
	}
}
