package tools_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
)

func TestMain(m *testing.M) {
	waittest.Parallel(16) // most of the time, tests wait until a lease has expired
	goleak.VerifyTestMain(m)
}

// env is a replica with the calls that several tests make.
type env struct{ *testenv.Env }

// start starts one replica with an embedded Redis.
func start(t *testing.T, change ...func(*tools.Config)) env {
	t.Helper()
	return env{testenv.Start(t, testenv.Options{}).Replica(t, change...)}
}

// startCluster starts a bank that accepts a borrower twice, and a Redis; replicas of it share both.
func startCluster(t *testing.T) env {
	t.Helper()
	return startClusterOn(t, redistest.StartServer(t))
}

func startClusterOn(t *testing.T, server *redistest.Server) env {
	t.Helper()
	return env{testenv.Start(t, testenv.Options{
		Sandbox: sandbox.Config{LenientTaxIDs: true}, Redis: server.URL(),
	})}
}

func (e env) replica(t *testing.T, change ...func(*tools.Config)) env {
	t.Helper()
	return env{e.Replica(t, change...)}
}

// withLongCalls sets a time-out that a slow bank does not exceed, and withShortCalls one whose end a test can wait for. The
// lease of a call is as long.
func withLongCalls(c *tools.Config)  { c.CallTimeout = 30 * time.Second }
func withShortCalls(c *tools.Config) { c.CallTimeout = 4 * time.Second }

// create creates one borrower under one key, as a second click or the retry of an assistant does.
func (e env) create(t *testing.T) (tools.Result, *tools.Error) {
	t.Helper()
	return e.Call(t, "create_borrower", testenv.NewBorrower(nil), testenv.WithKey("a click"))
}

// createUntilDone repeats create until the call is no longer under way or unclear.
func (e env) createUntilDone(t *testing.T) (result tools.Result) {
	t.Helper()
	waittest.Eventually(t, "the call is done", func() bool {
		var failure *tools.Error
		if result, failure = e.create(t); failure != nil && failure.Kind != tools.Busy && failure.Kind != tools.Unclear {
			t.Fatal(failure)
		}
		return failure == nil
	})
	return result
}

// recoverOne recovers until one call is finished. No attempt may fail.
func (e env) recoverOne(t *testing.T) {
	t.Helper()
	waittest.Eventually(t, "a call is recovered", func() bool {
		finished, err := e.Recover(t.Context())
		if err != nil || finished > 1 {
			t.Fatalf("%d finished, %v", finished, err)
		}
		return finished == 1
	})
}

// recoverOneEventually is recoverOne for calls that stay open for a while: attempts may fail.
func (e env) recoverOneEventually(t *testing.T) {
	t.Helper()
	waittest.Eventually(t, "a call is recovered", func() bool {
		finished, _ := e.Recover(t.Context())
		return finished == 1
	})
}

// wantOnce requires one borrower more than the one of the sample, after this many calls.
func (e env) wantOnce(t *testing.T, result tools.Result, calls int) {
	t.Helper()
	there := e.Bank.Borrowers(sandbox.SampleProcess(1042))
	created, _ := result.Output.(borrowers.BorrowerCreated)
	if len(there) != 2 || there[1] != created.Borrower || e.Bank.Calls(portal.BorrowerCreate) != calls {
		t.Errorf("the bank has %v after %d calls, the output is %v", there, e.Bank.Calls(portal.BorrowerCreate), created.Borrower)
	}
}

// wantSettled requires that nothing is left to recover, and this many new borrowers.
func (e env) wantSettled(t *testing.T, created int) {
	t.Helper()
	waittest.Eventually(t, "nothing is left to recover", func() bool {
		finished, err := e.Recover(t.Context())
		return finished == 0 && err == nil
	})
	if there := e.Bank.Borrowers(sandbox.SampleProcess(1042)); len(there) != 1+created {
		t.Errorf("the bank has %d of them", len(there)-1)
	}
}

// change is a call that changes something about the borrower Ines or a simulation, made under one key.
type change struct {
	tool      string
	args      string
	confirmed []string
	operation portal.OperationID
	done      func(t *testing.T, e env) bool // whether the bank shows it
}

// verifiable are the changes that the bank shows.
var verifiable = map[string]change{
	"an update": {"update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, `"personal":{"mobile":"912 000 111"}`), nil, portal.BorrowerUpdate,
		func(t *testing.T, e env) bool {
			return e.Borrower(t, 1043, testenv.Ines).Personal.Mobile.Reveal() == "+351912000111"
		}},
	"an emptying": {"update_borrower", testenv.BorrowerArgs(1043, testenv.Ines, `"clear":["personal.floor"]`), nil, portal.BorrowerUpdate,
		func(t *testing.T, e env) bool { return e.Borrower(t, 1043, testenv.Ines).Personal.Floor.IsZero() }},
	"a deletion": {"delete_borrower", strings.ReplaceAll(testenv.BorrowerArgs(1043, testenv.Ines), "-", ""), []string{"delete.borrower"}, portal.BorrowerDelete,
		func(_ *testing.T, e env) bool {
			return !slices.Contains(e.Bank.Borrowers(sandbox.SampleProcess(1043)), sandbox.SampleBorrower(1043, testenv.Ines))
		}},
	"a new simulation": {"create_simulation", newSimulation, nil, portal.SimulationCreate,
		func(t *testing.T, e env) bool { return len(e.simulationsOf(t, "Zita Amostra")) == 1 }},
	"an update of a simulation": {"update_simulation", `{"simulation":"2102","loan":{"loanDurationMonths":300}}`, nil, portal.SimulationUpdate,
		func(t *testing.T, e env) bool { return *e.simulation(t, 2102).Loan.LoanDurationMonths == 300 }},
	"a cancellation of a simulation": {"cancel_simulation", `{"simulation":"2102"}`, []string{"simulation.cancel"}, portal.SimulationCancel,
		func(t *testing.T, e env) bool {
			return e.simulation(t, 2102).SimulationStatusID == e.simulation(t, sandbox.SampleWithdrawn).SimulationStatusID
		}},
}

