package tools

// OfProcess is the input of the tools that take a process and nothing else.
type OfProcess struct {
	Process ProcessRef `json:"process" page:"process" validate:"required"`
}

// OfBorrower is the input of the tools that take a borrower of a process and nothing else.
type OfBorrower struct {
	Process  ProcessRef  `json:"process" page:"process" validate:"required"`
	Borrower BorrowerRef `json:"borrower" page:"borrower" validate:"required"`
}

// OfDocument is the input of the tools that take a document of a process and nothing else.
type OfDocument struct {
	Process  ProcessRef  `json:"process" page:"process" validate:"required"`
	Document DocumentRef `json:"document" page:"document" validate:"required"`
}

// OfSimulation is the input of the tools that take a simulation and nothing else.
type OfSimulation struct {
	Simulation SimulationRef `json:"simulation" page:"simulation" validate:"required"`
}

// Nothing is the input of tools that take none.
type Nothing struct{}

// FreeText is text of several lines. A field of this type says its class of personal data in the tag pii.
type FreeText string
