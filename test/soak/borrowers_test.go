// Package soak tests that things happen exactly once despite faults, with processes that share a real Redis and are killed
// at random. They create borrowers and do every other creating and sending operation, each requested by two callers at once,
// over a network that drops and delays, at a bank that fails; and they post changes to the team, while Redis is killed too
// and Slack limits calls and loses answers.
package soak

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

var (
	full = flag.Bool("soak.full", false, "500 borrowers instead of 40, and 5,000 callbacks instead of 200")
	seed = flag.Uint64("soak.seed", 1, "of the random faults")
)

func TestMain(m *testing.M) {
	if given, is := os.LookupEnv(replicaVariable); is { // this process is one of the replicas
		os.Exit(runReplica(given))
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "4"); err != nil { // tests wait for processes more than they compute
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// parallel lets a test run beside the others. In full size each has the machine for itself.
func parallel(t *testing.T) {
	if !*full {
		t.Parallel()
	}
}

// processes are the processes of broker A that accept borrowers.
var processes = []int{1042, 1043, 1044, 1045, 1046, 1047, 1048}

const workers = 8

// borrowerScale sets the size of a soak, and how long a call may take.
type borrowerScale struct {
	borrowers int
	call      time.Duration
	killEvery time.Duration // on average
	timeout   time.Duration
}

// borrowerSoak is a running soak.
type borrowerSoak struct {
	borrowerScale
	*network

	mu           sync.Mutex
	answerCounts map[string]int // by kind
	answers      [][2]answer    // of each borrower, the last that its two callers got
}

func TestSoakEveryBorrowerIsCreatedOnceDespiteFaults(t *testing.T) {
	parallel(t)
	s := &borrowerSoak{borrowerScale: borrowerScale{40, 2 * time.Second, 800 * time.Millisecond, 2 * time.Minute}, answerCounts: map[string]int{}}
	if *full {
		s.borrowerScale = borrowerScale{500, 8 * time.Second, 1500 * time.Millisecond, 20 * time.Minute}
	}
	began := time.Now()
	bank := s.start(t)
	ctx, cancel := context.WithTimeout(t.Context(), s.timeout)
	defer cancel()
	killed := s.createAll(ctx, t)
	for _, remove := range bank {
		remove()
	}
	s.proxy.stopFaults()
	left := s.checkBorrowers(ctx, t)
	shared := s.answerCounts["done"] - len(s.answers)
	t.Logf("seed %d: %d borrowers, each asked for twice at once, in %s; %d processes killed", *seed, s.borrowers, time.Since(began).Round(time.Millisecond), killed)
	t.Logf("faults of connections: %v", s.proxy.counts)
	t.Logf("answers: %v; %d callers stopped at «unclear», which the journal resolved", s.answerCounts, left)
	spoilt := 0
	for _, count := range s.proxy.counts {
		spoilt += count
	}
	if shared <= 0 {
		t.Error("no two callers got the same borrower")
	}
	if killed == 0 || spoilt < s.borrowers/4 || s.answerCounts["unclear"] == 0 {
		t.Error("too few faults for a meaningful test")
	}
}

// start starts the network, with a bank that fails and accepts a person twice. The functions that it returns end the faults
// of the bank.
func (s *borrowerSoak) start(t *testing.T) (faults []func()) {
	t.Helper()
	s.network = startNetwork(t, sandbox.Config{MaxBorrowers: 1000, LenientTaxIDs: true}, s.call)
	s.checkBankAcceptsDuplicates(t)
	for i, fault := range append(failingWrites(portal.BorrowerCreate), sandbox.Fault{Operation: portal.BorrowerList, Probability: 0.02, Status: http.StatusBadGateway}) {
		fault.Seed = *seed + uint64(i)
		faults = append(faults, s.bank.Inject(fault))
	}
	return faults
}

// createAll has the workers create all borrowers while replicas are killed. Each borrower is requested by two callers at
// once, one with an idempotency key and one without.
func (s *borrowerSoak) createAll(ctx context.Context, t *testing.T) (killed int) {
	t.Helper()
	s.answers = make([][2]answer, s.borrowers)
	next, over := make(chan [2]int), make(chan struct{})
	var group, killing sync.WaitGroup
	for w := range workers {
		rng := rand.New(rand.NewPCG(*seed, uint64(100+w)))
		group.Go(func() {
			for at := range next {
				s.answers[at[0]][at[1]] = s.createUntilAnswered(ctx, rng, at[0], at[1] == 0)
			}
		})
	}
	killing.Go(func() { killed = s.killReplicas(t, s.killEvery, over) })
	for i := range s.borrowers {
		next <- [2]int{i, 0}
		next <- [2]int{i, 1}
	}
	close(next)
	group.Wait()
	close(over)
	killing.Wait()
	return killed
}

// createUntilAnswered repeats a creation, with its key or without one, at any replica, until the outcome is known. One
// caller in five stops at an unclear outcome.
func (s *borrowerSoak) createUntilAnswered(ctx context.Context, rng *rand.Rand, i int, keyed bool) answer {
	for {
		said := create(ctx, s.client, s.replicas[rng.IntN(replicas)].address(), borrower(i, keyed))
		if said.Kind == "" && said.Borrower != "" {
			s.count("done")
			return said
		}
		s.count(said.Kind)
		wait := 50*time.Millisecond + rand.N(100*time.Millisecond)
		switch said.Kind {
		case "unclear":
			if rng.IntN(5) == 0 {
				return said
			}
			wait += min(said.RetryAfter, time.Second)
		case "busy", "unavailable":
			wait += min(said.RetryAfter, time.Second)
		case "connection":
		default: // there, or a definite failure: invalid, refused, forbidden…
			return said
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return said
		}
	}
}

func (s *borrowerSoak) count(kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answerCounts[kind]++
}

// checkBorrowers waits until the bank has all borrowers, and a lease longer, since a wrong repetition comes late. Then it
// checks that each is there once, with the id that both callers got. left counts the callers who stopped unanswered.
func (s *borrowerSoak) checkBorrowers(ctx context.Context, t *testing.T) (left int) {
	t.Helper()
	for len(s.borrowersAtBank(t)) < s.borrowers && ctx.Err() == nil {
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(s.call + s.call/2)
	held := s.borrowersAtBank(t)
	for i, said := range s.answers {
		ids := held[taxID(i)]
		if len(ids) != 1 {
			t.Errorf("borrower %d is there %d times; its callers got %+v", i, len(ids), said)
			continue
		}
		for caller, said := range said {
			if said.Kind == "unclear" {
				left++
				said = create(ctx, s.client, s.replicas[0].address(), borrower(i, caller == 0))
			}
			if said.Borrower != ids[0] && said.Kind != "there" {
				t.Errorf("borrower %d is %s, and a caller got %+v", i, ids[0], said)
			}
		}
	}
	if len(held) != s.borrowers {
		t.Errorf("the bank holds %d of %d", len(held), s.borrowers)
	}
	s.logFailure(t)
	return left
}

// borrowersAtBank asks the bank, without the proxy, for the created borrowers. It returns their ids by tax number.
func (s *borrowerSoak) borrowersAtBank(t *testing.T) map[string][]string {
	t.Helper()
	client, user := s.login(t, sandbox.BrokerA)
	defer client.Close()
	held := map[string][]string{}
	for _, process := range processes {
		list, err := user.ListBorrowers(t.Context(), sandbox.SampleProcess(process))
		if err != nil {
			t.Fatal(err)
		}
		for _, member := range list {
			one, err := user.Borrower(t.Context(), sandbox.SampleProcess(process), member.BorrowerUniqueID)
			if err != nil {
				t.Fatal(err)
			}
			if number := one.Personal.TaxID.Reveal(); strings.HasPrefix(number, taxPrefix) {
				held[number] = append(held[number], member.BorrowerUniqueID.String())
			}
		}
	}
	return held
}

// checkBankAcceptsDuplicates checks that this bank accepts the same person twice, so that it is Balcão that prevents it.
func (s *borrowerSoak) checkBankAcceptsDuplicates(t *testing.T) {
	t.Helper()
	client, user := s.login(t, sandbox.BrokerB)
	defer client.Close()
	process := sandbox.SampleProcess(sandbox.SampleOthers)
	list, err := user.ListBorrowers(t.Context(), process)
	if err != nil {
		t.Fatal(err)
	}
	request := portal.BorrowerRequest{}
	if err := json.Unmarshal(requestOf(0), &request); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := user.CreateBorrower(t.Context(), process, request); err != nil {
			t.Fatal(err)
		}
	}
	if again, err := user.ListBorrowers(t.Context(), process); err != nil || len(again) != len(list)+2 {
		t.Fatalf("the bank took %d more, %v", len(again)-len(list), err)
	}
}

// taxPrefix begins the tax numbers of this test; nobody in the sandbox has such a number.
const taxPrefix = "2777"

// taxID returns the i-th valid tax number.
func taxID(i int) string {
	digits, sum := fmt.Sprintf("%s%04d", taxPrefix, i), 0
	for at, digit := range digits {
		sum += (9 - at) * int(digit-'0')
	}
	if control := 11 - sum%11; control < 10 {
		return digits + fmt.Sprint(control)
	}
	return digits + "0"
}

func personal(i int) map[string]any {
	return map[string]any{
		"name": "Pessoa Amostra", "birthDate": "1985-04-12", "taxId": taxID(i), "mobile": fmt.Sprintf("91%07d", i),
		"email": fmt.Sprintf("p%d@example.com", i), "genderId": 2,
	}
}

// borrower returns the arguments of the call for the i-th borrower.
func borrower(i int, keyed bool) json.RawMessage {
	args := map[string]any{
		"process": fmt.Sprint(processes[i%len(processes)]), "borrowerTypeId": 2, "keyBorrowerRelationId": 7, "personal": personal(i),
	}
	if keyed {
		args["idempotencyKey"] = fmt.Sprintf("soak %d", i)
	}
	return encoded(args)
}

// requestOf returns the request to the bank for the i-th borrower.
func requestOf(i int) json.RawMessage {
	return encoded(map[string]any{
		"borrowerTypeId": 2, "keyBorrowerRelationId": 7, "personalDataBorrowerRequest": personal(i),
		"financialDataBorrowerRequest": map[string]any{}, "professionalDataBorrowerRequest": map[string]any{},
	})
}

func encoded(value map[string]any) json.RawMessage {
	data, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprint(slices.Collect(maps.Keys(value)), err)) // texts and numbers marshal
	}
	return data
}
