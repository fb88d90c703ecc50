package notifications

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/balcao/balcao/portal/profile"
	"go.opentelemetry.io/otel/metric"
)

// Service receives callbacks, detects changes and posts them. Start one with [Start], in any number of replicas.
type Service struct {
	config       Config
	engine       *engine
	outbox       *outbox
	reconciler   *reconciler
	registration *registration
	receiver     *receiver
	stopMetrics  func() error
	cancel       context.CancelFunc
	started      bool
	running      sync.WaitGroup
}

// Start starts to process triggers, to post, to reconcile and to register, until [Service.Close]. Redis must answer;
// the bank may be down.
func Start(ctx context.Context, config Config) (*Service, error) {
	s, err := assemble(ctx, config)
	if err != nil {
		return nil, err
	}
	s.started = true
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for name, part := range map[string]func(context.Context) error{
		"triggers": s.engine.run, "outbox": s.outbox.run, "reconciliation": s.reconciler.run, "registration": s.registration.run,
	} {
		s.running.Go(func() { s.supervise(ctx, name, part) })
	}
	return s, nil
}

// assemble creates a Service and starts nothing.
func assemble(ctx context.Context, config Config) (*Service, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	count, err := newInstruments(config.Meter)
	if err != nil {
		return nil, err
	}
	client := config.Store.Client()
	sealer := sealer{config.Store, config.Fingerprint}
	stream, snapshots := newStream(client, sealer, config.MaxTriggers, config.Lease), &snapshotStore{client, sealer}
	if err := stream.createGroup(ctx); err != nil {
		return nil, err
	}
	s := &Service{config: config, outbox: newOutbox(config, snapshots, count)}
	s.registration = &registration{config: config, sealer: sealer, redis: client, instruments: count, echoTimeout: echoTimeout}
	if types, err := s.registration.cachedTypes(ctx); err == nil && len(types) > 0 { // for callbacks that come before the first registration
		s.registration.setTypes(types)
	}
	s.engine = &engine{
		config: config, stream: stream, snapshots: snapshots, changelog: changelog{client, sealer, config.Log}, dispatcher: s.outbox, instruments: count,
		reader: reader{
			bank: config.Bank, fingerprint: config.Fingerprint, index: config.Index, meaning: config.Profile.NotificationMeaning, item: config.Profile.MeaningIn,
			decided: s.outbox.phases.decided, log: config.Log,
		},
		meaningOf: s.registration.meaning, onTriggers: s.registration.onTriggers,
	}
	s.engine.lastRead.Store(config.Now().UnixNano())
	s.reconciler = &reconciler{config: config, redis: client, engine: s.engine, phases: s.outbox.phases}
	s.engine.requestReconciliation = s.reconciler.request
	s.receiver = newReceiver(config.Tokens, s.registration.known, config.Bank.ReadNotification, stream.add, count, func(err error) {
		config.Log.Error("storing a callback failed", "error", err)
	})
	s.stopMetrics, err = s.observe(count.meter)
	return s, err
}

// supervise runs a component, and restarts it if it ends before ctx does.
func (s *Service) supervise(ctx context.Context, name string, part func(context.Context) error) {
	delay := retryDelay{min: s.config.Lease / 30, max: s.config.Lease}
	for {
		err := recovered(ctx, part)
		if ctx.Err() != nil {
			if err != nil && !errors.Is(err, context.Canceled) {
				s.config.Log.Warn("component failed while stopping", "component", name, "error", err)
			}
			return
		}
		s.config.Log.Error("component ended, restarting it", "component", name, "error", err)
		delay.wait(ctx, err)
	}
}

func recovered(ctx context.Context, part func(context.Context) error) (err error) {
	defer func() {
		if recover() != nil { // the panic's value may hold personal data
			err = fmt.Errorf("%w: %s", errPanic, debug.Stack())
		}
	}()
	return part(ctx)
}

