package notifications

import (
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/internal/waittest"
)

func TestEveryComponentWorksFromStartToClose(t *testing.T) {
	t.Parallel()
	onEveryRedis(t, func(t *testing.T, env *bankEnv) {
		config := env.config(t)
		var services []*Service
		for range 2 {
			if env.redisURL != "memory" {
				config.Store = env.Replica(t).Store
			}
			s, err := Start(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Close)
			services = append(services, s)
		}
		a, b := services[0], services[1]
		waittest.Eventually(t, "the first reconciliation is done", func() bool {
			done, err := reconciledOnce(t.Context(), env.Store.Client(), "process")
			return done && err == nil
		})
		env.advance(t, a1042)
		trigger(t, a, a1042)
		var moved []Update
		waittest.Eventually(t, "the other replica returns the update", func() bool {
			var err error
			if moved, err = b.Since(t.Context(), time.Time{}, 10); err != nil {
				t.Fatal(err)
			}
			return len(moved) == 1
		})
		if snapshot, known, err := b.Snapshot(t.Context(), OfProcess(a1042)); !known || err != nil || snapshot.Version != 1 {
			t.Errorf("the snapshot is %+v, %v", snapshot, err)
		}
		for _, s := range services {
			if err := s.Ready(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestReadyFailsIfTheStreamIsNotRead(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, "memory")
	var passed time.Duration
	s := env.replica(t, func(c *Config) { c.Now = func() time.Time { return time.Now().Add(passed) } })
	s.started = true
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	passed = 2 * time.Minute
	if err := s.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "not been read for") {
		t.Errorf("got %v", err)
	}
}

func TestALostStreamIsCreatedAgain(t *testing.T) {
	t.Parallel()
	onEveryRedis(t, func(t *testing.T, env *bankEnv) {
		s := runEngine(t, env.replica(t))
		reconcile(t, s)
		trigger(t, s, a1042)
		waitUntilIdle(t, s)
		if err := s.config.Store.Client().Del(t.Context(), triggersKey).Err(); err != nil {
			t.Fatal(err)
		}
		env.advance(t, a1042)
		trigger(t, s, a1042)
		waitUntilIdle(t, s)
		env.wantOnce(t, s, a1042, 1)
	})
}

func TestMissingSettingsAreListed(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Config{URL: "https://balcao.example"})
	for _, missing := range []string{"Store", "Bank", "Fingerprint", "Poster", "token"} {
		if err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("%s is not in %v", missing, err)
		}
	}
}

func TestMetricsCountWhatWaitsAndWhatIsDone(t *testing.T) {
	t.Parallel()
	env := newBankEnv(t, redistest.Start(t))
	reader := sdk.NewManualReader()
	provider := sdk.NewMeterProvider(sdk.WithReader(reader))
	s := env.replica(t, func(c *Config) { c.Meter = provider.Meter("balcao"); c.MaxTries = 1 })
	reconcile(t, s)
	env.advance(t, a1042)
	for _, path := range []string{"/callbacks/new-token/1", "/callbacks/wrong/1"} {
		post(s.Handler(), "POST", path, `{"processUniqueId":"`+a1042.String()+`"}`)
	}
	before := measure(t, reader)
	if before["balcao.triggers_pending"] != 1 || before["balcao.callbacks accepted"] != 1 || before["balcao.callbacks refused"] != 1 {
		t.Errorf("measured %v", before)
	}
	if _, there := before["balcao.trigger_oldest_seconds"]; !there {
		t.Error("the age of the oldest trigger is not measured")
	}
	if err := s.Trigger(t.Context(), Trigger{Subject: OfProcess(a1043), Source: "nonsense"}); err != nil {
		t.Fatal(err)
	}
	runEngine(t, s)
	waitUntilIdle(t, s)
	after := measure(t, reader)
	if after["balcao.triggers_pending"] != 0 || after["balcao.updates"] != 1 || after["balcao.process_reads changed"] != 1 ||
		after["balcao.dead_letters_total undecodable"] != 1 || after["balcao.dead_letters"] != 1 {
		t.Errorf("measured %v", after)
	}
}

func measure(t *testing.T, reader sdk.Reader) map[string]float64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, point := range data.DataPoints {
					values[labelled(m.Name, point.Attributes)] = float64(point.Value)
				}
			case metricdata.Gauge[float64]:
				for _, point := range data.DataPoints {
					values[m.Name] = point.Value
				}
			}
		}
	}
	return values
}

func labelled(name string, attributes attribute.Set) string {
	for _, label := range attributes.ToSlice() {
		name += " " + label.Value.AsString()
	}
	return name
}
