package notifications

import (
	"context"
	"strconv"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
)

// readDetail reads the detail of a process or simulation.
func (r reader) readDetail(ctx context.Context, snapshot *Snapshot) error {
	if snapshot.Simulation != uuid.Nil {
		return r.readSimulation(ctx, snapshot)
	}
	return r.readProcess(ctx, snapshot)
}

func (r reader) readProcess(ctx context.Context, snapshot *Snapshot) error {
	found, err := r.bank.Process(ctx, snapshot.Process)
	if err != nil {
		return err
	}
	snapshot.Number = found.ProcessNumber
	snapshot.StatusID, snapshot.Status = found.ProcessStatusID, found.ProcessStatusDescription
	snapshot.Phase = found.ProcessPhaseDescription
	if found.ProcessPhaseID != nil {
		snapshot.PhaseID = *found.ProcessPhaseID
	}
	snapshot.BranchID, snapshot.Branch = found.BranchID, found.BranchDescription
	snapshot.LastAction, snapshot.action = found.LastActionDate.UTC(), found.LastActionDescription
	if r.index != nil {
		return r.index.AddProcesses(ctx, []portal.ProcessSummary{found.ProcessSummary})
	}
	return nil
}

func (r reader) readSimulation(ctx context.Context, snapshot *Snapshot) error {
	found, err := r.bank.Simulation(ctx, snapshot.Simulation)
	if err != nil {
		return err
	}
	snapshot.Number = found.SimulationNumber
	snapshot.StatusID, snapshot.Status = found.SimulationStatusID, found.SimulationStatusDescription
	snapshot.BranchID, snapshot.Branch = found.BranchID, found.BranchDescription
	snapshot.LastAction, snapshot.Made = found.LastActionDate.UTC(), found.ProcessNumber
	return nil
}

// diffDetail returns the changes of the detail. meaning is the name of what the status of a simulation means now.
func diffDetail(before, after Snapshot, meaning string) (changes []Change) {
	if before.StatusID != after.StatusID {
		kind := StatusChanged
		if meaning == Approved || meaning == Rejected {
			kind = meaning
		}
		changes = append(changes, Change{kind, before.status(), after.status()})
	}
	if before.Made == 0 && after.Made != 0 {
		changes = append(changes, Change{Kind: ProcessMade, To: strconv.FormatInt(after.Made, 10)})
	}
	if before.BranchID != after.BranchID {
		changes = append(changes, Change{BranchChanged, named(before.Branch, before.BranchID), named(after.Branch, after.BranchID)})
	}
	return changes
}

func (p Snapshot) status() string { return named(p.Status, p.StatusID) }

// named returns a text of the bank's lists, or its id if the bank gives no text.
func named(text string, id int32) string {
	if text == "" {
		return strconv.Itoa(int(id))
	}
	return text
}
