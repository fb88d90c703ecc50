package property

import (
	"context"
	"fmt"
	"math"
	"regexp"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Details has the fields of the bank's request, [portal.PropertyRequest]. By the bank's page all are optional. The limits are
// ours: what no property has blocks, and what few have is a warning.
type Details struct {
	DistrictID        *int32         `json:"districtId,omitzero" page:"location" taxonomy:"districts" pii:"open"`
	CountyID          *int32         `json:"countyId,omitzero" page:"location" taxonomy:"counties" within:"districtId" pii:"open"`
	ParishID          *int32         `json:"parishId,omitzero" page:"location" taxonomy:"parishes" within:"countyId" pii:"open"`
	Address           pii.Address    `json:"address,omitzero" page:"location" validate:"omitempty,text=200"`
	DoorNumber        pii.Address    `json:"doorNumber,omitzero" page:"location" validate:"omitempty,text=100"`
	Floor             pii.Address    `json:"floor,omitzero" page:"location" validate:"omitempty,text=100"`
	ZipCode           pii.PostalCode `json:"zipCode,omitzero" page:"location" validate:"omitempty,zip"`
	ZipCodeLocal      pii.Locality   `json:"zipCodeLocal,omitzero" page:"location" validate:"omitempty,text=100"`
	GrossBuiltArea    *float64       `json:"grossBuiltArea,omitzero" page:"building" pii:"open"`
	YearBuilt         *int32         `json:"yearBuilt,omitzero" page:"building" pii:"open"`
	AcquisitionAmount pii.Money      `json:"acquisitionAmount,omitzero" page:"building"`
	AcquisitionDate   tools.Day      `json:"acquisitionDate,omitzero" page:"building" validate:"omitempty,date"`
}

const (
	smallArea, largeArea = 10.0, 2000.0 // square metres; outside of them the person confirms
	oldestYear           = 1500
	yearsAhead           = 5 // until a building that is begun is finished
	largePrice           = 50_000_000
)

var portugueseZip = regexp.MustCompile(`^[1-9]\d{3}-\d{3}$`)

// CheckFields implements [tools.FieldChecker].
func (d Details) CheckFields(_ context.Context, call *tools.Call) (problems []tools.Problem) {
	if area := d.GrossBuiltArea; area != nil {
		switch {
		case *area <= 0 || math.IsInf(*area, 0) || math.IsNaN(*area):
			problems = append(problems, call.Problem("grossBuiltArea", "property.area"))
		case *area < smallArea || *area > largeArea:
			problems = append(problems, call.Warning("grossBuiltArea", "property.area_unusual", "area", fmt.Sprint(*area)))
		}
	}
	if year := d.YearBuilt; year != nil && (*year < oldestYear || int(*year) > call.Now().Year()+yearsAhead) {
		problems = append(problems, call.Problem("yearBuilt", "property.year", "from", oldestYear, "to", call.Now().Year()+yearsAhead))
	}
	if euros, given := d.AcquisitionAmount.Reveal(); given {
		switch {
		case !euros.IsPositive():
			problems = append(problems, call.Problem("acquisitionAmount", "property.price"))
		case euros.IntPart() > largePrice:
			problems = append(problems, call.Warning("acquisitionAmount", "property.price_unusual"))
		}
	}
	if zip := d.ZipCode.Reveal(); zip != "" && !portugueseZip.MatchString(zip) {
		problems = append(problems, call.Problem("zipCode", "property.zip"))
	}
	return problems
}

// request returns the bank's request.
func (d Details) request() portal.PropertyRequest {
	return portal.PropertyRequest{
		GrossBuiltArea: d.GrossBuiltArea, YearBuilt: d.YearBuilt,
		AcquisitionAmount: d.AcquisitionAmount, AcquisitionDate: portal.Day(d.AcquisitionDate),
		Address: d.Address, DoorNumber: d.DoorNumber, Floor: d.Floor,
		DistrictID: d.DistrictID, CountyID: d.CountyID, ParishID: d.ParishID,
		ZipCode: d.ZipCode, ZipCodeLocal: d.ZipCodeLocal,
	}
}

// detailsOf is the inverse of request.
func detailsOf(r portal.PropertyRequest) Details {
	return Details{
		GrossBuiltArea: r.GrossBuiltArea, YearBuilt: r.YearBuilt,
		AcquisitionAmount: r.AcquisitionAmount, AcquisitionDate: tools.Day(r.AcquisitionDate),
		Address: r.Address, DoorNumber: r.DoorNumber, Floor: r.Floor,
		DistrictID: r.DistrictID, CountyID: r.CountyID, ParishID: r.ParishID,
		ZipCode: r.ZipCode, ZipCodeLocal: r.ZipCodeLocal,
	}
}
