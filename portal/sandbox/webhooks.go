package sandbox

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	maxDeliveries = 20_000 // queued or being sent; further ones are dropped
	maxSenders    = 8      // deliveries sent at once
	maxRetryPause = 5 * time.Minute
)

// DeliveryFaults are faults of the delivery of notifications. The bank guarantees neither order nor delivery exactly once.
type DeliveryFaults struct {
	Duplicate float64 // the share that is delivered twice
	Lose      float64 // the share that is never delivered
	Reorder   bool    // each is delayed by up to four times the pause before the first retry
	Seed      uint64  // of the choices
}

// DeliveryStats counts the deliveries of notifications.
type DeliveryStats struct {
	Waiting    int // queued, between two attempts or being sent
	Tries      int // attempts
	Arrived    int // answered with 2xx
	GivenUp    int // after the last attempt, or when the bank was closed
	Duplicated int
	Lost       int // by [DeliveryFaults]
	Dropped    int // because the queue was full
}

// webhookSender delivers notifications as the bank says it does: by POST, and again if the receiver does not answer with
// success (confirmed; how often, after which pauses, and that success is 2xx are ours). Notifications of one process or
// simulation are delivered one after the other, but one that waits for a retry does not delay the next. Its goroutines end when the queue
// is empty.
type webhookSender struct {
	transport http.RoundTripper
	timeout   time.Duration
	pause     time.Duration // before the first retry; it doubles with each
	tries     int
	log       *slog.Logger

	ctx   context.Context // of the requests
	end   context.CancelFunc
	wake  chan struct{}
	group sync.WaitGroup

	mu      sync.Mutex // guards all below
	closed  bool
	faults  DeliveryFaults
	rng     *rand.Rand
	waiting []*delivery // sorted by due
	busy    map[uuid.UUID]bool
	workers int
	serial  int
	stats   DeliveryStats
}

// delivery is one notification to one address.
type delivery struct {
	about   uuid.UUID // the process or simulation
	address string
	body    []byte
	due     time.Time
	serial  int
	tried   int
}

func newWebhookSender(config Config) *webhookSender {
	c := &webhookSender{
		transport: config.Transport, timeout: config.DeliveryTimeout, pause: config.RetryPause, tries: config.DeliveryTries,
		log: config.Log, wake: make(chan struct{}, 1), busy: map[uuid.UUID]bool{},
	}
	c.ctx, c.end = context.WithCancel(context.Background())
	c.setFaults(DeliveryFaults{})
	return c
}

// setFaults sets the faults of later deliveries.
func (c *webhookSender) setFaults(faults DeliveryFaults) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults, c.rng = faults, rand.New(rand.NewPCG(faults.Seed, faults.Seed))
}

// send enqueues a notification.
func (c *webhookSender) send(about subject, address string, body []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	copies := 1
	lose, duplicate := c.rng.Float64() < c.faults.Lose, c.rng.Float64() < c.faults.Duplicate
	switch {
	case c.closed:
		return
	case lose:
		c.stats.Lost++
		return
	case duplicate:
		c.stats.Duplicated++
		copies = 2
	}
	for range copies {
		due := time.Now()
		if c.faults.Reorder {
			due = due.Add(time.Duration(c.rng.Int64N(int64(4 * c.pause))))
		}
		if c.stats.Waiting >= maxDeliveries {
			c.stats.Dropped++
			continue
		}
		c.stats.Waiting++
		c.serial++
		c.enqueue(&delivery{about: about.id(), address: address, body: body, due: due, serial: c.serial})
	}
}

// enqueue adds a delivery to the queue. The caller holds the lock.
func (c *webhookSender) enqueue(d *delivery) {
	at, _ := slices.BinarySearchFunc(c.waiting, d, func(a, b *delivery) int {
		if order := a.due.Compare(b.due); order != 0 {
			return order
		}
		return a.serial - b.serial
	})
	c.waiting = slices.Insert(c.waiting, at, d)
	if c.workers < maxSenders {
		c.workers++
		c.group.Go(c.run)
	}
	select {
	case c.wake <- struct{}{}:
	default: // a worker is already woken
	}
}

// run delivers until the queue is empty.
func (c *webhookSender) run() {
	for {
		d, wait, more := c.dequeue()
		switch {
		case d != nil:
			c.deliver(d)
		case more:
			c.waitForWork(wait)
		default:
			return
		}
	}
}

// dequeue returns the next delivery that is due and whose subject has none being sent, or else how long to wait for one. If
// the queue is empty, more is false and the worker ends.
func (c *webhookSender) dequeue() (next *delivery, wait time.Duration, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(c.waiting) == 0 {
		c.workers--
		return nil, 0, false
	}
	wait = time.Minute // the worker of a subject that is busy continues with its next delivery
	now := time.Now()
	for i, d := range c.waiting {
		if d.due.After(now) {
			return nil, d.due.Sub(now), true
		}
		if !c.busy[d.about] {
			c.waiting = slices.Delete(c.waiting, i, i+1)
			c.busy[d.about] = true
			return d, 0, true
		}
	}
	return nil, wait, true
}

func (c *webhookSender) waitForWork(wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.wake:
	case <-c.ctx.Done():
	}
}

// deliver makes one attempt, after which the delivery has arrived, is queued again or is given up.
func (c *webhookSender) deliver(d *delivery) {
	status, err := c.post(c.ctx, d.address, d.body)
	d.tried++
	c.log.Info("delivery", "about", d.about, "try", d.tried, "status", status, "reached", err == nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.busy, d.about)
	c.stats.Tries++
	switch {
	case err == nil && status >= 200 && status <= 299:
		c.stats.Waiting--
		c.stats.Arrived++
	case d.tried >= c.tries || c.closed:
		c.stats.Waiting--
		c.stats.GivenUp++
	default:
		d.due = time.Now().Add(min(c.pause<<(d.tried-1), maxRetryPause))
		c.enqueue(d)
	}
}

// post sends a body. It follows no redirect.
func (c *webhookSender) post(ctx context.Context, address string, body []byte) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header = http.Header{"Content-Type": {"application/json"}, "User-Agent": {"sandbox-bank"}}
	response, err := c.transport.RoundTrip(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxBody)) // so that the connection can be kept
	return response.StatusCode, nil
}

// close cancels what is being sent, empties the queue and returns when all goroutines have ended.
func (c *webhookSender) close() {
	c.mu.Lock()
	c.closed = true
	c.stats.Waiting -= len(c.waiting)
	c.stats.GivenUp += len(c.waiting)
	c.waiting = nil
	c.mu.Unlock()
	c.end()
	c.group.Wait()
	if transport, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		transport.CloseIdleConnections()
	}
}

// SetDeliveryFaults sets the faults of later deliveries; the zero value has none.
func (b *Bank) SetDeliveryFaults(faults DeliveryFaults) { b.webhooks.setFaults(faults) }

// DeliveryStats returns the counts of the deliveries.
func (b *Bank) DeliveryStats() DeliveryStats {
	b.webhooks.mu.Lock()
	defer b.webhooks.mu.Unlock()
	return b.webhooks.stats
}
