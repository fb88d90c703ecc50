package portal

import (
	"context"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
)

// The operations of the bank's page ProcessesProperty.
const (
	PropertyList   OperationID = "propertyList"
	PropertyUpdate OperationID = "propertyUpdate"
)

func init() {
	registerReads(PropertyList)
	registerWrites(PropertyUpdate)
	registerReasons("property.missing", "property.outside")
}

// Day is a day in a request or a reply, YYYY-MM-DD. It is no personal data.
type Day string

// Class returns [pii.Open].
func (Day) Class() pii.Class { return pii.Open }

// PropertyRequest is the body of Property Update. By the bank's page all its fields are optional.
type PropertyRequest struct {
	GrossBuiltArea    *float64       `json:"grossBuiltArea,omitzero"` // square metres
	YearBuilt         *int32         `json:"yearBuilt,omitzero"`
	AcquisitionAmount pii.Money      `json:"acquisitionAmount,omitzero"` // the price, in euros
	AcquisitionDate   Day            `json:"acquisitionDate,omitzero"`
	Address           pii.Address    `json:"address,omitzero"`
	DoorNumber        pii.Address    `json:"doorNumber,omitzero"`
	Floor             pii.Address    `json:"floor,omitzero"`
	DistrictID        *int32         `json:"districtId,omitzero"`
	CountyID          *int32         `json:"countyId,omitzero"`
	ParishID          *int32         `json:"parishId,omitzero"`
	ZipCode           pii.PostalCode `json:"zipCode,omitzero"`
	ZipCodeLocal      pii.Locality   `json:"zipCodeLocal,omitzero"`
}

// Property is an item of Property List.
type Property struct {
	PropertyUniqueID    uuid.UUID      `json:"propertyUniqueID"`
	GrossBuiltArea      *float64       `json:"grossBuiltArea,omitzero"`
	YearBuilt           *int32         `json:"yearBuilt,omitzero"`
	AcquisitionAmount   pii.Money      `json:"acquisitionAmount,omitzero"`
	AcquisitionDate     Day            `json:"acquisitionDate,omitzero"`
	Address             pii.Address    `json:"address,omitzero"`
	DoorNumber          pii.Address    `json:"doorNumber,omitzero"`
	Floor               pii.Address    `json:"floor,omitzero"`
	DistrictID          *int32         `json:"districtID,omitzero" taxonomy:"districts"`
	DistrictDescription string         `json:"districtDescription,omitzero"`
	CountyID            *int32         `json:"countyID,omitzero" taxonomy:"counties"`
	CountyDescription   string         `json:"countyDescription,omitzero"`
	ParishID            *int32         `json:"parishID,omitzero" taxonomy:"parishes"`
	ParishDescription   string         `json:"parishDescription,omitzero"`
	ZipCode             pii.PostalCode `json:"zipCode,omitzero"`
	ZipCodeLocal        pii.Locality   `json:"zipCodeLocal,omitzero"`
	ValuationAmount     pii.Money      `json:"valuationAmount,omitzero"` // of the bank's valuation, in euros
	ValuationDate       Day            `json:"valuationDate,omitzero"`
}

// Request returns the property as the body of an update that changes nothing; see [Borrower.Request].
func (p Property) Request() PropertyRequest {
	return PropertyRequest{
		GrossBuiltArea: p.GrossBuiltArea, YearBuilt: p.YearBuilt,
		AcquisitionAmount: p.AcquisitionAmount, AcquisitionDate: p.AcquisitionDate,
		Address: p.Address, DoorNumber: p.DoorNumber, Floor: p.Floor,
		DistrictID: p.DistrictID, CountyID: p.CountyID, ParishID: p.ParishID,
		ZipCode: p.ZipCode, ZipCodeLocal: p.ZipCodeLocal,
	}
}

// ListProperties returns the properties of a process of the broker, the primary one first.
//
// See Property List on the bank's page ProcessesProperty, which prints no field of its reply and says that it returns the
// primary property: one object is read as a list of one.
func (u *User) ListProperties(ctx context.Context, process uuid.UUID) ([]Property, error) {
	var reply propertyListReply
	err := u.do(ctx, call{op: PropertyList, path: pathValues{"processUniqueId": process}}, &reply)
	return reply.List.all, err
}

// UpdateProperty replaces the data of a property. Whether the bank clears omitted fields is not public: send the whole object,
// from [Property.Request]. It is sent once. After an error of kind [Unclear] the change may have been made.
//
// See Property Update on the bank's page ProcessesProperty.
func (u *User) UpdateProperty(ctx context.Context, process, property uuid.UUID, data PropertyRequest) (OperationStatus, error) {
	var reply writeReply
	err := u.do(ctx, call{op: PropertyUpdate, path: pathValues{"processUniqueId": process, "propertyUniqueId": property}, body: data}, &reply)
	return reply.OperationStatus, err
}

type propertyListReply struct {
	List list[Property] `json:"list"`
}

func (r *propertyListReply) lacks() string {
	if !r.List.present {
		return "propertyList"
	}
	for _, property := range r.List.all {
		if property.PropertyUniqueID == uuid.Nil {
			return "propertyUniqueID in a property"
		}
	}
	return ""
}
