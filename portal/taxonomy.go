package portal

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/balcao/balcao/internal/words"
)

// TaxonomyKey is the name of a taxonomy: its title in the bank's navigation, in camel case.
type TaxonomyKey string

// TaxonomyItem is a value of a taxonomy.
type TaxonomyItem struct {
	ID          int32  `json:"id"`
	Description string `json:"description"`
}

// The taxonomies of the bank's navigation, and below them those that the bank has ids for but no operation.
var (
	taxonomies = []TaxonomyKey{
		"brokerTypes", "brokerSubTypes", "brokerClassifications", "brokerFeeTypes", "brokerStatuses",
		"brokerIVARegimes", "brokerRetentionRegimes", "brokerExtractPeriodicity",
		"countries", "countryWithDistricts", "districts", "districtsWithCounties", "counties", "countyWithParishes", "parishes",
		"documentTypes", "documentCategories", "productPurposes", "loanPurposes", "productSchemes",
		"indexTypeSubCategories", "indexTypes", "indexTypeListMixed", "fixedFixedPeriod", "mixedFixedPeriod",
		"bankChargeTypes", "propertyTypologies", "entityTypes", "identificationDocuments",
		"maritalStatuses", "matrimonialRegimes", "residenceTypes", "genders",
		"professions", "employmentContractTypes", "employmentSituations", "employmentDepartmentPositions",
		"keyBorrowerRelations", "proposalCancelReasons", "proposalRejectReasons", "simulationRejectReasons",
		"workflowPhases", "workflowStatesSimulation", "workflowStatesProposal", "notificationTypes",
	}
	// The number of values of each; their ids count from 1. The bank's examples show borrower type 1 (KeyBorrower) and
	// academic level 4 (Bachelor), the other ids are inferred.
	localTaxonomies = map[TaxonomyKey]int32{"borrowerTypes": 2, "academicLevels": 6}

	//go:embed words
	files embed.FS
	texts = words.Tree(files, "words") // a folder for each part of the bank
)

func init() { register(taxonomyOperations()...) }

// Taxonomies returns every key that [User.Taxonomy] takes.
func Taxonomies() []TaxonomyKey {
	return append(slices.Clone(taxonomies), "borrowerTypes", "academicLevels")
}

// Operation returns the id of the operation that reads the taxonomy.
func (k TaxonomyKey) Operation() OperationID { return OperationID(k + "Get") }

// LocalTaxonomy returns the values of a taxonomy that the bank has no operation for, nil if k is not one.
func LocalTaxonomy(k TaxonomyKey, language string) []TaxonomyItem {
	var items []TaxonomyItem
	for id := range localTaxonomies[k] {
		text := texts.Say(words.Match(language), string(k)+"."+strconv.Itoa(int(id+1)), nil)
		items = append(items, TaxonomyItem{ID: id + 1, Description: text})
	}
	return items
}

// Taxonomy returns the values of a taxonomy, with descriptions in the user's language.
//
// Nothing but the titles of these operations is public: the paths are inferred, and the reply is read as an array, or
// an object with one, of objects with an id and a description. Of the notification types, which the bank says
// are paginated, only the first page is read.
func (u *User) Taxonomy(ctx context.Context, key TaxonomyKey) ([]TaxonomyItem, error) {
	row, known := u.client.rows[key.Operation()]
	switch {
	case !known || !isTaxonomy(row.ID):
		return nil, fmt.Errorf("taxonomy %q is unknown", key)
	case row.items != nil:
		return slices.Clone(row.items), nil
	case row.Path == "":
		return LocalTaxonomy(key, u.language), nil
	}
	var reply taxonomyReply
	err := u.do(ctx, call{op: row.ID}, &reply)
	return reply, err
}

func taxonomyOperations() []Operation {
	var ops []Operation
	for _, key := range Taxonomies() {
		op := Operation{ID: key.Operation(), Method: http.MethodGet}
		if localTaxonomies[key] == 0 {
			op.Path = "/v1/taxonomy/" + kebab(string(key))
		}
		ops = append(ops, op)
	}
	return ops
}

func isTaxonomy(id OperationID) bool {
	return slices.Contains(Taxonomies(), TaxonomyKey(strings.TrimSuffix(string(id), "Get")))
}

// kebab turns brokerIVARegimes into broker-iva-regimes.
func kebab(camel string) string {
	var out strings.Builder
	for i, c := range camel {
		upper := c >= 'A' && c <= 'Z'
		if startsWord := upper && (!isUpper(camel, i-1) || isLower(camel, i+1)); startsWord {
			out.WriteByte('-')
		}
		out.WriteRune(c)
	}
	return strings.ToLower(out.String())
}

func isUpper(s string, i int) bool { return s[i] >= 'A' && s[i] <= 'Z' }
func isLower(s string, i int) bool { return i < len(s) && s[i] >= 'a' && s[i] <= 'z' }

type taxonomyReply []TaxonomyItem

func (r *taxonomyReply) UnmarshalJSON(data []byte) error {
	array, err := arrayIn(data, "")
	if err != nil {
		return err
	}
	return json.Unmarshal(array, (*[]TaxonomyItem)(r))
}

// UnmarshalJSON reads {"id", "description"} and, as the bank names such pairs elsewhere, {"…ID", "…Description"}.
func (t *TaxonomyItem) UnmarshalJSON(data []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return lacking("id and description in an item")
	}
	id, description := field(fields, "id"), field(fields, "description")
	if id == nil || json.Unmarshal(id, &t.ID) != nil || json.Unmarshal(description, &t.Description) != nil {
		return lacking("id and description in an item")
	}
	return nil
}

// field returns the field with the given name, or else the alphabetically first one whose name ends in it.
func field(fields map[string]json.RawMessage, name string) json.RawMessage {
	var found string
	for key := range fields {
		if strings.EqualFold(key, name) {
			return fields[key]
		}
		if strings.HasSuffix(strings.ToLower(key), name) && (found == "" || key < found) {
			found = key
		}
	}
	return fields[found]
}

// arrayIn returns data if it is an array, or else its field name, or else its only array. The bank prints no name for some
// arrays.
func arrayIn(data []byte, name string) (json.RawMessage, error) {
	if isArray(data) {
		return data, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, lacking(cmp.Or(name, "array"))
	}
	if array, ok := fields[name]; ok {
		return array, nil
	}
	var found json.RawMessage
	for _, value := range fields {
		if isArray(value) && found != nil {
			return nil, lacking(cmp.Or(name, "array") + " among its arrays")
		}
		if isArray(value) {
			found = value
		}
	}
	if found == nil {
		return nil, lacking(cmp.Or(name, "array"))
	}
	return found, nil
}

func isArray(data []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("[")) }
