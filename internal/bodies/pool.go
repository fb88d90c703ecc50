package bodies

import "sync"

// chunkSize is how much memory a body takes at once: what most genuine ones need, and all that a sender who stops after
// a few bytes gets.
const chunkSize = 4 << 10

// pool is a bound of memory, in chunks that are used again. Where there are none left, the largest body of those being
// read has to go, and of several the oldest: the genuine ones are small and arrive at once, so that those who fill the
// memory are the ones who lose it.
type pool struct {
	mu      sync.Mutex
	free    [][]byte
	unmade  int                  // chunks that may still be made
	reading map[*reader]struct{} // not those that were read whole
	leaving int                  // interrupted, and not released yet
	begun   int
}

// reader is one body being read.
type reader struct {
	number    int // in the order of their beginning
	interrupt func()
	chunks    [][]byte
	wants     chan struct{} // closed when a chunk has come, or the end; nil for one that does not wait
	ended     error         // why it has to stop
}

func newPool(bytes int) *pool {
	return &pool{unmade: bytes / chunkSize, reading: map[*reader]struct{}{}}
}

// begin notes a body that is about to be read. interrupt ends what waits for its bytes.
func (p *pool) begin(interrupt func()) *reader {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun++
	r := &reader{number: p.begun, interrupt: interrupt}
	p.reading[r] = struct{}{}
	return r
}

// take gives a body one more chunk. It waits where another has to go first, who does so at once, and fails where the
// body itself is the largest.
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
	<-wants // ends with the body's time at the latest
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

// makeRoom interrupts the largest body, unless one is leaving already.
func (p *pool) makeRoom() {
	if largest := p.largest(); p.leaving == 0 && largest != nil && len(largest.chunks) > 0 {
		p.end(largest, ErrFull)
	}
}

// interrupt ends the reading of a body, unless that is over.
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

// finish notes that a body is read, and tells whether it had to stop before.
func (p *pool) finish(r *reader) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.ended == nil {
		delete(p.reading, r)
	}
	return r.ended
}

// release takes back what a body holds and gives it to those that wait, the smallest first.
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
