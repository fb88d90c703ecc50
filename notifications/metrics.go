package notifications

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// instruments are the counters of the package. A nil *instruments counts nothing.
type instruments struct {
	meter                                                  metric.Meter
	callbacks, reads, updates, posts, retries, deadLetters metric.Int64Counter
}

// newInstruments creates the counters; with a nil meter they count nothing.
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
		{&i.callbacks, "balcao.callbacks", "Callbacks received, by result."},
		{&i.reads, "balcao.process_reads", "Processes read from the bank, by result."},
		{&i.updates, "balcao.updates", "Updates of processes, each counted once."},
		{&i.posts, "balcao.posts", "Messages to destinations, by result."},
		{&i.retries, "balcao.retries", "Operations retried after a failure."},
		{&i.deadLetters, "balcao.dead_letters_total", "Triggers given up after their attempts, by reason."},
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

// callbackResults are the results of a callback. They are created once: creating one grows the stack by 16 kB, which
// each connection of a flood would keep.
var callbackResults = func() map[string]metric.AddOption {
	made := map[string]metric.AddOption{}
	for _, result := range []string{"accepted", "refused", "too_large", "garbage", "failed"} {
		made[result] = metric.WithAttributeSet(attribute.NewSet(attribute.String("result", result)))
	}
	return made
}()

// callback counts a callback by its result.
func (i *instruments) callback(result string) {
	if i != nil {
		i.callbacks.Add(context.Background(), 1, callbackResults[result])
	}
}

// read counts a read of a process by its result: changed, unchanged, already_read, conflict, absent, unknown,
// bank_unavailable or failed.
func (i *instruments) read(result string) {
	if i != nil {
		count(i.reads, "result", result)
	}
}

// update counts an update.
func (i *instruments) update() {
	if i != nil {
		i.updates.Add(context.Background(), 1)
	}
}

// post counts a message to a destination by its result.
func (i *instruments) post(result string) {
	if i != nil {
		count(i.posts, "result", result)
	}
}

// retry counts an operation that is retried.
func (i *instruments) retry() {
	if i != nil {
		i.retries.Add(context.Background(), 1)
	}
}

// deadLetter counts a dead letter by its reason.
func (i *instruments) deadLetter(reason string) {
	if i != nil {
		count(i.deadLetters, "reason", reason)
	}
}

func count(counter metric.Int64Counter, label, value string) {
	counter.Add(context.Background(), 1, metric.WithAttributes(attribute.String(label, value)))
}
