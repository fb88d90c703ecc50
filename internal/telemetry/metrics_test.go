package telemetry_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/balcao/balcao/internal/telemetry"
)

func metrics(t *testing.T) *telemetry.Metrics {
	t.Helper()
	m, err := telemetry.NewMetrics()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return m
}

// read reads the metrics as Prometheus does.
func read(t *testing.T, m *telemetry.Metrics) string {
	t.Helper()
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.Code != http.StatusOK {
		t.Fatalf("got %d, %v", answer.Code, err)
	}
	return string(text)
}

func TestMetricsAreWrittenInThePrometheusFormat(t *testing.T) {
	m := metrics(t)
	posts, err := m.Meter().Int64Counter("balcao.posts")
	if err != nil {
		t.Fatal(err)
	}
	posts.Add(t.Context(), 2, metric.WithAttributes(attribute.String("result", "sent")))
	for _, want := range []string{`balcao_posts_total{result="sent"} 2`, "\ngo_goroutines ", "\ngo_memstats_heap_alloc_bytes ", "\nprocess_cpu_seconds_total "} {
		if !strings.Contains(read(t, m), want) {
			t.Errorf("%s is missing", want)
		}
	}
}

func TestTheNumberOfSeriesOfAMetricIsLimited(t *testing.T) {
	m := metrics(t)
	callbacks, err := m.Meter().Int64Counter("balcao.callbacks")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5000 {
		callbacks.Add(t.Context(), 1, metric.WithAttributes(attribute.String("from", fmt.Sprint(i))))
	}
	if series := strings.Count(read(t, m), "\nbalcao_callbacks_total{"); series > 500 {
		t.Errorf("there are %d series", series)
	}
}

func TestTwoRegistriesAreIndependent(t *testing.T) {
	for _, m := range []*telemetry.Metrics{metrics(t), metrics(t)} {
		if _, err := m.Meter().Int64Counter("balcao.posts"); err != nil || strings.Contains(read(t, m), "balcao_posts") {
			t.Errorf("got %v, or another's counts", err)
		}
	}
}