// newSimulation are arguments of create_simulation that have no problem.
const newSimulation = `{"loan":{"loanAmount":150000,"loanDurationMonths":360,"indexTypeId":3,"loanPurposeId":1,"productPurposeId":1},` +
	`"property":{"estimatedValue":200000},"borrower":{"name":"Zita Amostra","age":31,"income":2600}}`

// simulation reads a sample simulation from the bank.
func (e env) simulation(t *testing.T, number int) portal.Simulation {
	t.Helper()
	simulation, err := e.User().Simulation(t.Context(), sandbox.SampleSimulation(number))
	if err != nil {
		t.Fatal(err)
	}
	return simulation
}

// simulationsOf returns the simulations of a person.
func (e env) simulationsOf(t *testing.T, name string) (found []portal.SimulationSummary) {
	t.Helper()
	page, err := e.User().ListSimulations(t.Context(), portal.SimulationQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(page.Simulations, func(s portal.SimulationSummary) bool { return s.BorrowerName.Reveal() != name })
}

// Those of processes and their messages.
func init() {
	detail := func(t *testing.T, e env, number int) portal.Process {
		process, err := e.User().Process(t.Context(), sandbox.SampleProcess(number))
		if err != nil {
			t.Fatal(err)
		}
		return process
	}
	simulation := sandbox.SampleSimulation(sandbox.SampleWithESIS)
	for name, c := range map[string]change{
		"an update of a process": {"update_process", `{"process":"1042","loanAmount":65000}`, nil, portal.ProcessUpdate, func(t *testing.T, e env) bool {
			amount, _ := detail(t, e, 1042).LoanAmount.Reveal()
			return amount.IntPart() == 65000
		}},
		"a submission": {"submit_process", `{"process":"1042"}`, []string{"submit.confirm", "submit.missing"}, portal.ProcessSubmit, func(t *testing.T, e env) bool {
			return detail(t, e, 1042).ProcessStatusDescription == "Documents"
		}},
		"a cancellation": {"cancel_process", `{"process":"1042","reason":1}`, []string{"cancel.confirm"}, portal.ProcessCancel, func(t *testing.T, e env) bool {
			return detail(t, e, 1042).ProcessStatusDescription == "Cancelled"
		}},
		"a message": {"send_message", `{"process":"1043","subject":"Prazo & taxa","text":"Bom dia,\nqual é o prazo? 300 < 360."}`, nil, portal.ProcessesMessageCreate, func(_ *testing.T, e env) bool {
			texts := e.Bank.Messages(sandbox.SampleProcess(1043))
			return len(texts) == 4 && texts[3] == "Bom dia,\nqual é o prazo? 300 < 360."
		}},
		"a process of a simulation": {"create_process", `{"simulation":"` + simulation.String() + `"}`, nil, portal.ProcessCreate, func(t *testing.T, e env) bool {
			page, err := e.User().ListProcesses(t.Context(), portal.ProcessQuery{Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			process, err := e.User().Process(t.Context(), page.Processes[0].ProcessUniqueID)
			return err == nil && process.SimulationUniqueID == simulation && e.Bank.Created() == 1
		}},
	} {
		verifiable[name] = c
	}
}

// email is a change that the bank does not show.
var email = change{"send_esis", testenv.BorrowerArgs(1043, testenv.Ines), []string{"recipient.send"}, portal.ProcessESISEmail,
	func(_ *testing.T, e env) bool { return len(e.Bank.Sent()) > 0 }}

func (e env) make(t *testing.T, c change) (tools.Result, *tools.Error) {
	t.Helper()
	return e.Call(t, c.tool, c.args, testenv.Confirmed(c.confirmed...), testenv.WithKey("a click"))
}

// makeUntilDone repeats a change until the call is no longer under way or unclear.
func (e env) makeUntilDone(t *testing.T, c change) (result tools.Result) {
	t.Helper()
	waittest.Eventually(t, "the call is done", func() bool {
		var failure *tools.Error
		result, failure = e.make(t, c)
		if failure != nil && !slices.Contains([]tools.ErrorKind{tools.Busy, tools.Unclear, tools.Unavailable}, failure.Kind) {
			t.Fatal(failure)
		}
		return failure == nil
	})
	return result
}

// wantDone requires the bank to show a change after this many calls.
func (e env) wantDone(t *testing.T, c change, calls int) {
	t.Helper()
	if !c.done(t, e) || e.Bank.Calls(c.operation) != calls {
		t.Errorf("done %v after %d calls, want %d", c.done(t, e), e.Bank.Calls(c.operation), calls)
	}
}
