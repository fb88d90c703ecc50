package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// write is an operation that creates or sends something, and what shows at the bank how often it was done.
type write struct {
	tool      string
	operation portal.OperationID // which fails
	args      func(s *writeSoak, i int) map[string]any
	done      func(s *writeSoak, t *testing.T, i int) int // how often the bank did the i-th
	// unseen says that a caller cannot ask the bank whether it was done: an unclear one may never become clear.
	unseen bool
}

// marked is a text that the i-th message or document has, and no other.
func marked(i int) string { return fmt.Sprintf("Recibo %03d", i) }

// writes are the creating and sending operations for assistants, but for that of a borrower, which has a test of its own.
var writes = []write{
	{
		tool: "create_process", operation: portal.ProcessCreate,
		args: func(s *writeSoak, i int) map[string]any {
			return map[string]any{"simulation": s.simulations[i].String()}
		},
		done: func(s *writeSoak, t *testing.T, i int) (count int) {
			for _, process := range s.processes(t) {
				if process.SimulationUniqueID == s.simulations[i] {
					count++
				}
			}
			return count
		},
	},
	{
		tool: "submit_process", operation: portal.ProcessSubmit,
		args: func(s *writeSoak, i int) map[string]any { return map[string]any{"process": s.opened[i].String()} },
		done: func(s *writeSoak, t *testing.T, i int) int {
			if s.bank.State(s.opened[i]) != 1 { // it is no longer in creation
				return 1
			}
			return 0
		},
	},
	{
		tool: "send_message", operation: portal.ProcessesMessageCreate,
		args: func(_ *writeSoak, i int) map[string]any {
			return map[string]any{"process": "1043", "subject": "Recibos", "text": marked(i)}
		},
		done: func(s *writeSoak, _ *testing.T, i int) int { return s.messages(sandbox.SampleProcess(1043), i) },
	},
	{
		tool: "send_esis", operation: portal.ProcessESISEmail, unseen: true,
		args: func(_ *writeSoak, i int) map[string]any {
			number := recipients[i%len(recipients)]
			return map[string]any{"process": fmt.Sprint(number), "borrower": sandbox.SampleBorrower(number, 0).String()}
		},
		done: func(s *writeSoak, _ *testing.T, i int) (count int) {
			for _, sent := range s.bank.Sent() {
				if sent.Process == sandbox.SampleProcess(recipients[i%len(recipients)]) {
					count++
				}
			}
			return count
		},
	},
	{
		tool: "add_document", operation: portal.DocumentCreate,
		args: func(s *writeSoak, i int) map[string]any {
			return map[string]any{"process": "1044", "documentTypeId": 203, "title": marked(i), "files": []string{s.uploads[i]}}
		},
		done: func(s *writeSoak, t *testing.T, i int) (count int) {
			client, user := s.login(t, sandbox.BrokerA)
			defer client.Close()
			all, err := user.ListDocuments(t.Context(), sandbox.SampleProcess(1044))
			if err != nil {
				t.Fatal(err)
			}
			for _, document := range all {
				if document.Title.Reveal() == marked(i) {
					count++
				}
			}
			return count
		},
	},
	{
		tool: "create_simulation", operation: portal.SimulationCreate,
		args: func(_ *writeSoak, i int) map[string]any {
			return map[string]any{
				"loan":     map[string]any{"loanAmount": 100_000 + i, "loanDurationMonths": 360, "indexTypeId": 3, "loanPurposeId": 1, "productPurposeId": 1},
				"property": map[string]any{"estimatedValue": 225_000},
				"borrower": map[string]any{"name": "Rui Amostra", "age": 34, "income": 2_400},
			}
		},
		done: func(s *writeSoak, t *testing.T, i int) (count int) {
			for _, amount := range s.simulated(t) {
				if amount == fmt.Sprint(100_000+i) {
					count++
				}
			}
			return count
		},
	},
	{
		tool: "send_simulation_message", operation: portal.SimulationsMessageCreate,
		args: func(s *writeSoak, i int) map[string]any {
			return map[string]any{"simulation": s.simulations[0].String(), "subject": "Recibos", "text": marked(i)}
		},
		done: func(s *writeSoak, _ *testing.T, i int) int { return s.messages(s.simulations[0], i) },
	},
	{
		tool: "send_simulation_esis", operation: portal.SimulationESISEmail, unseen: true,
		args: func(s *writeSoak, i int) map[string]any {
			return map[string]any{"simulation": s.offered[i].String(), "borrower": "1"}
		},
		done: func(s *writeSoak, _ *testing.T, i int) (count int) {
			for _, sent := range s.bank.Sent() {
				if sent.Simulation == s.offered[i] {
					count++
				}
			}
			return count
		},
	},
}

// recipients are the processes of which the ESIS is sent, each once.
var recipients = []int{1042, 1043, 1044, 1045, 1046, 1048}

