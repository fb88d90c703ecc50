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
	maxDeliveries = 20_000 // that wait or are on their way; further ones are dropped
	maxCouriers   = 8      // deliveries on their way at once
	maxRetryPause = 5 * time.Minute
)

// Deliveries says what goes wrong on the way of notifications. The bank promises neither order nor that each comes once.
type Deliveries struct {
	Duplicate float64 // the share that is delivered twice
	Lose      float64 // the share that is never delivered
	Reorder   bool    // each is held back for up to four times the first pause of a retry, and so they overtake each other
	Seed      uint64  // of the choices
}

// Tally counts the deliveries of notifications.
type Tally struct {
	Waiting    int // for their turn, for a retry or for an answer
	Tries      int
	Arrived    int // answered with 2xx
	GivenUp    int // after the last try, or when the bank closed
	Duplicated int
	Lost       int // on request
	Dropped    int // because too many wait
}

// courier delivers notifications as the bank says it does: by POST, and again when the receiver does not answer with
// success (confirmed; how often, after which pauses, and that success is 2xx are ours). Notifications of one process are
// delivered one after the other, but who waits for a retry is overtaken. Its goroutines live as long as there is work.
type courier struct {
	transport http.RoundTripper
	timeout   time.Duration
	pause     time.Duration // before the first retry; it doubles with each
	tries     int
	log       *slog.Logger

	ctx   context.Context // of what is on its way
	end   context.CancelFunc
	wake  chan struct{}
	group sync.WaitGroup

	mu      sync.Mutex // guards all below
	closed  bool
	way     Deliveries
	dice    *rand.Rand
	waiting []*delivery // by when they are due
	busy    map[uuid.UUID]bool
	workers int
	serial  int
	tally   Tally
}

// delivery is one notification on its way to one address.
type delivery struct {
	process uuid.UUID
	address string
	body    []byte
	due     time.Time
	serial  int
	tried   int
}

func newCourier(config Config) *courier {
	c := &courier{
		transport: config.Transport, timeout: config.DeliveryTimeout, pause: config.RetryPause, tries: config.DeliveryTries,
		log: config.Log, wake: make(chan struct{}, 1), busy: map[uuid.UUID]bool{},
	}
	c.ctx, c.end = context.WithCancel(context.Background())
	c.on(Deliveries{})
	return c
}

// on changes the way from here on.
func (c *courier) on(way Deliveries) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.way, c.dice = way, rand.New(rand.NewPCG(way.Seed, way.Seed))
}

// send takes a notification to be delivered, and does not wait for it.
func (c *courier) send(process uuid.UUID, address string, body []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	copies := 1
	lose, duplicate := c.dice.Float64() < c.way.Lose, c.dice.Float64() < c.way.Duplicate
	switch {
	case c.closed:
		return
	case lose:
		c.tally.Lost++
		return
	case duplicate:
		c.tally.Duplicated++
		copies = 2
	}
	for range copies {
		due := time.Now()
		if c.way.Reorder {
			due = due.Add(time.Duration(c.dice.Int64N(int64(4 * c.pause))))
		}
		if c.tally.Waiting >= maxDeliveries {
			c.tally.Dropped++
			continue
		}
		c.tally.Waiting++
		c.serial++
		c.put(&delivery{process: process, address: address, body: body, due: due, serial: c.serial})
	}
}

// put has a delivery wait until it is due. The lock is held by the caller.
func (c *courier) put(d *delivery) {
	at, _ := slices.BinarySearchFunc(c.waiting, d, func(a, b *delivery) int {
		if order := a.due.Compare(b.due); order != 0 {
			return order
		}
		return a.serial - b.serial
	})
	c.waiting = slices.Insert(c.waiting, at, d)
	if c.workers < maxCouriers {
		c.workers++
		c.group.Go(c.work)
	}
	select {
	case c.wake <- struct{}{}: // one who rests looks again
	default: // or else somebody is about to look
	}
}

// work delivers until nothing waits.
func (c *courier) work() {
	for {
		d, wait, more := c.take()
		switch {
		case d != nil:
			c.deliver(d)
		case more:
			c.rest(wait)
		default:
			return
		}
	}
}

// take returns the next delivery that is due and whose process has none on its way, or else how long to wait for one.
// When there is no more, the worker is counted out.
func (c *courier) take() (next *delivery, wait time.Duration, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(c.waiting) == 0 {
		c.workers--
		return nil, 0, false
	}
	wait = time.Minute // all that is due follows something on its way, whose worker looks again
	now := time.Now()
	for i, d := range c.waiting {
		if d.due.After(now) {
			return nil, d.due.Sub(now), true
		}
		if !c.busy[d.process] {
			c.waiting = slices.Delete(c.waiting, i, i+1)
			c.busy[d.process] = true
			return d, 0, true
		}
	}
	return nil, wait, true
}

func (c *courier) rest(wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.wake:
	case <-c.ctx.Done():
	}
}

// deliver makes one try, after which the delivery has arrived, waits for the next one, or is given up.
func (c *courier) deliver(d *delivery) {
	status, err := c.post(c.ctx, d.address, d.body)
	d.tried++
	c.log.Info("delivery", "process", d.process, "try", d.tried, "status", status, "reached", err == nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.busy, d.process)
	c.tally.Tries++
	switch {
	case err == nil && status >= 200 && status <= 299:
		c.tally.Waiting--
		c.tally.Arrived++
	case d.tried >= c.tries || c.closed:
		c.tally.Waiting--
		c.tally.GivenUp++
	default:
		d.due = time.Now().Add(min(c.pause<<(d.tried-1), maxRetryPause))
		c.put(d)
	}
}

// post sends a body, and follows no redirect.
func (c *courier) post(ctx context.Context, address string, body []byte) (status int, err error) {
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

// close ends what is on its way, forgets what waits, and returns when all goroutines have ended.
func (c *courier) close() {
	c.mu.Lock()
	c.closed = true
	c.tally.Waiting -= len(c.waiting)
	c.tally.GivenUp += len(c.waiting)
	c.waiting = nil
	c.mu.Unlock()
	c.end()
	c.group.Wait()
	if transport, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		transport.CloseIdleConnections()
	}
}

// Deliver changes what goes wrong on the way of the notifications from here on; the zero value is a way without faults.
func (b *Bank) Deliver(way Deliveries) { b.courier.on(way) }

// Tally tells how the deliveries of notifications fare.
func (b *Bank) Tally() Tally {
	b.courier.mu.Lock()
	defer b.courier.mu.Unlock()
	return b.courier.tally
}
