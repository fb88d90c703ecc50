package notifications

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/spool"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
)

// subjectReads are the operations that read a process or simulation.
var subjectReads = []portal.OperationID{
	portal.ProcessDetail, portal.BorrowerList, portal.BorrowerGet, portal.ProcessesMessageList, portal.DocumentList, portal.PropertyList,
	portal.SimulationDetail, portal.SimulationsMessageList,
}

func (env *bankEnv) reads() (calls int) {
	for _, op := range subjectReads {
		calls += env.bank.Calls(op)
	}
	return calls
}

// settled starts a replica that the bank reaches, whose snapshots are those of the samples.
func settled(t *testing.T, env *bankEnv) *Service {
	t.Helper()
	s := env.reachable(t)
	reconcile(t, s)
	if err := s.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitUntilIdle(t, s)
	return s
}

// textsOf returns what the updates of a subject say, one text for each change.
func (env *bankEnv) textsOf(of Subject, lang words.Lang) (texts []string) {
	env.dispatched.mu.Lock()
	defer env.dispatched.mu.Unlock()
	var updates []Update
	for _, update := range env.dispatched.updates {
		if update.Subject == of {
			updates = append(updates, update)
		}
	}
	slices.SortFunc(updates, func(a, b Update) int { return int(a.Version - b.Version) })
	for _, update := range updates {
		texts = append(texts, update.Texts(lang, nil)...)
	}
	return texts
}

// page is a document of one page.
const page = "%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"

func (env *bankEnv) sendDocument(t *testing.T, process uuid.UUID) error {
	t.Helper()
	file, err := spool.Read(strings.NewReader(page), int64(len(page)))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	kind := int32(201)
	_, err = env.User().CreateDocument(t.Context(), process, portal.DocumentRequest{
		DocumentTitle: pii.New[pii.Title]("Cartão da Maria"), DocumentTypeID: &kind, FileName: pii.New[pii.Title]("maria.pdf"), Content: file,
	})
	return err
}

func TestANotificationTellsWhatTheBankDid(t *testing.T) {
	t.Parallel()
	onEveryRedis(t, func(t *testing.T, env *bankEnv) {
		env.bank.SetDeliveryFaults(sandbox.DeliveryFaults{Duplicate: 1}) // each comes twice
		s := settled(t, env)
		for _, event := range []struct {
			name  string
			of    Subject
			do    func() error
			want  []string // a text that ends in «…» may go on
			calls int      // to the bank at most, for each delivery
		}{
			{"a message", OfProcess(a1042), func() error { return env.bank.WriteMessage(a1042) }, []string{"Nova mensagem do banco"}, 2},
			{"a document asked for", OfProcess(a1042), func() error { return env.bank.AskForDocument(a1042) }, []string{"Documento em falta: …"}, 2},
			{"a document refused", OfProcess(a1043), func() error {
				return env.bank.DecideDocument(a1043, sandbox.SampleDocument(sandbox.SampleCouple, 3), false)
			}, []string{"Documento recusado: …"}, 2},
			{"a document received", OfProcess(a1043), func() error { return env.sendDocument(t, a1043) }, []string{"Documento recebido: …"}, 2},
			{"a valuation", OfProcess(a1043), func() error { return env.bank.ValueProperty(a1043) }, []string{"O banco avaliou o imóvel"}, 2},
			{"an ESIS", OfProcess(a1043), func() error { return env.bank.IssueESIS(a1043) }, []string{"O banco emitiu a FINE"}, 1},
			{"an approval, for which an ESIS is issued", OfProcess(a1042), func() error { return env.bank.SetState(a1042, 5) }, []string{"Estado: …", "O banco emitiu a FINE"}, 2},
			{"a simulation approved", OfSimulation(sandbox.SampleSimulation(sandbox.SampleValid)), func() error {
				return env.bank.Decide(sandbox.SampleSimulation(sandbox.SampleValid))
			}, []string{"O banco aprovou a simulação"}, 1},
			{"a simulation refused", OfSimulation(sandbox.SampleSimulation(sandbox.SampleHeavy)), func() error {
				return env.bank.Decide(sandbox.SampleSimulation(sandbox.SampleHeavy))
			}, []string{"O banco recusou a simulação"}, 1},
			{"a message on a simulation", OfSimulation(sandbox.SampleSimulation(sandbox.SampleWithESIS)), func() error {
				return env.bank.WriteOnSimulation(sandbox.SampleSimulation(sandbox.SampleWithESIS))
			}, []string{"Nova mensagem do banco"}, 2},
		} {
			before, arrived := env.reads(), env.bank.DeliveryStats().Arrived
			known := len(env.textsOf(event.of, words.Portuguese))
			if err := event.do(); err != nil {
				t.Fatalf("%s: %v", event.name, err)
			}
			waittest.Eventually(t, event.name+" is notified", func() bool {
				stats := env.bank.DeliveryStats()
				return stats.Waiting == 0 && stats.Arrived > arrived
			})
			waitUntilIdle(t, s)
			got := env.textsOf(event.of, words.Portuguese)[known:]
			if !slices.EqualFunc(got, event.want, func(got, want string) bool {
				begin, more := strings.CutSuffix(want, "…")
				return got == want || more && len(got) > len(begin) && strings.HasPrefix(got, begin)
			}) {
				t.Errorf("%s is told as %q, want %q", event.name, got, event.want)
			}
			if calls, most := env.reads()-before, event.calls*(env.bank.DeliveryStats().Arrived-arrived); calls > most {
				t.Errorf("%s takes %d calls to the bank, at most %d are expected", event.name, calls, most)
			}
		}
		env.checkNothingOfClients(t, s)
	})
}

