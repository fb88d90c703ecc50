// Package soak shows that things happen exactly once whatever fails, with real processes that share a real Redis and are
// killed: that they create borrowers, each asked for by two callers, through a network that cuts and delays, at a bank that fails; and that they tell the
// team what moved, while Redis is killed too, Slack wants nothing half the time and its answers are lost. It has tests only.
package soak

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

var (
	full = flag.Bool("soak.full", false, "500 borrowers instead of 40, and 5,000 callbacks instead of 200")
	seed = flag.Uint64("soak.seed", 1, "of the dice that say what fails when")
)

func TestMain(m *testing.M) {
	if given, is := os.LookupEnv(asNotifier); is { // one of the processes that are killed
		os.Exit(notify(given))
	}
	goleak.VerifyTestMain(m)
}

// processes are those of broker A that take borrowers.
var processes = []int{1042, 1043, 1044, 1045, 1046, 1047, 1048}

const (
	replicas = 3
	workers  = 8
)

// scale is how much is done, and how long a call may take.
type scale struct {
	borrowers int
	call      time.Duration
	killEvery time.Duration // on average
	patience  time.Duration
}

// story is a soak under way.
type story struct {
	scale
	server   *httptest.Server // the bank's own door, past the proxy
	proxy    *proxy
	replicas []*replica
	client   *http.Client

	mu      sync.Mutex
	told    map[string]int // answers by kind
	answers [][2]answer    // the last that the two callers for each borrower got
}

func TestSoakEveryBorrowerIsThereOnceWhateverFails(t *testing.T) {
	s := &story{scale: scale{40, 3 * time.Second, 1200 * time.Millisecond, 2 * time.Minute}, told: map[string]int{}}
	if *full {
		s.scale = scale{500, 8 * time.Second, 1500 * time.Millisecond, 20 * time.Minute}
	}
	began := time.Now()
	bank := s.start(t)
	ctx, cancel := context.WithTimeout(t.Context(), s.patience)
	defer cancel()
	killed := s.createAll(ctx, t)
	for _, remove := range bank {
		remove()
	}
	s.proxy.calm()
	left := s.resolved(ctx, t)
	shared := s.told["done"] - len(s.answers)
	t.Logf("seed %d: %d borrowers, each asked for twice at once, in %s; %d processes killed", *seed, s.borrowers, time.Since(began).Round(time.Millisecond), killed)
	t.Logf("what befell connections: %v", s.proxy.counts)
	t.Logf("what callers were told: %v; %d left with «unclear», which the journal resolved", s.told, left)
	spoilt := 0
	for _, count := range s.proxy.counts {
		spoilt += count
	}
	if shared <= 0 {
		t.Error("no two callers were told of the same creation")
	}
	if killed == 0 || spoilt < s.borrowers/4 || s.told["unclear"] == 0 {
		t.Error("too little went wrong for this to show anything")
	}
}

// start starts the bank, the proxy before it, a Redis and the replicas. The faults of the bank end with what it returns.
func (s *story) start(t *testing.T) (faults []func()) {
	t.Helper()
	bank := sandbox.New(sandbox.Config{MaxBorrowers: 1000, LenientTaxIDs: true})
	s.server = httptest.NewServer(bank)
	t.Cleanup(s.server.Close)
	s.twiceIsTaken(t)
	for i, fault := range []sandbox.Fault{
		{Operation: portal.BorrowerCreate, Probability: 0.04, Status: http.StatusServiceUnavailable},
		{Operation: portal.BorrowerCreate, Probability: 0.04, Status: http.StatusInternalServerError, DropAfter: true},
		{Operation: portal.BorrowerCreate, Probability: 0.04, DropAfter: true},
		{Operation: portal.BorrowerCreate, Probability: 0.04, Body: sandbox.Truncated},
		{Operation: portal.BorrowerCreate, Probability: 0.04, Body: sandbox.HTML},
		{Operation: portal.BorrowerCreate, Probability: 0.02, Status: http.StatusTooManyRequests, RetryAfter: time.Second},
		{Operation: portal.BorrowerList, Probability: 0.02, Status: http.StatusBadGateway},
	} {
		fault.Seed = *seed + uint64(i)
		faults = append(faults, bank.Inject(fault))
	}
	s.proxy = startProxy(t, s.server.Listener.Addr().String(), *seed, s.call*2/5)
	key, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	environ := []string{
		"PORTAL_URL=http://" + s.proxy.listener.Addr().String(), "PORTAL_CLIENT_ID=" + sandbox.SampleClientID,
		"PORTAL_CLIENT_SECRET=" + sandbox.SampleClientSecret, "PORTAL_BROKER_UID=" + sandbox.BrokerA.UID.String(),
		"PORTAL_USERNAME=" + sandbox.BrokerA.Users[0], "REDIS_URL=" + redistest.Start(t), "STATE_KEY=" + key,
		"CALL_TIMEOUT=" + s.call.String(), "LANG=en",
	}
	program := build(t)
	for i := range replicas {
		log, err := os.Create(filepath.Join(t.TempDir(), fmt.Sprintf("replica-%d.log", i)))
		if err != nil {
			t.Fatal(err)
		}
		r := &replica{program: program, args: []string{"-http", "127.0.0.1:0"}, environ: environ, log: log}
		if err := r.start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.kill(); _ = log.Close() })
		s.replicas = append(s.replicas, r)
	}
	s.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * s.call}
	return faults
}

