package notifications

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// instruments count what happens. A nil one counts nothing.
type instruments struct {
	meter                                      metric.Meter
	hints, readings, moved, posts, again, dead metric.Int64Counter
}

// newInstruments makes the counters; a nil meter makes ones that count nothing.
func newInstruments(meter metric.Meter) (*instruments, error) {
	if meter == nil {
		meter = noop.NewMeterProvider().Meter("")
	}
	i := &instruments{meter: meter}
	var wrong []error
	for _, make := range []struct {
		counter  *metric.Int64Counter
		name, is string
	}{
		{&i.hints, "balcao.hints", "Hints that something may have happened to a process, by what became of them."},
		{&i.readings, "balcao.readings", "Processes read again at the bank, by what came of it."},
		{&i.moved, "balcao.updates", "Updates of processes."},
		{&i.posts, "balcao.posts", "Messages to places, by what became of them."},
		{&i.again, "balcao.retries", "Things tried again after a failure."},
		{&i.dead, "balcao.dead_letters", "Hints given up and put aside, by reason."},
	} {
		var err error
		*make.counter, err = meter.Int64Counter(make.name, metric.WithDescription(make.is))
		wrong = append(wrong, err)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, fmt.Errorf("making metrics: %w", err)
	}
	return i, nil
}

// hintResults are what may become of a hint. They are made once: to make one takes a stack of 16 kB, which each
// connection of a flood would keep.
var hintResults = func() map[string]metric.AddOption {
	made := map[string]metric.AddOption{}
	for _, result := range []string{"accepted", "simulation", "refused", "too_large", "garbage", "failed"} {
		made[result] = metric.WithAttributeSet(attribute.NewSet(attribute.String("result", result)))
	}
	return made
}()

// received counts a hint by its result.
func (i *instruments) received(result string) {
	if i != nil {
		i.hints.Add(context.Background(), 1, hintResults[result])
	}
}

// read counts a reading of the bank: moved, same, late, absent, bank or failed.
func (i *instruments) read(result string) {
	if i != nil {
		count(i.readings, "result", result)
	}
}

// updated counts an update.
func (i *instruments) updated() {
	if i != nil {
		i.moved.Add(context.Background(), 1)
	}
}

// posted counts a message to a place.
func (i *instruments) posted(result string) {
	if i != nil {
		count(i.posts, "result", result)
	}
}

// retried counts something that is tried again.
func (i *instruments) retried() {
	if i != nil {
		i.again.Add(context.Background(), 1)
	}
}

// lettered counts a dead letter.
func (i *instruments) lettered(reason string) {
	if i != nil {
		count(i.dead, "reason", reason)
	}
}

func count(counter metric.Int64Counter, label, value string) {
	counter.Add(context.Background(), 1, metric.WithAttributes(attribute.String(label, value)))
}
