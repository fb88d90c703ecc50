package portal

import (
	"context"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
)

// The operations of the bank's page Processes that change something.
const (
	ProcessCreate OperationID = "processCreate"
	ProcessUpdate OperationID = "processUpdate"
	ProcessSubmit OperationID = "processSubmit"
	ProcessCancel OperationID = "processCancel"
)

// NotInCreation is why the bank refuses Process Update once a process is submitted.
const NotInCreation Reason = "process.notInCreation"

func init() { registerWrites(ProcessCreate, ProcessUpdate, ProcessSubmit, ProcessCancel) }

// ProcessUpdateRequest is the body of Process Update. The bank's page marks all fields as optional.
type ProcessUpdateRequest struct {
	LoanAmount         pii.Money `json:"loanAmount,omitzero"` // euros
	LoanDurationMonths *int32    `json:"loanDurationMonths,omitzero"`
	ProductSchemeID    *int32    `json:"productSchemeId,omitzero"`
	LoanPurposeID      *int32    `json:"loanPurposeId,omitzero"`
	ProductPurposeID   *int32    `json:"productPurposeId,omitzero"`
	HasCrossSelling    *bool     `json:"hasCrossSelling,omitzero"`
	BranchID           *int32    `json:"branchId,omitzero"`
}

// ProcessCreateRequest is the body of Process Create: a simulation, the fields of Process Update, or both. The bank's reference
// does not print it.
type ProcessCreateRequest struct {
	SimulationUniqueID uuid.UUID `json:"simulationUniqueId,omitzero"`
	ProcessUpdateRequest
}

// ProcessCreated is the reply of Process Create.
type ProcessCreated struct {
	ProcessUniqueID uuid.UUID
	OperationStatus OperationStatus
}

// Request returns the process as the body of an update that changes nothing. The bank may clear what an update omits, so
// change fields of it and send it whole. The numbers that it points to are shared with the reply.
func (p Process) Request() ProcessUpdateRequest {
	request := ProcessUpdateRequest{
		LoanAmount:         p.LoanAmount,
		LoanDurationMonths: p.LoanDurationMonths,
		ProductSchemeID:    p.ProductSchemeID,
		LoanPurposeID:      p.LoanPurposeID,
		ProductPurposeID:   p.ProductPurposeID,
		HasCrossSelling:    p.HasCrossSelling,
	}
	if p.BranchID != 0 {
		request.BranchID = &p.BranchID
	}
	return request
}

// CreateProcess opens a process of the broker. It is sent once. After an error of kind [Unclear] the process may exist.
//
// Of Process Create the bank's reference prints only title and method.
func (u *User) CreateProcess(ctx context.Context, process ProcessCreateRequest) (ProcessCreated, error) {
	var reply processCreateReply
	err := u.do(ctx, call{op: ProcessCreate, body: process}, &reply)
	return ProcessCreated{reply.AdditionalData.ProcessUniqueID, reply.OperationStatus}, err
}

type processCreateReply struct {
	OperationStatus OperationStatus `json:"operationStatus"`
	AdditionalData  struct {
		ProcessUniqueID uuid.UUID `json:"processUniqueID"`
	} `json:"additionalData"`
}

func (r *processCreateReply) lacks() string {
	if r.AdditionalData.ProcessUniqueID == uuid.Nil {
		return "additionalData.processUniqueID"
	}
	return ""
}

// UpdateProcess replaces what a process asks for, while it is in creation. Whether the bank clears omitted fields is not
// public: send the whole object, from [Process.Request]. It is sent once. After an error of kind [Unclear] the change may have
// been made.
//
// See Process Update on the bank's page Processes.
func (u *User) UpdateProcess(ctx context.Context, process uuid.UUID, data ProcessUpdateRequest) (OperationStatus, error) {
	var reply writeReply
	err := u.do(ctx, call{op: ProcessUpdate, path: pathValues{"processUniqueId": process}, body: data}, &reply)
	return reply.OperationStatus, err
}

// SubmitProcess hands a process that is in creation to the bank. It cannot be taken back. It is sent once. After an error of
// kind [Unclear] the process may be submitted.
//
// Of Process Submit the bank's reference prints only title and method.
func (u *User) SubmitProcess(ctx context.Context, process uuid.UUID) (OperationStatus, error) {
	var reply writeReply
	err := u.do(ctx, call{op: ProcessSubmit, path: pathValues{"processUniqueId": process}}, &reply)
	return reply.OperationStatus, err
}

// CancelProcess ends a process for a reason of the taxonomy proposalCancelReasons; 0 is none. It is sent once. After an error
// of kind [Unclear] the process may be cancelled.
//
// Of Process Cancel the bank's reference prints only title and method.
func (u *User) CancelProcess(ctx context.Context, process uuid.UUID, reason int32) (OperationStatus, error) {
	query := url.Values{}
	if reason != 0 {
		query.Set("proposalCancelReasonId", strconv.Itoa(int(reason)))
	}
	var reply writeReply
	err := u.do(ctx, call{op: ProcessCancel, path: pathValues{"processUniqueId": process}, query: query}, &reply)
	return reply.OperationStatus, err
}
