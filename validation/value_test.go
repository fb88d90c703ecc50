package validation

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/internal/pii"
)

// params are what the tags of ours that want a parameter get.
var params = map[string]string{"text": "=20", "document": "=Suffix"}

// asTyped is one text in the types that a field may have.
func asTyped(s string) []any {
	return []any{s, &s, pii.New[pii.Name](s), pii.New[pii.TaxID](s), pii.New[pii.CheckDigits](s), pii.New[pii.BirthDate](s),
		pii.New[pii.ExpiryDate](s), pii.New[pii.Email](s), pii.New[pii.Phone](s), pii.New[pii.Address](s), pii.New[pii.PostalCode](s)}
}

func TestAFieldCheckedAloneHasTheSameProblemsAsInItsStruct(t *testing.T) {
	values := []any{pii.Money{}, pii.Flag{}, pii.Yes(), (*int32)(nil), (*string)(nil)}
	for _, s := range []string{"", "   ", "299999998", "PT 299 999 990", "599999993", "12345678902", "22345678900", "987-65-4321", "00000000",
		"0ZZ4", "1000-001", "1000001", "+351912345678", "212345678 ext 5", "760123456", "maria@example.com", "maria@", "1985-04-12",
		"12/04/1985", "2010-01-01", "2026-12-01", "1800-01-01", "2999-01-01", "Maria Exemplo", "Maria", "M4ria", "Rua\x00Exemplo",
		"a text of more than twenty characters", "PT50000201231234567890154", "0", "7", "11", "841", "-1", "0.333", "1000001"} {
		values = append(values, asTyped(s)...)
	}
	for _, n := range []int32{-1, 0, 1, 11, 21, 840, 841, 1_000_001} {
		values = append(values, n, &n, pii.Euros(decimal.New(int64(n), 0)), pii.Euros(decimal.New(int64(n), -3)))
	}
	tags := []string{"required", "max=5", "gte=1", "min=1", "lte=5"}
	for tag := range rules {
		tags = append(tags, tag+params[tag], "required,"+tag+params[tag], "omitempty,"+tag+params[tag])
	}
	checks := New(Options{Rules: AskAll(), Now: func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }})
	met := map[string]bool{}
	for _, tag := range tags {
		for _, value := range values {
			within, alone := bothWays(checks, tag, value)
			if !slices.EqualFunc(within, alone, func(a, b Problem) bool {
				return a.Code == b.Code && a.Severity == b.Severity && reflect.DeepEqual(a.Params, b.Params) && a.Path == "field" && b.Path == ""
			}) {
				t.Errorf("%s of a %T: within its struct %v, alone %v", tag, value, within, alone)
			}
			met[tag] = met[tag] || len(alone) > 0
		}
	}
	for tag := range rules {
		if tag := tag + params[tag]; !met[tag] {
			t.Errorf("no value fails %s", tag)
		}
	}
}

// bothWays checks a value within a struct of one field, and alone.
func bothWays(checks *Checker, tag string, value any) (within, alone Report) {
	holder := reflect.New(reflect.StructOf([]reflect.StructField{{
		Name: "Field", Type: reflect.TypeOf(value), Tag: reflect.StructTag(fmt.Sprintf(`json:"field" validate:%q`, tag)),
	}})).Elem()
	holder.Field(0).Set(reflect.ValueOf(value))
	return checks.Struct(holder.Interface()), checks.Value(tag, value)
}

func TestAnAbsentValueIsOnlyMissing(t *testing.T) {
	checks := New(Options{})
	if got := checks.Value("required,nif_person", nil); len(got) != 1 || got[0].Code != string(Required) {
		t.Errorf("got %v", got)
	}
	if got := checks.Value("omitempty,nif_person", nil); got != nil {
		t.Errorf("got %v", got)
	}
}
