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

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/metric"
)

// Service is everything between the bank's callbacks and the places. Start one with [Start], in any number of replicas.
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

// Start begins to work hints off, to post, to walk and to register, until [Service.Close]. The bank may be down
// meanwhile; Redis must answer.
func Start(ctx context.Context, config Config) (*Service, error) {
	s, err := assemble(ctx, config)
	if err != nil {
		return nil, err
	}
	s.started = true
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for name, part := range map[string]func(context.Context) error{
		"hints": s.engine.run, "outbox": s.outbox.run, "walk": s.reconciler.run, "registration": s.registration.run,
	} {
		s.running.Go(func() { s.keep(ctx, name, part) })
	}
	return s, nil
}

// assemble puts the parts together and starts none.
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
	stream, pictures := newStream(client, sealer, config.MaxTriggers, config.Lease), &pictures{client, sealer}
	if err := stream.begin(ctx); err != nil {
		return nil, err
	}
	s := &Service{config: config, outbox: newOutbox(config, pictures, count)}
	s.registration = &registration{config: config, sealer: sealer, redis: client, count: count, patience: echoPatience}
	if types, err := s.registration.recall(ctx); err == nil && len(types) > 0 { // a door that opens now knows them
		s.registration.keep(types)
	}
	s.engine = &engine{
		config: config, stream: stream, pictures: pictures, record: record{client, sealer, config.Log}, desk: s.outbox, count: count,
		reader: reader{config.Bank, config.Fingerprint}, arrived: s.registration.heard,
	}
	s.engine.heard.Store(config.Now().UnixNano())
	s.reconciler = &reconciler{config: config, redis: client, engine: s.engine}
	s.engine.askWalk = s.reconciler.ask
	s.receiver = newReceiver(config.Tokens, s.registration.known, stream.add, count, func(err error) {
		config.Log.Error("a callback was not taken", "error", err)
	})
	s.stopMetrics, err = s.observe(count.meter)
	return s, err
}

// keep starts a part again that ended before it should.
func (s *Service) keep(ctx context.Context, name string, part func(context.Context) error) {
	pause := pause{least: s.config.Lease / 30, most: s.config.Lease}
	for {
		err := safely(ctx, part)
		if ctx.Err() != nil {
			if err != nil && !errors.Is(err, context.Canceled) {
				s.config.Log.Warn("a part ended badly", "part", name, "error", err)
			}
			return
		}
		s.config.Log.Error("a part ended and is started again", "part", name, "error", err)
		pause.wait(ctx, err)
	}
}

func safely(ctx context.Context, part func(context.Context) error) (err error) {
	defer func() {
		if recover() != nil { // what it says may be personal
			err = fmt.Errorf("%w: %s", errPanicked, debug.Stack())
		}
	}()
	return part(ctx)
}

// Close ends everything that [Start] began, and waits for it.
func (s *Service) Close() {
	s.cancel()
	s.running.Wait()
	if err := s.stopMetrics(); err != nil {
		s.config.Log.Warn("metrics are still observed", "error", err)
	}
}

// Handler takes the bank's callbacks, at POST /callbacks/{token}/{notificationType}. Its path is a secret: do not log it.
func (s *Service) Handler() http.Handler { return s.receiver }

// Trigger says that something may have happened to a process. When it returns without an error, it will be looked at.
func (s *Service) Trigger(ctx context.Context, hint Trigger) error {
	return s.engine.stream.add(ctx, hint)
}

// Since gives what moved after t in the order in which it was written down, by the clock of Redis: at most limit
// updates, the first ones, and at most 500. Each update's At is when it was, so that asking again since that of the last
// leaves nothing out.
func (s *Service) Since(ctx context.Context, t time.Time, limit int) ([]Update, error) {
	return s.engine.record.since(ctx, t, limit)
}

// Snapshot gives what was last read of a process; false where nothing was.
func (s *Service) Snapshot(ctx context.Context, process uuid.UUID) (Snapshot, bool, error) {
	return s.engine.pictures.picture(ctx, process)
}

// Retry says that a place may be reachable again.
func (s *Service) Retry(ctx context.Context, place string) error { return s.outbox.retry(ctx, place) }

// DeadLetters gives the hints that were given up, the oldest first, at most a thousand.
func (s *Service) DeadLetters(ctx context.Context) ([]DeadLetter, error) {
	return s.engine.stream.letters(ctx)
}

// Replay makes a letter a hint again, or with "" all of [Service.DeadLetters], and tells how many.
func (s *Service) Replay(ctx context.Context, id string) (replayed int, err error) {
	letters := []DeadLetter{{ID: id}}
	if id == "" {
		if letters, err = s.DeadLetters(ctx); err != nil {
			return 0, err
		}
	}
	for _, letter := range letters {
		done, err := s.engine.stream.replay(ctx, letter.ID)
		if err != nil {
			return replayed, err
		}
		if done {
			replayed++
		}
	}
	return replayed, nil
}

