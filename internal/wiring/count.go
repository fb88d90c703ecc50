package wiring

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// counting makes what counts the calls of tools by name, outcome and time.
func counting(meter metric.Meter) (func(tool, outcome string, took time.Duration), error) {
	calls, err := meter.Float64Histogram("balcao.calls", metric.WithUnit("s"),
		metric.WithDescription("Calls of tools, by what became of them."),
		metric.WithExplicitBucketBoundaries(0.1, 0.3, 1, 3, 10, 30, 60))
	if err != nil {
		return nil, fmt.Errorf("making metrics: %w", err)
	}
	return func(tool, outcome string, took time.Duration) {
		calls.Record(context.Background(), took.Seconds(), metric.WithAttributes(
			attribute.String("tool", tool), attribute.String("outcome", outcome)))
	}, nil
}