// checkNothingOfClients checks that no update holds what people wrote or the name of a file.
func (env *bankEnv) checkNothingOfClients(t *testing.T, s *Service) {
	t.Helper()
	updates, err := s.Since(t.Context(), time.Time{}, 0)
	if err != nil || len(updates) == 0 {
		t.Fatal(len(updates), err)
	}
	data, err := json.Marshal(updates)
	if err != nil {
		t.Fatal(err)
	}
	for _, private := range append(env.bank.Messages(a1042), "Maria", "maria.pdf", "Exemplo") {
		if strings.Contains(string(data), private) {
			t.Errorf("the changelog holds %q", private)
		}
	}
}

func TestAMessageSaysWhoWroteIt(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, "memory")
	s := settled(t, env)
	if _, err := env.User().CreateMessage(t.Context(), a1042, portal.MessageRequest{Subject: pii.New[pii.Title]("Recibos"), Text: pii.New[pii.FreeText]("Seguem.")}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := env.bank.WriteMessage(a1042); err != nil {
			t.Fatal(err)
		}
	}
	waittest.Eventually(t, "the messages are told", func() bool { return len(env.textsOf(OfProcess(a1042), words.English)) >= 2 })
	waitUntilIdle(t, s)
	got := strings.Join(env.textsOf(OfProcess(a1042), words.English), "; ")
	if strings.Count(got, "New message from "+sandbox.BrokerA.Users[0]) != 1 || !strings.Contains(got, "from the bank") {
		t.Errorf("told is %q", got)
	}
}