// RegisterInterval sets the callbacks at the bank right now, and tests the way with an echo.
func (s *Service) Register(ctx context.Context) error { return s.registration.register(ctx) }

// Ready tells whether callbacks are taken and worked off here, and which part is not well where they are not. That the
// bank or a place is down is no reason: what comes is kept.
func (s *Service) Ready(ctx context.Context) error {
	if _, _, err := s.engine.stream.backlog(ctx, s.config.Now()); err != nil {
		return fmt.Errorf("the stream of hints: %w", err)
	}
	if still := s.config.Now().Sub(time.Unix(0, s.engine.heard.Load())); s.started && still > max(4*s.config.Lease, time.Minute) {
		return fmt.Errorf("the stream of hints has not been read for %s", still.Round(time.Second))
	}
	return nil
}

// Ailments names what does not work as it should, though all that comes is kept: a problem of the registration, or
// "walk" where the bank's list was not walked over for long.
func (s *Service) Ailments(ctx context.Context) ([]string, error) {
	var ailments []string
	state, err := s.registration.state(ctx)
	if err != nil {
		return nil, err
	}
	if s.config.URL != "" && state.problem != "" {
		ailments = append(ailments, state.problem)
	}
	done, _, err := lastWalk(ctx, s.engine.stream.redis)
	if err == nil && s.config.Now().Sub(done) > 4*s.config.ReconcileInterval {
		ailments = append(ailments, "walk")
	}
	return ailments, err
}

// observe shows what stands where each time somebody looks at the metrics.
func (s *Service) observe(meter metric.Meter) (stop func() error, err error) {
	gauges := map[string]metric.Float64ObservableGauge{}
	var all []metric.Observable
	for name, is := range map[string]string{
		"balcao.lag":                  "Hints that are not worked off.",
		"balcao.oldest_seconds":       "Age of the oldest hint that is not worked off.",
		"balcao.letters":              "Hints that were given up and wait to be looked at.",
		"balcao.walk_age_seconds":     "Time since the last whole walk over the bank's processes.",
		"balcao.echo_age_seconds":     "Time since a test notification last came back.",
		"balcao.places_waiting":       "Places that something waits for.",
		"balcao.place_oldest_seconds": "How long the longest waiting place has waited.",
	} {
		gauge, err := meter.Float64ObservableGauge(name, metric.WithDescription(is))
		if err != nil {
			return nil, fmt.Errorf("making metrics: %w", err)
		}
		gauges[name] = gauge
		all = append(all, gauge)
	}
	watching, err := meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		values, err := s.standing(ctx)
		for name, value := range values {
			o.ObserveFloat64(gauges[name], value)
		}
		return err
	}, all...)
	if err != nil {
		return nil, fmt.Errorf("making metrics: %w", err)
	}
	return watching.Unregister, nil
}

// standing measures; what cannot be measured is left out.
func (s *Service) standing(ctx context.Context) (map[string]float64, error) {
	now, values := s.config.Now(), map[string]float64{}
	hints, oldest, err := s.engine.stream.backlog(ctx, now)
	if err == nil {
		values["balcao.lag"], values["balcao.oldest_seconds"] = float64(hints), oldest.Seconds()
	}
	letters, noLetters := s.engine.stream.dead(ctx)
	if noLetters == nil {
		values["balcao.letters"] = float64(letters)
	}
	done, _, noWalk := lastWalk(ctx, s.engine.stream.redis)
	if noWalk == nil && !done.IsZero() {
		values["balcao.walk_age_seconds"] = now.Sub(done).Seconds()
	}
	state, noState := s.registration.state(ctx)
	if back, err := strconv.ParseInt(state.last, 10, 64); err == nil {
		values["balcao.echo_age_seconds"] = now.Sub(time.UnixMilli(back)).Seconds()
	}
	places, waited, noPlaces := s.outbox.waiting(ctx)
	if noPlaces == nil {
		values["balcao.places_waiting"], values["balcao.place_oldest_seconds"] = float64(places), waited.Seconds()
	}
	return values, errors.Join(err, noLetters, noWalk, noState, noPlaces)
}

// withDefaults fills in what is not said, and lists what is missing.
func (c Config) withDefaults() (Config, error) {
	var wrong []error
	for what, missing := range map[string]bool{
		"Store": c.Store == nil, "Bank": c.Bank == nil, "Digest": c.Fingerprint == nil, "Poster": c.Poster == nil,
	} {
		if missing {
			wrong = append(wrong, errors.New(what+" is missing"))
		}
	}
	if c.URL != "" && len(c.Tokens) == 0 {
		wrong = append(wrong, errors.New("without a token the bank cannot be told a URL"))
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
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
