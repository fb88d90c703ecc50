package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

func init() {
	serve(portal.PropertyList, (*Bank).listProperties)
	// The code is inferred: the bank's table of production codes is cut before its category 06, «Process P…».
	serveWrite(portal.PropertyUpdate, "060201", (*Bank).updateProperty)
}

const (
	oldestBuilding = 1500   // year
	largestArea    = 10_000 // square metres
)

// property is a property as it was sent.
type property struct {
	id     uuid.UUID
	data   portal.PropertyRequest
	valued portal.Day // by the bank; "" if it was not
	value  pii.Money
}

// properties are those of each process: one, but for two of [SampleGarage].
var properties = &table[[]property]{first: func(b *Bank, process uuid.UUID) []property {
	p, known := b.store.processes[process]
	if !known {
		return nil
	}
	return sampleProperties(p, b.values)
}}

type propertyList struct {
	List []portal.Property `json:"list"`
}

// listProperties is Property List. That a process may have several is inferred from the title: the bank's page speaks of the
// primary one.
func (b *Bank) listProperties(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, err := b.process(c)
	if err != nil {
		return nil, err
	}
	reply := propertyList{List: []portal.Property{}}
	for _, known := range *properties.row(b, p.id) {
		reply.List = append(reply.List, known.reply(c.lang))
	}
	return reply, nil
}

// updateProperty replaces all data: what is omitted is deleted, as in [Bank.updateBorrower].
func (b *Bank) updateProperty(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, err := b.process(c)
	if err != nil {
		return nil, err
	}
	id, err := pathID(c, "propertyUniqueId")
	if err != nil {
		return nil, err
	}
	all := *properties.row(b, p.id)
	at := slices.IndexFunc(all, func(known property) bool { return known.id == id })
	if at < 0 {
		return nil, refused(http.StatusBadRequest, "property.missing")
	}
	var data portal.PropertyRequest
	if err := decode(c.body, &data); err != nil {
		return nil, err
	}
	if p.ended() {
		return nil, refused(http.StatusBadRequest, "process.state")
	}
	if problems := b.values.checkProperty(data, c.now); len(problems) > 0 {
		return nil, &refusal{http.StatusBadRequest, problems}
	}
	all[at].data = data
	p.touch(c.now, string(c.operation))
	return done(c), nil
}

// checkProperty returns the problems of a property. The rules are ours.
func (v values) checkProperty(data portal.PropertyRequest, now time.Time) []problem {
	c := &checker{now: now, rules: v.profile.Rules, lists: v.lists}
	if area := data.GrossBuiltArea; area != nil && (*area <= 0 || *area > largestArea) {
		c.add("field.range", "grossBuiltArea")
	}
	if year := data.YearBuilt; year != nil && (*year < oldestBuilding || int(*year) > now.Year()+5) {
		c.add("field.range", "yearBuilt")
	}
	if euros, given := data.AcquisitionAmount.Reveal(); given && !euros.IsPositive() {
		c.add("field.range", "acquisitionAmount")
	}
	c.date("acquisitionDate", string(data.AcquisitionDate))
	c.length("address", data.Address.Reveal())
	c.length("doorNumber", data.DoorNumber.Reveal())
	c.length("floor", data.Floor.Reveal())
	c.length("zipCodeLocal", data.ZipCodeLocal.Reveal())
	c.shape("zipCode", data.ZipCode.Reveal(), zipShape)
	c.id("districtId", "districts", data.DistrictID)
	c.id("countyId", "counties", data.CountyID)
	c.id("parishId", "parishes", data.ParishID)
	c.outside("countyId", "counties", data.CountyID, data.DistrictID)
	c.outside("parishId", "parishes", data.ParishID, data.CountyID)
	return c.problems
}

// outside refuses a county outside of the district, or a parish outside of the county.
func (c *checker) outside(field string, key portal.TaxonomyKey, id, in *int32) {
	if id == nil || in == nil {
		return
	}
	if unit, known := c.lists[key][*id]; known && unit.In != 0 && unit.In != *in {
		c.add("property.outside", field)
	}
}

