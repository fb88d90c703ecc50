package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/balcao/balcao/internal/pause"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// ListPace is the pace at which the bank's list of processes is read for those who wait for a process that is not in the
// index. A zero field has its default.
type ListPace struct {
	Login portal.Login  // the user who reads it, and sees every process of the broker; for another broker, the person who asks
	Page  time.Duration // between two pages; 250 ms
	Lease time.Duration // after which another replica continues the reading of a crashed one; 15 s
	Poll  time.Duration // between two looks at what other replicas request; 10 s
	Wait  time.Duration // how long a person waits; 4 s
}

func (p ListPace) withDefaults() ListPace {
	p.Page = cmp.Or(p.Page, 250*time.Millisecond)
	p.Lease = cmp.Or(p.Lease, 15*time.Second)
	p.Poll = cmp.Or(p.Poll, 10*time.Second)
	p.Wait = cmp.Or(p.Wait, 4*time.Second)
	return p
}

// The limits of one reading. A list that exceeds them is not read to its end.
const (
	listLines       = 100              // processes in a page
	maxListPages    = 500              // the index has room for as many
	maxListTime     = time.Hour        // with all interruptions
	maxListFailures = 10               // in a row; then the requests for it are dropped
	maxListBackoff  = 30 * time.Second // between two attempts
)

// listReader is who reads the list of a broker.
type listReader struct {
	mu   sync.Mutex
	user *portal.User
}

// listReading is how far a reading of the list is. It is stored after each page, so that another replica can continue.
type listReading struct {
	Run      int64     `json:"run"`
	Started  time.Time `json:"started"`
	Cursor   string    `json:"cursor,omitempty"`
	Pages    int       `json:"pages"`
	Seen     int       `json:"seen"`            // processes
	Total    int       `json:"total,omitempty"` // as the bank says
	Failures int       `json:"failures,omitempty"`
	Short    bool      `json:"short,omitempty"`  // the one before ended too early
	Unread   bool      `json:"unread,omitempty"` // it cannot be read to its end
}

// listStatus is what is known of the readings of a broker's list.
type listStatus struct {
	done, wanted int64
	age          time.Duration // of the last that is done
	reading      listReading   // the last that was begun
}

func (b *BrokerIndex) status(ctx context.Context) (s listStatus, err error) {
	done, age, wanted, data, err := b.store().ListState(ctx, b.key())
	if err != nil {
		return s, err
	}
	s.done, s.age, s.wanted = done, age, wanted
	_ = json.Unmarshal(data, &s.reading) // of another version: begun anew
	return s, nil
}

var (
	errListLost   = errors.New("the index has lost its data")
	errListUnread = errors.New("the list cannot be read to its end")
	errListShort  = errors.New("the list ends before all of the processes that the bank counts")
)

// BeginList returns the number of a reading of the whole list that begins now.
func (b *BrokerIndex) BeginList(ctx context.Context) (run int64, err error) {
	return b.store().BeginList(ctx, b.key())
}

// AddProcesses stores what the bank has returned of processes.
func (b *BrokerIndex) AddProcesses(ctx context.Context, rows []portal.ProcessSummary) error {
	return b.add(ctx, rows, true)
}

// EndList records that a reading came to the end of the list. It reads the beginning again before.
func (b *BrokerIndex) EndList(ctx context.Context, run int64) error {
	user := b.reads(nil)
	if user == nil {
		return nil
	}
	if err := b.readHead(ctx, user); err != nil {
		return err
	}
	_, err := b.store().RecordList(ctx, b.key(), run, nil, true)
	return err
}

// ReadLists reads the list of a broker whenever somebody waits for a process that is not in the index, one replica at a time,
// until ctx ends.
func (r *Runner) ReadLists(ctx context.Context) {
	if r.List.Login != (portal.Login{}) {
		r.IndexOf(r.List.Login.BrokerUID)
	}
	delay := time.Duration(0)
	for ctx.Err() == nil {
		var failure error
		for _, index := range r.everyIndex() {
			if err := index.readWanted(ctx); err != nil && ctx.Err() == nil {
				failure = err
				r.Log.WarnContext(ctx, "reading the bank's list of processes failed", "error", pii.Scrub(err.Error()))
			}
		}
		if failure == nil {
			delay = 0
			select {
			case <-ctx.Done():
			case <-r.listWanted:
			case <-time.After(r.List.Poll):
			}
			continue
		}
		delay = min(max(2*delay, r.List.Page), maxListBackoff)
		if bank, ok := errors.AsType[*portal.Error](failure); ok {
			delay = min(max(delay, bank.RetryAfter), maxListBackoff)
		}
		pause.For(ctx, delay)
	}
}

