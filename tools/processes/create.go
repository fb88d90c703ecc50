package processes

import (
	"context"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
)

// Create opens a process, from a simulation or with what it asks for (Process Create).
var Create = tools.Define(Toolset, tools.Spec{
	Name: "create_process", Effect: tools.Creates, Operations: []portal.OperationID{portal.ProcessCreate}, AlwaysForm: true,
	Needs: tools.ConvertibleSimulation, CardOrder: 4,
	Next: tools.Next{
		"get_process": {"process"}, "create_borrower": {"process"}, "check_process": {"process"},
	},
	Example: `{"loanAmount":150000,"loanDurationMonths":360,"productPurposeId":1,"loanPurposeId":1,"productSchemeId":1,"hasCrossSelling":true}`,
}, func(ctx context.Context, call *tools.Call, in NewProcess) (ProcessCreated, error) {
	request, err := in.request(ctx, call)
	if err != nil {
		return ProcessCreated{}, err
	}
	created, err := call.Bank.CreateProcess(ctx, request)
	if err != nil {
		return ProcessCreated{}, err
	}
	done := ProcessCreated{Process: created.ProcessUniqueID}
	if process, err := call.Bank.Process(ctx, created.ProcessUniqueID); err == nil { // its number is of use, and not vital
		call.Note(ctx, process.ProcessSummary)
		done.ProcessNumber = process.ProcessNumber
	}
	return done, nil
})

// NewProcess is what a new process begins with.
type NewProcess struct {
	Simulation tools.SimulationRef `json:"simulation,omitzero" page:"loan"`
	Terms
}

// CheckFields implements [tools.FieldChecker].
func (n NewProcess) CheckFields(_ context.Context, call *tools.Call) []tools.Problem {
	problems := n.problems(call)
	if n == (NewProcess{}) {
		problems = append(problems, call.Warning("", "create.empty"))
	}
	return problems
}

func (n NewProcess) request(ctx context.Context, call *tools.Call) (portal.ProcessCreateRequest, error) {
	request := portal.ProcessCreateRequest{ProcessUpdateRequest: n.Terms.request()}
	if n.Simulation == "" {
		return request, nil
	}
	simulation, err := call.Simulation(ctx, n.Simulation)
	request.SimulationUniqueID = simulation.SimulationUniqueID
	return request, err
}

// newest is how many of the broker's processes are read to find one that was just created.
const newest = 20

// FindEffect implements [tools.Verifier]: it looks for the process of the simulation among the newest. Two processes without a
// simulation cannot be told apart, so that such a call stays unclear.
func (n NewProcess) FindEffect(ctx context.Context, call *tools.Call) (tools.Carder, bool, error) {
	request, err := n.request(ctx, call)
	if err != nil {
		return nil, false, err
	}
	simulation := request.SimulationUniqueID
	if simulation == uuid.Nil {
		return nil, false, &tools.Error{Kind: tools.Unclear}
	}
	page, err := call.Bank.ListProcesses(ctx, portal.ProcessQuery{Limit: newest})
	if err != nil {
		return nil, false, err
	}
	processes := make([]portal.Process, len(page.Processes))
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i, row := range page.Processes {
		group.Go(func() (err error) {
			processes[i], err = call.Bank.Process(within, row.ProcessUniqueID)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, false, err
	}
	at := slices.IndexFunc(processes, func(p portal.Process) bool { return p.SimulationUniqueID == simulation })
	if at < 0 {
		return nil, false, nil
	}
	return ProcessCreated{Process: processes[at].ProcessUniqueID, ProcessNumber: processes[at].ProcessNumber}, true, nil
}

// Target implements [tools.Verifier].
func (n NewProcess) Target(ctx context.Context, call *tools.Call) ([]string, error) {
	request, err := n.request(ctx, call)
	if err != nil {
		return nil, err
	}
	if n.Simulation != "" {
		return []string{"new process", request.SimulationUniqueID.String()}, nil
	}
	data, err := pii.MarshalClear(request)
	return []string{"new process", call.Actor.ID, string(data)}, err
}

// ProcessCreated is a new process.
type ProcessCreated struct {
	Process       uuid.UUID `json:"process"`
	ProcessNumber int64     `json:"processNumber,omitzero"` // 0 if it could not be read
}

// Subject implements [tools.Subjecter].
func (p ProcessCreated) Subject() tools.Subject { return tools.Subject{Process: p.Process} }

// Card implements [tools.Carder].
func (p ProcessCreated) Card(say tools.Say) tools.Card {
	number := ""
	if p.ProcessNumber != 0 {
		number = strconv.FormatInt(p.ProcessNumber, 10)
	}
	return tools.Card{
		Title: say("card.title", "number", number), Text: say("card.text"),
		Next: []tools.Step{
			tools.NextStep("check_process", "process", p.Process),
			tools.NextStep("create_borrower", "process", p.Process),
			tools.NextStep("get_process", "process", p.Process),
		},
	}
}
