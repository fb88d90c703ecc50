package portal

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// undescribed are the descriptions of replies that describe no id.
var undescribed = []string{"LastActionDescription"}

func TestEachDescriptionOfAReplyBelongsToAnIDOfATaxonomy(t *testing.T) {
	for _, reply := range []any{Borrower{}, BorrowerSummary{}, PersonalData{}, ProfessionalData{}, Process{}, ProcessSummary{}, Simulation{}, SimulationSummary{},
		SimulationLoan{}, SimulationBorrower{}, SimulationProperty{}, SimulationInsurance{}, SimulationCharge{}} {
		of := reflect.TypeOf(reply)
		paired := map[string]bool{}
		for _, pair := range planOf(of).pairs {
			paired[of.Field(pair.text).Name] = true
			if pair.taxonomy != "" && !slices.Contains(Taxonomies(), pair.taxonomy) {
				t.Errorf("%s.%s has an id of %q, which is no taxonomy", of, pair.name, pair.taxonomy)
			}
		}
		for i := range of.NumField() {
			field := of.Field(i)
			_, tagged := field.Tag.Lookup("taxonomy")
			switch {
			case strings.HasSuffix(field.Name, "Description") && !paired[field.Name] && !slices.Contains(undescribed, field.Name):
				t.Errorf("%s.%s describes no id: tag the id with its taxonomy", of, field.Name)
			case tagged && !paired[strings.TrimSuffix(field.Name, "ID")+"Description"]:
				t.Errorf("%s.%s has a taxonomy and no description", of, field.Name)
			}
		}
	}
}

func TestDescriptionsOfTheBanksExample(t *testing.T) {
	data, err := os.ReadFile("testdata/borrower-get.reply.json")
	if err != nil {
		t.Fatal(err)
	}
	var reply Borrower
	if err := json.Unmarshal(data, &reply); err != nil {
		t.Fatal(err)
	}
	want := []Description{
		{Member: "BorrowerTypeID", Taxonomy: "borrowerTypes", ID: 1, Given: true, Text: "KeyBorrower"},
		{Member: "KeyBorrowerRelationID", Taxonomy: "keyBorrowerRelations", ID: 1, Given: true, Text: "Spouse"},
		{Member: "Personal.GenderID", Taxonomy: "genders", ID: 2, Given: true, Text: "Male"},
		{Member: "Personal.NationalityID", Taxonomy: "countries", Other: true, ID: 1, Given: true, Text: "Portuguese"},
		{Member: "Personal.IdentificationDocumentTypeID", Taxonomy: "identificationDocuments", ID: 1, Given: true, Text: "Citizen Card"},
		{Member: "Personal.MaritalStatusID", Taxonomy: "maritalStatuses", ID: 3, Given: true, Text: "Married"},
		{Member: "Personal.MatrimonialRegimeID", Taxonomy: "matrimonialRegimes", ID: 1, Given: true, Text: "General Communion"},
		{Member: "Personal.ResidenceTypeID", Taxonomy: "residenceTypes", ID: 5, Given: true, Text: "Own"},
		{Member: "Personal.AcademicLevelID", Taxonomy: "academicLevels", ID: 4, Given: true, Text: "Bachelor"},
		{Member: "Personal.CountryID", Taxonomy: "countries", ID: 1, Given: true, Text: "Portugal"},
		{Member: "Professional.EmploymentProfessionID", Taxonomy: "professions", ID: 10, Given: true, Text: "Construction"},
		{Member: "Professional.EmploymentSituationID", Taxonomy: "employmentSituations", ID: 1, Given: true, Text: "Self Employed"},
		{Member: "Professional.EmploymentPositionDepartmentID", Taxonomy: "employmentDepartmentPositions", ID: 5, Given: true, Text: "Administrative"},
		{Member: "Professional.EmploymentContractTypeID", Taxonomy: "employmentContractTypes", ID: 1, Given: true, Text: "Effective"},
	}
	if diff := cmp.Diff(want, Descriptions(&reply)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestEachReplyWithDescriptionsIsReported(t *testing.T) {
	replies := map[string]string{
		"/borrower/": `{"borrowerUniqueID":"7a000000-0000-4000-8000-000000000001","borrowerTypeID":1,"borrowerTypeDescription":"Mutuário"}`,
		"/borrower":  `{"borrowerList":[{"borrowerTypeID":1,"borrowerTypeDescription":"Mutuário"},{"borrowerTypeID":2,"keyBorrowerRelationID":3,"keyBorrowerRelationDescription":"Filho"}]}`,
		"/processes": `{"processList":[{"processUniqueID":"7a000000-0000-4000-8000-000000000002","processStatusID":17,"processStatusDescription":"Em análise","branchID":4,"branchDescription":"Rossio"}]}`,
		"/taxonomy/": `[{"id":1,"description":"Feminino"}]`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/authentication") {
			_, _ = w.Write([]byte(`{"sessionToken":"t"}`))
			return
		}
		for _, part := range []string{"/borrower/", "/borrower", "/taxonomy/", "/processes"} {
			if strings.Contains(r.URL.Path, part) {
				_, _ = w.Write([]byte(replies[part]))
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	var told []string
	client, err := New(Config{
		BaseURL: server.URL, ClientID: "id", ClientSecret: "secret",
		Described: func(_ context.Context, language string, said []Description) {
			for _, one := range said {
				if one.Text != "" {
					told = append(told, language+" "+one.Member+" "+one.Text)
				}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	user := client.As(Login{BrokerUID: uuid.New(), Username: "maria"}, "pt-PT")
	_, one := user.Borrower(t.Context(), uuid.New(), uuid.New())
	_, all := user.ListBorrowers(t.Context(), uuid.New())
	_, processes := user.ListProcesses(t.Context(), ProcessQuery{})
	_, items := user.Taxonomy(t.Context(), "genders")
	for _, err := range []error{one, all, processes, items} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"pt-PT BorrowerTypeID Mutuário", "pt-PT BorrowerTypeID Mutuário", "pt-PT KeyBorrowerRelationID Filho",
		"pt-PT ProcessStatusID Em análise", "pt-PT BranchID Rossio",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