// Close stops everything that [Start] started, and waits for it.
func (s *Service) Close() {
	s.cancel()
	s.running.Wait()
	if err := s.stopMetrics(); err != nil {
		s.config.Log.Warn("unregistering metrics failed", "error", err)
	}
}

// Handler handles the bank's callbacks, at POST /callbacks/{token}/{notificationType}. Its path is a secret: do not log
// it.
func (s *Service) Handler() http.Handler { return s.receiver }

// Trigger requests that a process or simulation is read again. Once it has returned without an error, it will be read.
func (s *Service) Trigger(ctx context.Context, trigger Trigger) error {
	return s.engine.stream.add(ctx, trigger)
}

// Since returns the first updates that were appended after t by the clock of Redis, in order, at most limit and at most
// 500. At of each update is the time it was appended: call it again with that of the last update to get the next ones.
func (s *Service) Since(ctx context.Context, t time.Time, limit int) ([]Update, error) {
	return s.engine.changelog.since(ctx, t, limit)
}

// Snapshot returns what was last read of a process or simulation, and false if it was never read.
func (s *Service) Snapshot(ctx context.Context, subject Subject) (Snapshot, bool, error) {
	return s.engine.snapshots.snapshot(ctx, subject)
}

// Retry posts at a destination now that may be reachable again.
func (s *Service) Retry(ctx context.Context, dest string) error { return s.outbox.retry(ctx, dest) }

// DeadLetters returns the dead letters, oldest first, at most a thousand.
func (s *Service) DeadLetters(ctx context.Context) ([]DeadLetter, error) {
	return s.engine.stream.deadLetters(ctx)
}

// Replay puts a dead letter back into the stream, or all of [Service.DeadLetters] if id is "", and returns how many.
func (s *Service) Replay(ctx context.Context, id string) (replayed int, err error) {
	deadLetters := []DeadLetter{{ID: id}}
	if id == "" {
		if deadLetters, err = s.DeadLetters(ctx); err != nil {
			return 0, err
		}
	}
	for _, deadLetter := range deadLetters {
		done, err := s.engine.stream.replay(ctx, deadLetter.ID)
		if err != nil {
			return replayed, err
		}
		if done {
			replayed++
		}
	}
	return replayed, nil
}

// Register registers the callbacks at the bank now, and tests them with an echo.
func (s *Service) Register(ctx context.Context) error { return s.registration.register(ctx) }

// Ready returns an error if callbacks cannot be stored or triggers are not processed here. If the bank or a destination
// is down it returns nil, because triggers are stored until then.
func (s *Service) Ready(ctx context.Context) error {
	if _, _, err := s.engine.stream.backlog(ctx, s.config.Now()); err != nil {
		return fmt.Errorf("the stream of triggers: %w", err)
	}
	if still := s.config.Now().Sub(time.Unix(0, s.engine.lastRead.Load())); s.started && still > max(4*s.config.Lease, time.Minute) {
		return fmt.Errorf("the stream of triggers has not been read for %s", still.Round(time.Second))
	}
	return nil
}

// Problems returns what does not work, though nothing is lost: a problem of the registration, or "reconciliation" if
// none was completed for four intervals.
func (s *Service) Problems(ctx context.Context) ([]string, error) {
	var problems []string
	state, err := s.registration.state(ctx)
	if err != nil {
		return nil, err
	}
	if s.config.URL != "" && state.problem != "" {
		problems = append(problems, state.problem)
	}
	done, _, err := lastReconciliation(ctx, s.engine.stream.redis)
	if err == nil && s.config.Now().Sub(done) > 4*s.config.ReconcileInterval {
		problems = append(problems, "reconciliation")
	}
	return problems, err
}

