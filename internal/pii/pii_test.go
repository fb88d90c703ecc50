package pii_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/internal/pii"
)

type person struct {
	Name    pii.Name           `json:"name,omitzero"`
	TaxID   pii.TaxID          `json:"taxId,omitzero"`
	Born    pii.BirthDate      `json:"born,omitzero"`
	Email   pii.Email          `json:"email,omitzero"`
	Mobile  pii.Phone          `json:"mobile,omitzero"`
	Doc     pii.DocumentNumber `json:"doc,omitzero"`
	Zip     pii.PostalCode     `json:"zip,omitzero"`
	Street  pii.Address        `json:"street,omitzero"`
	Wages   pii.Money          `json:"wages,omitzero"`
	Debt    pii.Flag           `json:"debt,omitzero"`
	private pii.TaxID
}

func maria() person {
	return person{
		Name: pii.New[pii.Name]("Maria Exemplo"), TaxID: pii.New[pii.TaxID]("299999998"),
		Born: pii.New[pii.BirthDate]("1985-04-12"), Email: pii.New[pii.Email]("maria@example.com"),
		Mobile: pii.New[pii.Phone]("+351912345678"), Doc: pii.New[pii.DocumentNumber]("00000000"),
		Zip: pii.New[pii.PostalCode]("1000-001"), Street: pii.New[pii.Address]("Rua Exemplo 123"),
		Wages: pii.Euros(decimal.RequireFromString("2512.34")), Debt: pii.Yes(),
		private: pii.New[pii.TaxID]("299999998"),
	}
}

func TestPersonalDataMasksItselfHoweverItIsPrinted(t *testing.T) {
	clear := []string{"Exemplo", "299999998", "1985", "maria@", "912345", "00000000", "1000-001", "2512", "true"}
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	p := maria()
	logger.Info("x", "p", p, "tax", p.TaxID, "wages", p.Wages)
	masked, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	outputs := map[string]string{"json": string(masked), "slog": log.String(), "error": errors.Join(fmt.Errorf("no: %v", p.TaxID)).Error()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		outputs[verb] = fmt.Sprintf(verb, p)
		outputs[verb+" of a pointer"] = fmt.Sprintf(verb, &p)
		outputs[verb+" of one field"] = fmt.Sprintf(verb, p.TaxID)
	}
	func() {
		defer func() { outputs["panic"] = fmt.Sprint(recover()) }()
		panic(p)
	}()
	for how, out := range outputs {
		for _, c := range clear {
			if strings.Contains(out, c) {
				t.Errorf("%s shows %q: %s", how, c, out)
			}
		}
	}
}

func TestMasksShowOnlyWhatTheOwnerNeedsToTellValuesApart(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{pii.New[pii.Name]("Maria João da Silva").String(), "Maria S."},
		{pii.New[pii.Name]("Silva").String(), "••••••"},
		{pii.New[pii.TaxID]("299999998").String(), "••••••998"},
		{pii.New[pii.TaxID]("998").String(), "••••••"},
		{pii.New[pii.Email]("maria@example.com").String(), "m•••@example.com"},
		{pii.New[pii.Email]("not an address").String(), "••••••"},
		{pii.New[pii.Phone]("+351912345678").String(), "+351 ••• ••• 678"},
		{pii.New[pii.PostalCode]("1000-001").String(), "1000-•••"},
		{pii.New[pii.BirthDate](time.Now().AddDate(-40, 0, 0).Format(time.DateOnly)).String(), "40"},
		{pii.New[pii.BirthDate](time.Now().AddDate(-40, 0, 1).Format(time.DateOnly)).String(), "39"},
		{pii.New[pii.BirthDate]("12/04/1985").String(), "••••••"},
		{pii.New[pii.ExpiryDate]("2028-12-31").String(), "••••••"},
		{pii.Euros(decimal.NewFromInt(2512)).String(), "2500–3000 €"},
		{pii.Yes().String(), pii.No().String()},
		{pii.TaxID{}.String(), ""},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestOnlyMarshalClearRevealsValuesAndJSONReadsThem(t *testing.T) {
	data, err := pii.MarshalClear(maria())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"Maria Exemplo","taxId":"299999998","born":"1985-04-12","email":"maria@example.com","mobile":"+351912345678",` +
		`"doc":"00000000","zip":"1000-001","street":"Rua Exemplo 123","wages":2512.34,"debt":true}`
	if string(data) != want {
		t.Fatalf("got  %s\nwant %s", data, want)
	}
	var back person
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if again, err := pii.MarshalClear(back); err != nil || string(again) != want {
		t.Fatalf("a second trip gives %s, %v", again, err)
	}
	if back.TaxID != maria().TaxID {
		t.Error("equal texts compare unequal")
	}
}

func TestAbsentAndZeroAreDifferent(t *testing.T) {
	data, err := pii.MarshalClear(person{Wages: pii.Euros(decimal.Zero), Debt: pii.No()})
	if err != nil || string(data) != `{"wages":0,"debt":false}` {
		t.Fatalf("got %s, %v", data, err)
	}
}

func TestReadErrorsDoNotContainTheValue(t *testing.T) {
	for _, in := range []string{`{"taxId":299999998}`, `{"wages":"2512.34"}`, `{"wages":1e999999999}`, `{"debt":"2512"}`} {
		var p person
		err := json.Unmarshal([]byte(in), &p)
		if err == nil || strings.ContainsAny(err.Error(), "0123456789") {
			t.Errorf("%s: got error %v", in, err)
		}
	}
}
