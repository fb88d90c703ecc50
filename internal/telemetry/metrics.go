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

// maxSeries is the number of combinations of labels of one instrument. Labels have few values; if one grows because of a bug,
// further combinations are counted together.
const maxSeries = 500

// scrapes is the number of concurrent requests for metrics.
const scrapes = 4

// Metrics collects the metrics of a program for Prometheus. Create it with [NewMetrics] and Close it.
type Metrics struct {
	registry *prometheus.Registry
	provider *sdk.MeterProvider
}

// NewMetrics returns Metrics with the collectors of the Go runtime and of the process.
func NewMetrics() (*Metrics, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	reader, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithoutScopeInfo(), exporter.WithoutTargetInfo())
	if err != nil {
		return nil, fmt.Errorf("making the exporter of metrics: %w", err)
	}
	return &Metrics{registry, sdk.NewMeterProvider(sdk.WithReader(reader), sdk.WithCardinalityLimit(maxSeries))}, nil
}

// Meter makes instruments. Their names begin with balcao, and their labels contain nothing from outside.
func (m *Metrics) Meter() metric.Meter { return m.provider.Meter("balcao") }

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: scrapes, ErrorHandling: promhttp.ContinueOnError})
}

// Close stops the collection.
func (m *Metrics) Close(ctx context.Context) error { return m.provider.Shutdown(ctx) }