func (p property) reply(lang dialect) portal.Property {
	data := p.data
	return portal.Property{
		PropertyUniqueID: p.id, GrossBuiltArea: data.GrossBuiltArea, YearBuilt: data.YearBuilt,
		AcquisitionAmount: data.AcquisitionAmount, AcquisitionDate: data.AcquisitionDate,
		Address: data.Address, DoorNumber: data.DoorNumber, Floor: data.Floor,
		DistrictID: data.DistrictID, DistrictDescription: describe("districts", data.DistrictID, lang),
		CountyID: data.CountyID, CountyDescription: describe("counties", data.CountyID, lang),
		ParishID: data.ParishID, ParishDescription: describe("parishes", data.ParishID, lang),
		ZipCode: data.ZipCode, ZipCodeLocal: data.ZipCodeLocal, ValuationAmount: p.value, ValuationDate: p.valued,
	}
}

// valueProperties sets the bank's valuation of each property of a process, a little above the price, and notifies the broker.
// The caller holds the bank's lock.
func (b *Bank) valueProperties(p *process) {
	all := *properties.row(b, p.id)
	for i := range all {
		price, _ := all[i].data.AcquisitionAmount.Reveal()
		all[i].value, all[i].valued = pii.Euros(price.Mul(decimal.New(104, -2)).Round(0)), portal.Day(b.now().Format(time.DateOnly))
	}
	b.recordAction(p, notification{NotificationTypeID: propertyValued})
}

// ValueProperty makes the bank value the properties of a process.
func (b *Bank) ValueProperty(id uuid.UUID) error {
	return b.withProcess(id, func(p *process) error {
		b.valueProperties(p)
		return nil
	})
}

// SampleProperty returns the id of a sample process's property, counted from 0; the primary one comes first.
func SampleProperty(number, index int) uuid.UUID { return sampleID("property", number, index) }

// sampleProperties returns the properties of a new process. Of one in creation little is known yet.
func sampleProperties(p *process, of values) []property {
	at := sampleParishes[int(p.number)%len(sampleParishes)]
	data := portal.PropertyRequest{
		AcquisitionAmount: pii.Euros(decimal.New(int64(p.loan.Price), -2)),
		Address:           pii.New[pii.Address]("Rua do Modelo"),
		DistrictID:        id(at.district), CountyID: id(at.county),
		ZipCodeLocal: pii.New[pii.Locality](at.local),
	}
	if p.state != inCreation {
		area := 85.5 + float64(p.number%60)
		data.GrossBuiltArea, data.YearBuilt = &area, id(int32(1960+p.number%60))
		data.DoorNumber, data.Floor = pii.New[pii.Address](strconv.FormatInt(p.number%90+1, 10)), pii.New[pii.Address]("3.º Dto.")
		data.ParishID, data.ZipCode = id(at.parish), pii.New[pii.PostalCode](at.zip)
	}
	all := []property{{id: SampleProperty(int(p.number), 0), data: of.located(data)}}
	if p.number == SampleGarage {
		area := 18.0
		garage := data
		garage.GrossBuiltArea, garage.Floor, garage.AcquisitionAmount = &area, pii.New[pii.Address]("-1"), pii.Euros(decimal.New(15_000, 0))
		all = append(all, property{id: SampleProperty(int(p.number), 1), data: of.located(garage)})
	}
	return all
}

// located leaves out the districts, counties and parishes that the bank does not have.
func (v values) located(data portal.PropertyRequest) portal.PropertyRequest {
	for key, id := range map[portal.TaxonomyKey]**int32{"districts": &data.DistrictID, "counties": &data.CountyID, "parishes": &data.ParishID} {
		if *id == nil {
			continue
		}
		if _, known := v.lists[key][**id]; !known {
			*id = nil
		}
	}
	return data
}

// sampleParish is where sample properties are, with ids of the lists in taxonomies.toml.
type sampleParish struct {
	district, county, parish int32
	zip, local               string
}

var sampleParishes = []sampleParish{
	{11, 1106, 110621, "1100-001", "Lisboa"},
	{13, 1312, 131201, "4000-001", "Porto"},
	{11, 1110, 111002, "2780-001", "Oeiras"},
	{3, 303, 30302, "4700-001", "Braga"},
}
