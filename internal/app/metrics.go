package app

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/balcao/balcao/internal/version"
	"github.com/balcao/balcao/portal"
)

// observeVersion makes the gauge that has the version of the program as its label.
func observeVersion(meter metric.Meter) error {
	_, err := meter.Int64ObservableGauge("balcao.build.info",
		metric.WithDescription("1, with the version of the program."),
		metric.WithInt64Callback(func(_ context.Context, gauge metric.Int64Observer) error {
			gauge.Observe(1, metric.WithAttributes(attribute.String("version", version.String())))
			return nil
		}))
	if err != nil {
		return fmt.Errorf("making metrics: %w", err)
	}
	return nil
}

// observeCircuits makes the gauge of the operations of the bank that are suspended after failures, "all" for the whole bank.
func observeCircuits(meter metric.Meter, bank *portal.Client) error {
	_, err := meter.Int64ObservableGauge("balcao.bank.open_circuits",
		metric.WithDescription("Operations of the bank that are suspended because they fail."),
		metric.WithInt64Callback(func(_ context.Context, gauge metric.Int64Observer) error {
			operations, all := bank.OpenCircuits()
			if all {
				operations = append(operations, "all")
			}
			for _, operation := range operations {
				gauge.Observe(1, metric.WithAttributes(attribute.String("operation", string(operation))))
			}
			return nil
		}))
	if err != nil {
		return fmt.Errorf("making metrics: %w", err)
	}
	return nil
}

// unknown counts what of the bank has a meaning that is not known, each time that it matters.
type unknown struct{ states, notifications func(id int32) }

func newUnknown(meter metric.Meter) (counts unknown, err error) {
	counter := func(name, label, is string) (func(int32), error) {
		counter, err := meter.Int64Counter(name, metric.WithDescription(is))
		if err != nil {
			return nil, fmt.Errorf("making metrics: %w", err)
		}
		return func(id int32) {
			counter.Add(context.Background(), 1, metric.WithAttributes(attribute.Int(label, int(id))))
		}, nil
	}
	counts.states, err = counter("balcao.unknown_states_total", "state",
		"How often the meaning of a state of a process or simulation was not known, by the id of the state.")
	if err != nil {
		return unknown{}, err
	}
	counts.notifications, err = counter("balcao.unknown_notifications_total", "type",
		"Notifications whose type has no known meaning, by the id of the type.")
	return counts, err
}

// observeFaults makes the gauge of what of the bank is not as it is taken to be.
func observeFaults(meter metric.Meter, bank *portal.Client) error {
	_, err := meter.Int64ObservableGauge("balcao.bank.faults",
		metric.WithDescription("What of the bank is not as it is taken to be."),
		metric.WithInt64Callback(func(_ context.Context, gauge metric.Int64Observer) error {
			type label struct {
				operation portal.OperationID
				kind      portal.Kind
			}
			many := map[label]int64{}
			for _, fault := range bank.Faults() {
				many[label{fault.Operation, fault.Kind}]++
			}
			for of, n := range many {
				gauge.Observe(n, metric.WithAttributes(attribute.String("operation", string(of.operation)), attribute.String("kind", string(of.kind))))
			}
			return nil
		}))
	if err != nil {
		return fmt.Errorf("making metrics: %w", err)
	}
	return nil
}

// newCallHistogram returns a function that records the calls of tools by name, outcome and duration.
func newCallHistogram(meter metric.Meter) (func(tool, outcome string, took time.Duration), error) {
	calls, err := meter.Float64Histogram("balcao.calls", metric.WithUnit("s"),
		metric.WithDescription("Calls of tools, by outcome."),
		metric.WithExplicitBucketBoundaries(0.1, 0.3, 1, 3, 10, 30, 60))
	if err != nil {
		return nil, fmt.Errorf("making metrics: %w", err)
	}
	return func(tool, outcome string, took time.Duration) {
		calls.Record(context.Background(), took.Seconds(), metric.WithAttributes(
			attribute.String("tool", tool), attribute.String("outcome", outcome)))
	}, nil
}