// writeSoak is a running soak of writes.
type writeSoak struct {
	*network
	count       int         // of each write
	simulations []uuid.UUID // to make processes of
	offered     []uuid.UUID // simulations of which the ESIS is sent
	opened      []uuid.UUID // processes to submit
	uploads     []string

	mu    sync.Mutex
	kinds map[string]int // of the answers
}

func TestSoakEveryWriteIsDoneOnceDespiteFaults(t *testing.T) {
	parallel(t)
	call, timeout, every := 2*time.Second, 4*time.Minute, 1200*time.Millisecond
	s := &writeSoak{count: 6, kinds: map[string]int{}}
	if *full {
		call, timeout, every = 8*time.Second, 30*time.Minute, 1500*time.Millisecond
		s.count = 60
	}
	s.network = startNetwork(t, sandbox.Config{Processes: s.count}, call)
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	s.prepare(ctx, t)
	var remove []func()
	for _, each := range writes {
		for _, fault := range failingWrites(each.operation) {
			fault.Seed = *seed + uint64(len(remove))
			remove = append(remove, s.bank.Inject(fault))
		}
	}
	answers, killed := s.writeAll(ctx, t, every)
	for _, end := range remove {
		end()
	}
	s.proxy.stopFaults()
	s.check(ctx, t, answers)
	t.Logf("seed %d: %d writes, each asked for twice at once; %d processes killed; answers %v", *seed, len(answers), killed, s.kinds)
	if killed == 0 || s.kinds["unclear"]+s.kinds["connection"] == 0 {
		t.Error("too few faults for a meaningful test")
	}
}

// asked is one of the writes.
type asked struct {
	write
	i int
}

// writeAll has the workers make all writes while replicas are killed, each for two callers at once who have the same key.
func (s *writeSoak) writeAll(ctx context.Context, t *testing.T, every time.Duration) (answers map[*asked][2]toolAnswer, killed int) {
	t.Helper()
	type job struct {
		*asked
		caller int
	}
	answers = map[*asked][2]toolAnswer{}
	jobs, over := make(chan job), make(chan struct{})
	var group, killing sync.WaitGroup
	for w := range workers {
		rng := rand.New(rand.NewPCG(*seed, uint64(200+w)))
		group.Go(func() {
			for job := range jobs {
				said := s.writeUntilAnswered(ctx, rng, job.asked)
				s.mu.Lock()
				both := answers[job.asked]
				both[job.caller] = said
				answers[job.asked] = both
				s.mu.Unlock()
			}
		})
	}
	killing.Go(func() { killed = s.killReplicas(t, every, over) })
	for i := range s.count {
		for _, each := range writes {
			if each.tool == "send_esis" && i >= len(recipients) {
				continue
			}
			one := &asked{each, i}
			jobs <- job{one, 0}
			jobs <- job{one, 1}
		}
	}
	close(jobs)
	group.Wait()
	close(over)
	killing.Wait()
	return answers, killed
}

// writeUntilAnswered repeats a call with its key, at any replica, until the outcome is known. It confirms what it is asked to
// confirm.
func (s *writeSoak) writeUntilAnswered(ctx context.Context, rng *rand.Rand, one *asked) toolAnswer {
	confirmation := ""
	for tries := 0; ; tries++ {
		said := s.try(ctx, rng.IntN(replicas), one, confirmation)
		kind := said.Kind
		if said.Data != nil {
			kind = "done"
		}
		s.mu.Lock()
		s.kinds[kind]++
		s.mu.Unlock()
		wait := 50*time.Millisecond + rand.N(100*time.Millisecond)
		switch kind {
		case "unconfirmed":
			confirmation, wait = said.Confirmation, 0
		case "unclear":
			if one.unseen && tries > 3 {
				return said
			}
			wait += min(said.RetryAfter, time.Second)
		case "busy", "unavailable":
			wait += min(said.RetryAfter, time.Second)
		case "connection":
		default:
			return said
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return said
		}
	}
}

func (s *writeSoak) try(ctx context.Context, replica int, one *asked, confirmation string) toolAnswer {
	args := map[string]any{
		"operation": one.tool, "arguments": one.args(s, one.i), "idempotencyKey": fmt.Sprintf("soak %s %d", one.tool, one.i),
	}
	if confirmation != "" {
		args["confirmation"] = confirmation
	}
	return callTool(ctx, s.client, s.replicas[replica].address(), "write_operation", encoded(args))
}

