package telemetry

import (
	"context"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
)

// maxSeries is how many combinations of labels one instrument may have. Labels are short lists of our own: one that
// grows was fed with something from outside, and what comes after it is counted together.
const maxSeries = 500

// scrapes is how many readers of the metrics are served at once.
const scrapes = 4

// Metrics is what the programs count, in the form that Prometheus reads. Make it with [NewMetrics] and Close it.
type Metrics struct {
	registry *prometheus.Registry
	provider *sdk.MeterProvider
}

// NewMetrics begins to count: what meters are told, and what the Go runtime and the system say of the process.
func NewMetrics() (*Metrics, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	reader, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithoutScopeInfo(), exporter.WithoutTargetInfo())
	if err != nil {
		return nil, fmt.Errorf("making the exporter of metrics: %w", err)
	}
	return &Metrics{registry, sdk.NewMeterProvider(sdk.WithReader(reader), sdk.WithCardinalityLimit(maxSeries))}, nil
}

// Meter makes instruments. Their names begin with balcao, and their labels hold nothing from outside.
func (m *Metrics) Meter() metric.Meter { return m.provider.Meter("balcao") }

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: scrapes, ErrorHandling: promhttp.ContinueOnError})
}

// Close ends the counting.
func (m *Metrics) Close(ctx context.Context) error { return m.provider.Shutdown(ctx) }
