package notifications

import (
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/balcao/balcao/internal/redistest"
)

// That nothing runs on when all services are closed is what the end of the tests looks at.
func TestFromStartToCloseEveryPartWorks(t *testing.T) {
	everywhere(t, func(t *testing.T, town *town) {
		config := town.config(t)
		var services []*Service
		for range 2 {
			if town.redis != "memory" {
				config.Store = town.store(t)
			}
			s, err := Start(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Close)
			services = append(services, s)
		}
		a, b := services[0], services[1]
		eventually(t, "all was walked over", func() bool { done, err := walkedOnce(t.Context(), town.first.Client()); return done && err == nil })
		town.move(t, a1042)
		hint(t, a, a1042)
		var moved []Update
		eventually(t, "the other tells of it", func() bool {
			var err error
			if moved, err = b.Since(t.Context(), time.Time{}, 10); err != nil {
				t.Fatal(err)
			}
			return len(moved) == 1
		})
		if picture, known, err := b.Snapshot(t.Context(), a1042); !known || err != nil || picture.Version != 1 {
			t.Errorf("the picture is %+v, %v", picture, err)
		}
		for _, s := range services {
			if err := s.Ready(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestAStreamThatNobodyReadsIsNotReady(t *testing.T) {
	town := open(t, "memory")
	var passed time.Duration
	s := town.replica(t, func(c *Config) { c.Now = func() time.Time { return time.Now().Add(passed) } })
	s.started = true
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	passed = 2 * time.Minute
	if err := s.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "not been read for") {
		t.Errorf("got %v", err)
	}
}

func TestAStreamThatRedisLostIsMadeAnew(t *testing.T) {
	everywhere(t, func(t *testing.T, town *town) {
		s := work(t, town.replica(t))
		walk(t, s)
		hint(t, s, a1042)
		idle(t, s)
		if err := s.config.Store.Client().Del(t.Context(), hintsKey).Err(); err != nil {
			t.Fatal(err)
		}
		town.move(t, a1042)
		hint(t, s, a1042)
		idle(t, s)
		town.wantOnce(t, s, a1042, 1)
	})
}

func TestSettingsThatAreMissingAreListed(t *testing.T) {
	_, err := Start(t.Context(), Config{URL: "https://balcao.example"})
	for _, missing := range []string{"Store", "Bank", "Digest", "Poster", "token"} {
		if err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("%s is not in %v", missing, err)
		}
	}
}

func TestMetricsShowWhatWaitsAndWhatBecameOfTheRest(t *testing.T) {
	town := open(t, redistest.Start(t))
	shelf := sdk.NewManualReader()
	provider := sdk.NewMeterProvider(sdk.WithReader(shelf))
	s := town.replica(t, func(c *Config) { c.Meter = provider.Meter("balcao"); c.MaxTries = 1 })
	walk(t, s)
	town.move(t, a1042)
	for _, path := range []string{"/callbacks/new-token/1", "/callbacks/wrong/1"} {
		knock(s.Handler(), "POST", path, `{"processUniqueId":"`+a1042.String()+`"}`)
	}
	before := measure(t, shelf)
	if before["balcao.lag"] != 1 || before["balcao.hints accepted"] != 1 || before["balcao.hints refused"] != 1 {
		t.Errorf("measured %v", before)
	}
	if _, there := before["balcao.oldest_seconds"]; !there {
		t.Error("the age of the oldest hint is not measured")
	}
	if err := s.Trigger(t.Context(), Trigger{Process: a1043, Source: "nonsense"}); err != nil {
		t.Fatal(err)
	}
	work(t, s)
	idle(t, s)
	after := measure(t, shelf)
	if after["balcao.lag"] != 0 || after["balcao.updates"] != 1 || after["balcao.readings moved"] != 1 ||
		after["balcao.dead_letters undecodable"] != 1 || after["balcao.letters"] != 1 {
		t.Errorf("measured %v", after)
	}
}

func measure(t *testing.T, shelf sdk.Reader) map[string]float64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := shelf.Collect(t.Context(), &all); err != nil {
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