// wakeReader has this replica look at the requests now.
func (r *Runner) wakeReader() {
	select {
	case r.listWanted <- struct{}{}:
	default:
	}
}

// reads sets the user who reads the list, unless one is set.
func (b *BrokerIndex) reads(person *portal.User) *portal.User {
	b.reader.mu.Lock()
	defer b.reader.mu.Unlock()
	if login := b.runner.List.Login; b.reader.user == nil && login.BrokerUID == b.broker {
		b.reader.user = b.runner.Bank.As(login, "pt-PT")
	}
	if b.reader.user == nil {
		b.reader.user = person
	}
	return b.reader.user
}

// readWanted reads the list until no reading is requested that is not done.
func (b *BrokerIndex) readWanted(ctx context.Context) error {
	user := b.reads(nil)
	status, err := b.status(ctx)
	if err != nil || user == nil || status.wanted <= status.done {
		return err
	}
	_, err = b.store().WithLease(ctx, "process list "+b.key(), b.runner.List.Lease, func(ctx context.Context) error {
		for {
			status, err := b.status(ctx)
			if err != nil || status.wanted <= status.done {
				return err
			}
			if err := b.read(ctx, user, status); err != nil {
				return err
			}
			if !pause.For(ctx, b.runner.List.Page) {
				return ctx.Err()
			}
		}
	})
	return err
}

// read reads the list to its end, from where the last reading was interrupted. If that fails too often, or the list has no
// end, it drops the requests.
func (b *BrokerIndex) read(ctx context.Context, user *portal.User, status listStatus) error {
	reading, now := status.reading, b.runner.now().UTC()
	if reading.Run <= status.done || reading.Unread || now.Sub(reading.Started) >= maxListTime {
		run, err := b.BeginList(ctx)
		if err != nil {
			return err
		}
		reading = listReading{Run: run, Started: now, Failures: reading.Failures, Short: reading.Short && reading.Run > status.done}
	}
	err := b.readPages(ctx, user, &reading)
	bank, ofBank := errors.AsType[*portal.Error](err)
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case errors.Is(err, errListUnread), errors.Is(err, errListShort) && reading.Short:
		reading.Unread = true
	case errors.Is(err, errListShort): // one may have moved while it was read: begin anew
		reading.Short, reading.Started = true, time.Time{}
	case !ofBank:
		return err
	case reading.Cursor != "" && (bank.Kind == portal.Refused || bank.Kind == portal.NotFound):
		reading.Started = time.Time{} // its process may be gone: begin anew
		fallthrough
	default:
		reading.Failures++
	}
	if _, failure := b.record(ctx, reading, false); failure != nil {
		return errors.Join(err, failure)
	}
	if reading.Unread || reading.Failures >= maxListFailures {
		return errors.Join(err, b.store().DropListRequest(ctx, b.key(), status.wanted))
	}
	return err
}

func (b *BrokerIndex) readPages(ctx context.Context, user *portal.User, reading *listReading) error {
	for reading.Pages < maxListPages && b.runner.now().Sub(reading.Started) < maxListTime {
		rows, next, total, err := readListPage(ctx, user, reading.Cursor)
		if err != nil {
			return err
		}
		if next != "" && next == reading.Cursor {
			return fmt.Errorf("%w: the bank repeats a page", errListUnread)
		}
		if err := b.AddProcesses(ctx, rows); err != nil {
			return err
		}
		if next == "" && reading.Pages > 0 {
			if err := b.readHead(ctx, user); err != nil {
				return err
			}
		}
		reading.Pages, reading.Seen, reading.Total, reading.Failures = reading.Pages+1, reading.Seen+len(rows), total, 0
		reading.Cursor = next
		if next == "" && reading.Seen < total {
			return errListShort
		}
		ok, err := b.record(ctx, *reading, next == "")
		if err != nil || next == "" {
			return err
		}
		if !ok {
			return errListLost
		}
		if !pause.For(ctx, b.runner.List.Page) {
			return cmp.Or(ctx.Err(), context.DeadlineExceeded)
		}
	}
	return fmt.Errorf("%w: it has more than %d pages", errListUnread, reading.Pages)
}

