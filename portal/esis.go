package portal

import (
	"bytes"
	"context"
	"net/url"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/content"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/spool"
)

// The operations of the bank's pages ProcessesESIS and SimulationsESIS.
const (
	ProcessESISGet      OperationID = "processESISGet"
	ProcessESISEmail    OperationID = "processESISEmail"
	SimulationESISGet   OperationID = "simulationESISGet"
	SimulationESISEmail OperationID = "simulationESISEmail"
)

func init() {
	registerReads(ProcessESISGet, SimulationESISGet)
	registerWrites(ProcessESISEmail, SimulationESISEmail)
	registerReasons("esis.age", "esis.term", "esis.noKey", "esis.loan", "esis.state", "esis.address")
}

// ESISOptions are the options of an ESIS.
type ESISOptions struct {
	IgnoreRules bool // skip the rules of Law 24/2023 for making an ESIS
}

// ESIS is the European Standardised Information Sheet of a process or a simulation (FINE in Portugal), a PDF. It is a
// customer's document; only its size is printed and logged. The caller closes it.
type ESIS struct{ *spool.File }

// ProcessESIS returns the ESIS of the process's current iteration. The bank makes it in Portuguese only. If the process is
// not ready for one, the error is of kind [Refused] and its messages say what is missing.
//
// See Process ESIS Get on the bank's page ProcessesESIS.
func (u *User) ProcessESIS(ctx context.Context, process uuid.UUID, options ESISOptions) (ESIS, error) {
	return u.esis(ctx, ProcessESISGet, pathValues{"processUniqueId": process}, options)
}

// SimulationESIS returns the ESIS of a simulation, as [User.ProcessESIS] does that of a process.
//
// Of Simulation ESIS Get the bank's reference prints only title and method.
func (u *User) SimulationESIS(ctx context.Context, simulation uuid.UUID, options ESISOptions) (ESIS, error) {
	return u.esis(ctx, SimulationESISGet, pathValues{"simulationUniqueId": simulation}, options)
}

func (u *User) esis(ctx context.Context, op OperationID, of pathValues, options ESISOptions) (ESIS, error) {
	query := url.Values{}
	if options.IgnoreRules {
		query.Set("ignoreRules", "true")
	}
	var reply esisReply
	err := u.do(ctx, call{op: op, path: of, query: query}, &reply)
	return reply.esis(err), err
}

// ESISEmail are the address and the options of an ESIS that is sent.
type ESISEmail struct {
	To          pii.Email
	IgnoreRules bool // skip the rules of Law 24/2023 for making an ESIS
}

// EmailProcessESIS makes the bank send the ESIS of the process's current iteration to an address. Although it is a GET, it
// discloses a customer's document and cannot be undone: it is sent once, and after an error of kind [Unclear] nothing at
// the bank shows whether the document was sent.
//
// See Process ESIS Email on the bank's page ProcessesESIS.
func (u *User) EmailProcessESIS(ctx context.Context, process uuid.UUID, email ESISEmail) (OperationStatus, error) {
	return u.emailESIS(ctx, ProcessESISEmail, pathValues{"processUniqueId": process}, email)
}

// EmailSimulationESIS makes the bank send the ESIS of a simulation to an address. It is sent once, as that of
// [User.EmailProcessESIS].
//
// Of Simulation ESIS Email the bank's reference prints only title and method.
func (u *User) EmailSimulationESIS(ctx context.Context, simulation uuid.UUID, email ESISEmail) (OperationStatus, error) {
	return u.emailESIS(ctx, SimulationESISEmail, pathValues{"simulationUniqueId": simulation}, email)
}

func (u *User) emailESIS(ctx context.Context, op OperationID, of pathValues, email ESISEmail) (OperationStatus, error) {
	query := url.Values{"sendAddress": {email.To.Reveal()}}
	if email.IgnoreRules {
		query.Set("ignoreRules", "true")
	}
	var reply writeReply
	err := u.do(ctx, call{op: op, path: of, query: query}, &reply)
	return reply.OperationStatus, err
}

// esisReply is the file in base64. That it is a PDF is checked.
type esisReply struct {
	ESIS content.Mark `json:"esis"`

	found content.Files
}

func (r *esisReply) contentField() string { return "esis" }

func (r *esisReply) attach(found content.Files) { r.found = found }

func (r *esisReply) file() *spool.File { return r.found[r.ESIS] }

// esis returns the ESIS, none after an error.
func (r *esisReply) esis(err error) ESIS {
	if err != nil {
		return ESIS{}
	}
	return ESIS{r.file()}
}

// lacks names the file unless it begins as a PDF: readers accept the header within the first 1,024 bytes.
func (r *esisReply) lacks() string {
	head := r.file().Head()
	if !bytes.Contains(head[:min(len(head), 1024)], []byte("%PDF-")) {
		return "PDF in esis"
	}
	return ""
}
