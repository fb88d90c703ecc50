package bodies

import "sync"

// chunkSize is the unit of memory of a body. Most genuine bodies need one chunk, and a sender that stops after a few bytes
// takes no more.
const chunkSize = 4 << 10

// pool is a limited number of reusable chunks. If none is left, the largest body being read is interrupted, the oldest of
// several: genuine bodies are small and arrive at once, so that only a flood loses its memory.
type pool struct {
	mu      sync.Mutex
	free    [][]byte
	unmade  int                  // chunks that are not allocated yet
	reading map[*reader]struct{} // without those read completely
	leaving int                  // interrupted, and not released yet
	begun   int
}

// reader is one body being read.
type reader struct {
	number    int // in the order in which reading began
	interrupt func()
	chunks    [][]byte
	wants     chan struct{} // closed when a chunk is free or the body is interrupted; nil if it does not wait
	ended     error         // why it was interrupted
}

func newPool(bytes int) *pool {
	return &pool{unmade: bytes / chunkSize, reading: map[*reader]struct{}{}}
}

// begin adds a body that is about to be read. interrupt ends a read that waits for bytes.
func (p *pool) begin(interrupt func()) *reader {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun++
	r := &reader{number: p.begun, interrupt: interrupt}
	p.reading[r] = struct{}{}
	return r
}

// take returns one more chunk for a body. It waits while another body is interrupted, and fails if the body itself is the
// largest.
func (p *pool) take(r *reader) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.ended != nil {
		return nil, r.ended
	}
	before := len(r.chunks)
	if chunk := p.spare(); chunk != nil {
		r.chunks = append(r.chunks, chunk)
		return chunk, nil
	}
	if p.largest() == r && before > 0 {
		return nil, ErrFull
	}
	wants := make(chan struct{})
	r.wants = wants
	p.makeRoom()
	p.mu.Unlock()
	<-wants // ends with the time-out of the body at the latest
	p.mu.Lock()
	if len(r.chunks) == before {
		return nil, r.ended
	}
	return r.chunks[before], nil
}

func (p *pool) spare() []byte {
	if last := len(p.free) - 1; last >= 0 {
		chunk := p.free[last]
		p.free = p.free[:last]
		return chunk
	}
	if p.unmade == 0 {
		return nil
	}
	p.unmade--
	return make([]byte, chunkSize)
}

func (p *pool) largest() (largest *reader) {
	for r := range p.reading {
		if r.ended == nil && (largest == nil || len(r.chunks) > len(largest.chunks) ||
			len(r.chunks) == len(largest.chunks) && r.number < largest.number) {
			largest = r
		}
	}
	return largest
}

// makeRoom interrupts the largest body, unless one is being interrupted already.
func (p *pool) makeRoom() {
	if largest := p.largest(); p.leaving == 0 && largest != nil && len(largest.chunks) > 0 {
		p.end(largest, ErrFull)
	}
}

// interrupt ends the reading of a body that is not read completely.
func (p *pool) interrupt(r *reader, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, reading := p.reading[r]; reading && r.ended == nil {
		p.end(r, why)
	}
}

func (p *pool) end(r *reader, why error) {
	r.ended = why
	p.leaving++
	r.interrupt()
	r.wake()
}

func (r *reader) wake() {
	if r.wants != nil {
		close(r.wants)
		r.wants = nil
	}
}

// finish marks a body as read and returns the error with which it was interrupted before.
func (p *pool) finish(r *reader) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.ended == nil {
		delete(p.reading, r)
	}
	return r.ended
}

// release returns the chunks of a body and assigns them to waiting bodies, the smallest first.
func (p *pool) release(r *reader) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, reading := p.reading[r]; reading && r.ended != nil {
		p.leaving--
	}
	delete(p.reading, r)
	p.free = append(p.free, r.chunks...)
	r.chunks = nil
	for len(p.free) > 0 {
		next := p.smallestWaiting()
		if next == nil {
			return
		}
		next.chunks = append(next.chunks, p.spare())
		next.wake()
	}
	if p.smallestWaiting() != nil {
		p.makeRoom()
	}
}

func (p *pool) smallestWaiting() (smallest *reader) {
	for r := range p.reading {
		if r.wants != nil && (smallest == nil || len(r.chunks) < len(smallest.chunks) ||
			len(r.chunks) == len(smallest.chunks) && r.number < smallest.number) {
			smallest = r
		}
	}
	return smallest
}