// observe registers the gauges, which are measured at each scrape.
func (s *Service) observe(meter metric.Meter) (stop func() error, err error) {
	gauges := map[string]metric.Float64ObservableGauge{}
	var all []metric.Observable
	for name, is := range map[string]string{
		"balcao.triggers_pending":           "Triggers that are not processed yet.",
		"balcao.trigger_oldest_seconds":     "Age of the oldest trigger that is not processed yet.",
		"balcao.dead_letters":               "Dead letters that are stored now.",
		"balcao.reconciliation_age_seconds": "Time since the last complete reconciliation.",
		"balcao.echo_age_seconds":           "Time since the bank last returned a test notification.",
		"balcao.destinations_waiting":       "Destinations with messages that are overdue.",
		"balcao.destination_oldest_seconds": "How long the oldest overdue message has been due.",
	} {
		gauge, err := meter.Float64ObservableGauge(name, metric.WithDescription(is))
		if err != nil {
			return nil, fmt.Errorf("making metrics: %w", err)
		}
		gauges[name] = gauge
		all = append(all, gauge)
	}
	registered, err := meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		values, err := s.measure(ctx)
		for name, value := range values {
			o.ObserveFloat64(gauges[name], value)
		}
		return err
	}, all...)
	if err != nil {
		return nil, fmt.Errorf("making metrics: %w", err)
	}
	return registered.Unregister, nil
}

// measure returns the values of the gauges. A value that cannot be measured is left out.
func (s *Service) measure(ctx context.Context) (map[string]float64, error) {
	now, values := s.config.Now(), map[string]float64{}
	triggers, oldest, err := s.engine.stream.backlog(ctx, now)
	if err == nil {
		values["balcao.triggers_pending"], values["balcao.trigger_oldest_seconds"] = float64(triggers), oldest.Seconds()
	}
	deadLetters, deadLettersErr := s.engine.stream.deadLetterCount(ctx)
	if deadLettersErr == nil {
		values["balcao.dead_letters"] = float64(deadLetters)
	}
	done, _, reconciliationErr := lastReconciliation(ctx, s.engine.stream.redis)
	if reconciliationErr == nil && !done.IsZero() {
		values["balcao.reconciliation_age_seconds"] = now.Sub(done).Seconds()
	}
	state, stateErr := s.registration.state(ctx)
	if back, err := strconv.ParseInt(state.last, 10, 64); err == nil {
		values["balcao.echo_age_seconds"] = now.Sub(time.UnixMilli(back)).Seconds()
	}
	dests, waited, destinationsErr := s.outbox.waiting(ctx)
	if destinationsErr == nil {
		values["balcao.destinations_waiting"], values["balcao.destination_oldest_seconds"] = float64(dests), waited.Seconds()
	}
	return values, errors.Join(err, deadLettersErr, reconciliationErr, stateErr, destinationsErr)
}

// withDefaults returns c with its defaults, and an error that lists what is missing.
func (c Config) withDefaults() (Config, error) {
	var wrong []error
	for what, missing := range map[string]bool{
		"Store": c.Store == nil, "Bank": c.Bank == nil, "Fingerprint": c.Fingerprint == nil, "Poster": c.Poster == nil,
	} {
		if missing {
			wrong = append(wrong, errors.New(what+" is missing"))
		}
	}
	if c.URL != "" && len(c.Tokens) == 0 {
		wrong = append(wrong, errors.New("URL needs a token in Tokens"))
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Profile == nil {
		c.Profile = profile.Builtin()
	}
	setDefault(&c.Debounce, 2*time.Second)
	setDefault(&c.MinInterval, time.Second)
	setDefault(&c.Lease, 30*time.Second)
	setDefault(&c.ReadInterval, time.Second)
	setDefault(&c.ReconcileInterval, 15*time.Minute)
	setDefault(&c.PageInterval, 2*time.Second)
	setDefault(&c.RegisterInterval, 6*time.Hour)
	setDefault(&c.UnreachableRetry, 15*time.Minute)
	setDefault(&c.MaxTriggers, 1_000_000)
	setDefault(&c.MaxTries, 20)
	if err := errors.Join(wrong...); err != nil {
		return c, fmt.Errorf("settings of notifications: %w", err)
	}
	return c, nil
}

func setDefault[T time.Duration | int64](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}