func TestWhatALostCallbackMissedIsFoundByReconciliation(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, "memory")
	s := settled(t, env)
	simulation := sandbox.SampleSimulation(sandbox.SampleValid)
	env.bank.SetDeliveryFaults(sandbox.DeliveryFaults{Lose: 1})
	for _, err := range []error{env.bank.WriteMessage(a1042), env.bank.ValueProperty(a1042), env.bank.Decide(simulation)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	env.bank.SetDeliveryFaults(sandbox.DeliveryFaults{})
	env.advance(t, a1042) // of which a callback comes: only the detail is read
	waittest.Eventually(t, "the status is told", func() bool { return len(env.textsOf(OfProcess(a1042), words.English)) == 1 })
	reconcile(t, s)
	waitUntilIdle(t, s)
	got := env.textsOf(OfProcess(a1042), words.English)
	for _, want := range []string{"New message from the bank", "The bank valued the property"} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is not among %q", want, got)
		}
	}
	if got := env.textsOf(OfSimulation(simulation), words.English); !slices.Equal(got, []string{"The bank approved the simulation"}) {
		t.Errorf("of the simulation is told %q", got)
	}
	reconcile(t, s)
	waitUntilIdle(t, s)
	if again := env.textsOf(OfProcess(a1042), words.English); len(again) != len(got) {
		t.Errorf("told again is %q", again)
	}
}

func TestAPartThatTheBankRefusesIsToldByTheType(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, "memory")
	s := settled(t, env)
	env.bank.Inject(sandbox.Fault{Operation: portal.ProcessesMessageList, Status: 404, Probability: 1})
	if err := env.bank.WriteMessage(a1042); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "the message is told", func() bool { return len(env.textsOf(OfProcess(a1042), words.English)) > 0 })
	waitUntilIdle(t, s)
	if got := env.textsOf(OfProcess(a1042), words.English); !slices.Equal(got, []string{"New message"}) {
		t.Errorf("told is %q", got)
	}
}

func TestAForgedNotificationReportsNothing(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, "memory")
	s := settled(t, env)
	for kind := range int32(9) {
		if err := s.Trigger(t.Context(), Trigger{Subject: OfProcess(a1043), Source: Callback, Type: kind}); err != nil {
			t.Fatal(err)
		}
		waitUntilIdle(t, s)
	}
	got := env.textsOf(OfProcess(a1043), words.English)
	if got = slices.DeleteFunc(got, func(text string) bool { return text == (Change{Kind: ESISIssued}).Text(words.English) }); len(got) > 0 {
		t.Errorf("told is %q", got)
	}
}

func TestSnapshotsOfAnOlderVersionAreReadAndReportNothingOld(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, "memory")
	s := settled(t, env)
	ctx := t.Context()
	stored, err := s.engine.snapshots.load(ctx, OfProcess(a1043))
	if err != nil {
		t.Fatal(err)
	}
	old := stored.snapshot
	old.Messages, old.Documents, old.Valuations, old.WholeRead, old.WholeAction = nil, nil, nil, time.Time{}, time.Time{}
	if done, err := s.engine.snapshots.commit(ctx, stored, old, "", stored.upTo); !done || err != nil {
		t.Fatal(done, err)
	}
	for range 2 { // the second time with what the first has read
		if err := env.bank.WriteMessage(a1043); err != nil {
			t.Fatal(err)
		}
		if err := s.Trigger(ctx, Trigger{Subject: OfProcess(a1043), Source: Reconciler}); err != nil {
			t.Fatal(err)
		}
		waittest.Eventually(t, "the callback came", func() bool { return env.bank.DeliveryStats().Waiting == 0 })
		waitUntilIdle(t, s)
	}
	if got := env.textsOf(OfProcess(a1043), words.English); !slices.Equal(got, []string{"New message from the bank", "New message from the bank"}) {
		t.Errorf("told is %q", got)
	}
	var trigger Trigger
	if err := json.Unmarshal([]byte(`{"Process":"`+a1042.String()+`","Source":"callback","Type":3}`), &trigger); err != nil || trigger.Process != a1042 || trigger.Type != 3 {
		t.Errorf("a trigger of an older version is %+v, %v", trigger, err)
	}
}

func TestEveryMeaningOfATypeHasAScope(t *testing.T) {
	t.Parallel()
	for name := range profile.Builtin().Notifications.Meanings {
		if _, known := scopes[name]; !known {
			t.Errorf("%s has no scope", name)
		}
	}
}