// readHead reads the beginning of the list again, up to a page without a process that is new. A process that came to the top
// while the list was read was on none of its pages.
func (b *BrokerIndex) readHead(ctx context.Context, user *portal.User) error {
	cursor := ""
	for range maxListPages {
		rows, next, _, err := readListPage(ctx, user, cursor)
		if err != nil {
			return err
		}
		known := true
		for _, row := range rows {
			_, indexed, err := b.id(ctx, row.ProcessNumber)
			if err != nil {
				return err
			}
			known = known && indexed
		}
		if known || next == "" || next == cursor {
			return b.AddProcesses(ctx, rows)
		}
		if err := b.AddProcesses(ctx, rows); err != nil {
			return err
		}
		cursor = next
		if !pause.For(ctx, b.runner.List.Page) {
			return cmp.Or(ctx.Err(), context.DeadlineExceeded)
		}
	}
	return fmt.Errorf("%w: it keeps changing", errListUnread)
}

func (b *BrokerIndex) record(ctx context.Context, reading listReading, done bool) (ok bool, err error) {
	data, err := json.Marshal(reading)
	if err != nil {
		return false, fmt.Errorf("recording a reading: %w", err)
	}
	return b.store().RecordList(ctx, b.key(), reading.Run, data, done)
}

// readListPage reads the page after a cursor. next is the cursor of the page after, "" at the end of the list.
func readListPage(ctx context.Context, user *portal.User, cursor string) (rows []portal.ProcessSummary, next string, total int, err error) {
	page, err := user.ListProcesses(ctx, portal.ProcessQuery{Limit: listLines, After: cursor})
	return page.Processes, page.Next, page.TotalRecords, err
}

// wait returns about how long the reading will still take.
func (l listReading) wait(pace ListPace) time.Duration {
	const unknown = 10 * time.Second
	if l.Total <= l.Seen {
		return unknown
	}
	return min(max(whole(time.Duration((l.Total-l.Seen)/listLines+1)*2*pace.Page), 5*time.Second), time.Minute)
}

// askedLife is how long a question is stored that could not be answered yet, so that the next one need not wait for a further
// reading.
const askedLife = 15 * time.Minute

// asked returns the number of the reading that answers a question, and requests it when the question is asked first.
func (b *BrokerIndex) asked(ctx context.Context, bank *portal.User, question string) (run int64, err error) {
	b.reads(bank)
	defer b.runner.wakeReader()
	data, ok, err := b.store().Get(ctx, "asked", b.key()+" "+question)
	if err != nil {
		return 0, err
	}
	if ok && json.Unmarshal(data, &run) == nil && run > 0 {
		return run, nil
	}
	if run, err = b.store().RequestList(ctx, b.key()); err != nil {
		return 0, err
	}
	return run, b.store().Put(ctx, "asked", b.key()+" "+question, fmt.Append(nil, run), askedLife)
}

// answered forgets a question: the next one requests another reading.
func (b *BrokerIndex) answered(ctx context.Context, question string) error {
	return b.store().Put(ctx, "asked", b.key()+" "+question, nil, time.Millisecond)
}

// await calls find until it finds something, until the list was read as a whole since the question was asked first, or until
// the person has waited long enough. Then it returns an error of the kind NotFound, Busy or Unavailable, which says what is
// known.
func (b *BrokerIndex) await(ctx context.Context, bank *portal.User, question string, limit time.Duration, find func() (found bool, err error)) error {
	run, err := b.asked(ctx, bank, question)
	if err != nil {
		return StoreError(err)
	}
	const interval = 100 * time.Millisecond
	for end := time.Now().Add(limit); ; {
		status, err := b.status(ctx) // before find: what a reading that is done has read is found
		if err != nil {
			return StoreError(err)
		}
		if found, err := find(); err != nil || found {
			return err
		}
		read := 0
		if status.reading.Run > status.done {
			read = status.reading.Seen
		}
		switch {
		case status.done >= run:
			if err := b.answered(ctx, question); err != nil {
				return StoreError(err)
			}
			return &Error{Kind: NotFound}
		case status.wanted < run: // dropped
			if err := b.answered(ctx, question); err != nil {
				return StoreError(err)
			}
			return &Error{Kind: Unavailable, RetryAfter: time.Minute, list: listUnread, listed: read, err: errListUnread}
		case time.Now().After(end) && status.reading.Failures > 0:
			return &Error{Kind: Unavailable, RetryAfter: maxListBackoff, err: errors.New("reading the list of processes fails")}
		case time.Now().After(end) || !pause.For(ctx, interval):
			return &Error{Kind: Busy, RetryAfter: status.reading.wait(b.runner.List), list: listBeingRead, listed: read, err: errors.New("the list of processes is being read")}
		}
	}
}
