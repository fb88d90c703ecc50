package profile

// Limits are reference values with which a loan is compared. Shares are in percent.
type Limits struct {
	LTV    LTVLimits   `json:"ltv"`
	DSTI   DSTILimits  `json:"dsti"`
	Shocks []RateShock `json:"shocks"` // from the longest term down
	Terms  []TermLimit `json:"terms"`  // from the youngest age up
	Age    AgeLimits   `json:"age"`
}

// LTVLimits are about the loan's share of the lower of price and valuation.
type LTVLimits struct {
	Note        *int `json:"note"` // above it people are told
	OwnHome     *int `json:"own_home"`
	Other       *int `json:"other"`        // second homes and letting
	LenderOwned *int `json:"lender_owned"` // property that the lender owns
}

// DSTILimits are about the share of all monthly instalments in the monthly income.
type DSTILimits struct {
	Note  *int `json:"note"`
	Warn  *int `json:"warn"`
	Limit *int `json:"limit"` // above it lenders may only make exceptions
}

// RateShock is what is added to the rate of a variable or mixed loan over more than so many months.
type RateShock struct {
	OverMonths  int   `json:"over_months"`
	BasisPoints int64 `json:"basis_points"` // 150 is 1.5 percentage points
}

// TermLimit is the longest term for borrowers of whom the oldest is at most so old on the first day.
type TermLimit struct {
	UpToAge int `json:"up_to_age"`
	Years   int `json:"years"`
}

// AgeLimits are about the full years of the oldest borrower on the day of the last instalment.
type AgeLimits struct {
	Note *int `json:"note"`
	Max  *int `json:"max"` // to which the bank lends
}
