package tools

import (
	"time"

	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/validation"
)

// OfProcess is the input of the tools that take a process and nothing else.
type OfProcess struct {
	Process ProcessRef `json:"process" page:"process" validate:"required"`
}

// OfBorrower is the input of the tools that take a borrower of a process and nothing else.
type OfBorrower struct {
	Process  ProcessRef  `json:"process" page:"process" validate:"required"`
	Borrower BorrowerRef `json:"borrower" page:"borrower" validate:"required"`
}

// Nothing is the input of tools that take none.
type Nothing struct{}

// Day is a day of the calendar that tells nothing of a person.
type Day string

// Class says so.
func (Day) Class() pii.Class { return pii.Open }

// Begins is the moment in Lisbon when the day begins; the zero time for what is no day.
func (d Day) Begins() time.Time {
	date, err := validation.ParseDateInput(string(d))
	if err != nil {
		return time.Time{}
	}
	return time.Date(date.Year, date.Month, date.Day, 0, 0, 0, 0, lisbon.Zone)
}
