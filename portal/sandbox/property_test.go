package sandbox_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
)

func number(n int32) *int32 { return &n }

func TestAPropertyIsReadAndReplaced(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	user, ctx, process := d.user(t), t.Context(), sandbox.SampleProcess(sandbox.SampleOpen)
	list, err := user.ListProperties(ctx, process)
	if err != nil || len(list) != 1 || list[0].PropertyUniqueID != sandbox.SampleProperty(sandbox.SampleOpen, 0) {
		t.Fatalf("%+v, %v", list, err)
	}
	if was := list[0]; was.ParishID != nil || was.CountyDescription != "Oeiras" || was.DistrictDescription != "Lisbon" {
		t.Errorf("of a process in creation little is known: %+v", was)
	}
	data, area := list[0].Request(), 102.5
	data.GrossBuiltArea, data.ParishID, data.AcquisitionDate, data.ZipCodeLocal = &area, number(111002), "2026-12-01", pii.Locality{}
	status, err := user.UpdateProperty(ctx, process, list[0].PropertyUniqueID, data)
	if err != nil || status.Code != "060201" {
		t.Fatalf("%+v, %v", status, err)
	}
	list, err = user.ListProperties(ctx, process)
	if err != nil || *list[0].GrossBuiltArea != 102.5 || list[0].ParishDescription != "Porto Salvo" || list[0].AcquisitionDate != "2026-12-01" || !list[0].ZipCodeLocal.IsZero() {
		t.Errorf("%+v, %v", list, err)
	}
	if after, err := user.Process(ctx, process); err != nil || after.LastActionDescription != "Property updated" {
		t.Errorf("%+v, %v", after, err)
	}
	if list, err := user.ListProperties(ctx, sandbox.SampleProcess(sandbox.SampleGarage)); err != nil || len(list) != 2 || *list[1].GrossBuiltArea != 18 {
		t.Errorf("the one with a garage has %+v, %v", list, err)
	}
}

func TestAPropertyIsRefused(t *testing.T) {
	zero, open := 0.0, sandbox.SampleOpen
	for name, c := range map[string]struct {
		process  int
		property uuid.UUID
		change   func(*portal.PropertyRequest)
		want     portal.Reason
		field    string
	}{
		"of another process":              {open, sandbox.SampleProperty(sandbox.SampleCouple, 0), nil, "property.missing", ""},
		"of a process that has ended":     {sandbox.SampleClosed, sandbox.SampleProperty(sandbox.SampleClosed, 0), nil, "process.state", ""},
		"of another broker's process":     {sandbox.SampleOthers, sandbox.SampleProperty(sandbox.SampleOthers, 0), nil, "process.missing", ""},
		"a county of another district":    {open, uuid.Nil, func(p *portal.PropertyRequest) { p.CountyID = number(1312) }, "property.outside", "countyId"},
		"a parish of another county":      {open, uuid.Nil, func(p *portal.PropertyRequest) { p.ParishID = number(131201) }, "property.outside", "parishId"},
		"an unknown district":             {open, uuid.Nil, func(p *portal.PropertyRequest) { p.DistrictID = number(99) }, "field.id", "districtId"},
		"no area":                         {open, uuid.Nil, func(p *portal.PropertyRequest) { p.GrossBuiltArea = &zero }, "field.range", "grossBuiltArea"},
		"a year long ago":                 {open, uuid.Nil, func(p *portal.PropertyRequest) { p.YearBuilt = number(3) }, "field.range", "yearBuilt"},
		"a price of nothing":              {open, uuid.Nil, func(p *portal.PropertyRequest) { p.AcquisitionAmount = pii.Euros(decimal.Zero) }, "field.range", "acquisitionAmount"},
		"a day that is none":              {open, uuid.Nil, func(p *portal.PropertyRequest) { p.AcquisitionDate = "31/12/2026" }, "field.format", "acquisitionDate"},
		"a postal code of another format": {open, uuid.Nil, func(p *portal.PropertyRequest) { p.ZipCode = pii.New[pii.PostalCode]("2780") }, "field.format", "zipCode"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newHarness(t, sandbox.Config{})
			user, process := d.user(t), sandbox.SampleProcess(c.process)
			data := portal.PropertyRequest{DistrictID: number(11), CountyID: number(1110)}
			if c.change != nil {
				c.change(&data)
			}
			if c.property == uuid.Nil {
				c.property = sandbox.SampleProperty(c.process, 0)
			}
			_, err := user.UpdateProperty(t.Context(), process, c.property, data)
			failure, ok := errors.AsType[*portal.Error](err)
			if !ok || failure.Kind != portal.Refused || !slices.ContainsFunc(failure.Messages, func(m portal.ErrorMessage) bool { return m.Reason == c.want && m.Field == c.field }) {
				t.Errorf("%v, want %s %s", err, c.want, c.field)
			}
		})
	}
}

func TestThePropertyIsValuedWhenTheValuationEnds(t *testing.T) {
	const stateChanged, propertyValued = 1, 8
	for name, c := range map[string]struct {
		state int32
		want  []int // types of notification
	}{
		"analysis to valuation":     {4, []int{stateChanged}},
		"valuation to the contract": {6, []int{propertyValued, stateChanged}},
		"back to the documents":     {2, []int{stateChanged}},
		"cancelled in valuation":    {9, []int{stateChanged}},
	} {
		t.Run(name, func(t *testing.T) {
			d, r := newReceivingHarness(t, sandbox.Config{}, nil)
			process := sandbox.SampleProcess(sandbox.SampleFirst) // in valuation
			if c.state == 4 {
				process = sandbox.SampleProcess(sandbox.SampleAnalysis)
			}
			must(t, d.SetState(process, c.state))
			for _, want := range c.want {
				if n := r.next(t); n.NotificationTypeID != want || n.ProcessUniqueID != process {
					t.Errorf("notified of %+v, want the type %d", n, want)
				}
			}
			waittest.Eventually(t, "all deliveries", func() bool { return d.DeliveryStats().Waiting == 0 })
			r.none(t)
		})
	}
}

// The bank's page says «the primary property»: a bank may answer with one object, alone or under a name.
func TestAPropertyThatIsNoListIsReadAsOne(t *testing.T) {
	for name, list := range map[string]string{"the reply itself": ".", "a field of it": "property."} {
		t.Run(name, func(t *testing.T) {
			of, err := profile.Read("bank.toml", fmt.Appendf(nil, "[operations.propertyList.reply]\nlist = [%q]\n", list))
			must(t, err)
			d := newHarness(t, sandbox.Config{Profile: of})
			body := d.get(t, processPath(sandbox.SampleGarage)+"/property").object(t)
			if inner, is := body["property"].(map[string]any); is {
				body = inner
			}
			if body["propertyUniqueID"] == nil {
				t.Errorf("the bank answers %v", body)
			}
			all, err := d.user(t).ListProperties(t.Context(), sandbox.SampleProcess(sandbox.SampleGarage)) // with the built-in profile
			if err != nil || len(all) != 1 || all[0].PropertyUniqueID != sandbox.SampleProperty(sandbox.SampleGarage, 0) || all[0].CountyDescription == "" {
				t.Errorf("%+v, %v", all, err)
			}
		})
	}
}