// createAll lets the workers create everybody while processes are killed. For each borrower there are two callers at
// once, one with a key of its own and one without any.
func (s *story) createAll(ctx context.Context, t *testing.T) (killed int) {
	t.Helper()
	s.answers = make([][2]answer, s.borrowers)
	next, over := make(chan [2]int), make(chan struct{})
	var group, killing sync.WaitGroup
	for w := range workers {
		dice := rand.New(rand.NewPCG(*seed, uint64(100+w)))
		group.Go(func() {
			for at := range next {
				s.answers[at[0]][at[1]] = s.insist(ctx, dice, at[0], at[1] == 0)
			}
		})
	}
	killing.Go(func() { killed = s.killNowAndThen(t, over) })
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

// insist repeats a creation, under its key or without any, at any replica, until the caller knows. One in five who are
// told that the outcome is unclear leaves it at that.
func (s *story) insist(ctx context.Context, dice *rand.Rand, i int, keyed bool) answer {
	for {
		said := create(ctx, s.client, s.replicas[dice.IntN(replicas)].address(), borrower(i, keyed))
		if said.Kind == "" && said.Borrower != "" {
			s.count("done")
			return said
		}
		s.count(said.Kind)
		wait := 50*time.Millisecond + rand.N(100*time.Millisecond)
		switch said.Kind {
		case "unclear":
			if dice.IntN(5) == 0 {
				return said
			}
			wait += min(said.Wait, time.Second)
		case "busy", "unavailable":
			wait += min(said.Wait, time.Second)
		case "connection":
		default: // there, or invalid, refused, forbidden…: the caller is told no
			return said
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return said
		}
	}
}

func (s *story) count(kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told[kind]++
}

func (s *story) killNowAndThen(t *testing.T, over <-chan struct{}) (killed int) {
	dice := rand.New(rand.NewPCG(*seed, 99))
	for {
		select {
		case <-time.After(s.killEvery/2 + time.Duration(dice.Int64N(int64(s.killEvery)))):
		case <-over:
			return killed
		}
		victim := s.replicas[dice.IntN(replicas)]
		victim.kill()
		killed++
		if err := victim.start(); err != nil {
			t.Errorf("a replica does not start again: %v", err)
			return killed
		}
	}
}

// resolved waits until the bank holds everybody, and a lease longer: what is repeated wrongly comes late. Then everybody
// must be there once, and be who both of their callers were told. left counts callers who went away without an answer.
func (s *story) resolved(ctx context.Context, t *testing.T) (left int) {
	t.Helper()
	for len(s.held(t)) < s.borrowers && ctx.Err() == nil {
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(s.call + s.call/2)
	held := s.held(t)
	for i, said := range s.answers {
		ids := held[taxID(i)]
		if len(ids) != 1 {
			t.Errorf("borrower %d is there %d times; its callers were told %+v", i, len(ids), said)
			continue
		}
		for caller, said := range said {
			if said.Kind == "unclear" {
				left++
				said = create(ctx, s.client, s.replicas[0].address(), borrower(i, caller == 0))
			}
			if said.Borrower != ids[0] && said.Kind != "there" {
				t.Errorf("borrower %d is %s, and a caller was told %+v", i, ids[0], said)
			}
		}
	}
	if len(held) != s.borrowers {
		t.Errorf("the bank holds %d of %d", len(held), s.borrowers)
	}
	if t.Failed() {
		for _, r := range s.replicas {
			log, _ := os.ReadFile(r.log.Name())
			t.Logf("%s ends with\n%s", filepath.Base(r.log.Name()), log[max(0, len(log)-4000):])
		}
	}
	return left
}

// held asks the bank, past the proxy, whom it holds of those who were created: ids by tax number.
func (s *story) held(t *testing.T) map[string][]string {
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
			if number := one.Personal.TaxID.Reveal(); strings.HasPrefix(number, ours) {
				held[number] = append(held[number], member.BorrowerUniqueID.String())
			}
		}
	}
	return held
}

func (s *story) login(t *testing.T, broker sandbox.Broker) (*portal.Client, *portal.User) {
	t.Helper()
	client, err := portal.New(portal.Config{
		BaseURL: s.server.URL, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret,
		MaxPerSecond: 100_000, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, client.As(portal.Login{BrokerUID: broker.UID, Username: broker.Users[0]}, "en")
}

// twiceIsTaken makes sure that this bank does not notice when somebody is sent twice: it must be us who does.
func (s *story) twiceIsTaken(t *testing.T) {
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

// ours is how the tax numbers of this test begin; none of the sandbox's people have such.
const ours = "2777"

// taxID is the i-th valid tax number.
func taxID(i int) string {
	digits, sum := fmt.Sprintf("%s%04d", ours, i), 0
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

// borrower is the arguments of a call for the i-th.
func borrower(i int, keyed bool) json.RawMessage {
	args := map[string]any{
		"process": fmt.Sprint(processes[i%len(processes)]), "borrowerTypeId": 2, "keyBorrowerRelationId": 7, "personal": personal(i),
	}
	if keyed {
		args["idempotencyKey"] = fmt.Sprintf("soak %d", i)
	}
	return encoded(args)
}

// requestOf is the i-th borrower as the bank gets it.
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