// check waits a lease longer, since a wrong repetition comes late, and compares what the bank did with what the callers got.
func (s *writeSoak) check(ctx context.Context, t *testing.T, answers map[*asked][2]toolAnswer) {
	t.Helper()
	rng := rand.New(rand.NewPCG(*seed, 300))
	for one, said := range answers {
		for caller := range said {
			if said[caller].Kind == "unclear" && !one.unseen {
				said[caller] = s.writeUntilAnswered(ctx, rng, one)
			}
		}
		answers[one] = said
	}
	time.Sleep(3 * time.Second)
	sure := map[string]int{}
	for one, said := range answers {
		count, done := one.done(s, t, one.i), slices.ContainsFunc(said[:], func(a toolAnswer) bool { return a.Data != nil })
		if done {
			sure[one.tool]++
		}
		switch {
		case count > 1, done && count == 0, !one.unseen && count == 0:
			t.Errorf("%s %d was done %d times; its callers got %s", one.tool, one.i, count, shortened(said))
		case !one.unseen && !done:
			t.Errorf("%s %d was done, and no caller was told: %s", one.tool, one.i, shortened(said))
		}
	}
	for _, each := range writes {
		if sure[each.tool] == 0 {
			t.Errorf("no caller of %s was told that it was done", each.tool)
		}
	}
	s.logFailure(t)
}

func shortened(said [2]toolAnswer) string {
	var texts []string
	for _, each := range said {
		texts = append(texts, fmt.Sprintf("%s %s %.400s", each.Kind, each.Data, each.Text))
	}
	return strings.Join(texts, "; ")
}

// prepare stores what the writes are about, before anything fails.
func (s *writeSoak) prepare(ctx context.Context, t *testing.T) {
	t.Helper()
	client, user := s.login(t, sandbox.BrokerA)
	defer client.Close()
	for _, process := range s.processes(t) {
		if process.ProcessNumber >= sandbox.SampleAdded {
			s.opened = append(s.opened, process.ProcessUniqueID)
		}
	}
	page, err := user.ListSimulations(ctx, portal.SimulationQuery{Limit: 1})
	if err != nil || len(page.Simulations) == 0 {
		t.Fatalf("the bank has %d simulations, %v", len(page.Simulations), err)
	}
	sample, err := user.Simulation(ctx, page.Simulations[0].SimulationUniqueID)
	if err != nil {
		t.Fatal(err)
	}
	request := sample.Request()
	request.Borrowers[0].Email = pii.New[pii.Email]("rui@example.com")
	for range s.count {
		for _, list := range []*[]uuid.UUID{&s.simulations, &s.offered} {
			created, err := user.CreateSimulation(ctx, request)
			if err != nil {
				t.Fatal(err)
			}
			*list = append(*list, created.SimulationUniqueID)
		}
		s.uploads = append(s.uploads, s.upload(ctx, t))
	}
}

// upload gives a file at the address of a replica, and returns its reference.
func (s *writeSoak) upload(ctx context.Context, t *testing.T) string {
	t.Helper()
	said := callTool(ctx, s.client, s.replicas[0].address(), "read_operation", encoded(map[string]any{"operation": "request_upload"}))
	var given struct{ File, Address string }
	if err := json.Unmarshal(said.Data, &given); err != nil {
		t.Fatalf("%v: %s", err, said.Text)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, given.Address+"recibo.pdf", bytes.NewReader([]byte("%PDF-1.7\n1 0 obj\nendobj\ntrailer\n%%EOF\n")))
	if err != nil {
		t.Fatal(err)
	}
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		t.Fatalf("giving a file: %s", response.Status)
	}
	return given.File
}

// processes returns the processes that the bank has now, newest first.
func (s *writeSoak) processes(t *testing.T) (all []portal.Process) {
	t.Helper()
	client, user := s.login(t, sandbox.BrokerA)
	defer client.Close()
	for after := ""; ; {
		page, err := user.ListProcesses(t.Context(), portal.ProcessQuery{Limit: 100, After: after})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page.Processes {
			process, err := user.Process(t.Context(), row.ProcessUniqueID)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, process)
		}
		if after = page.Next; after == "" {
			return all
		}
	}
}

// messages counts the messages on a process or simulation with the i-th text.
func (s *writeSoak) messages(id uuid.UUID, i int) (count int) {
	for _, text := range s.bank.Messages(id) {
		if strings.Contains(text, marked(i)) {
			count++
		}
	}
	return count
}

// simulated returns the amounts of the loans that the bank has simulated, in euros.
func (s *writeSoak) simulated(t *testing.T) (amounts []string) {
	t.Helper()
	client, user := s.login(t, sandbox.BrokerA)
	defer client.Close()
	for after := ""; ; {
		page, err := user.ListSimulations(t.Context(), portal.SimulationQuery{Limit: 100, After: after})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page.Simulations {
			simulation, err := user.Simulation(t.Context(), row.SimulationUniqueID)
			if err != nil {
				t.Fatal(err)
			}
			amount, _ := simulation.Loan.LoanAmount.Reveal()
			amounts = append(amounts, amount.String())
		}
		if after = page.Next; after == "" {
			return amounts
		}
	}
}
