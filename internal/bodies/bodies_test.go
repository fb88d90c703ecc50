package bodies

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// request is a POST with a body; claimed is the length that it says, -1 for none.
func request(body io.Reader, claimed int64) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", body)
	r.ContentLength = claimed
	return r
}

func read(p *pool, r *http.Request) (*Body, error) {
	return p.read(httptest.NewRecorder(), r, 1<<20, time.Second)
}

func TestABodyIsReadUnchanged(t *testing.T) {
	p := newPool(4 << 20)
	for _, size := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 3*chunkSize + 7, 1 << 20} {
		want := bytes.Repeat([]byte("abcdefg"), size/7+1)[:size]
		for how, from := range map[string]io.Reader{"at once": bytes.NewReader(want), "in halves": iotest.HalfReader(bytes.NewReader(want)), "with its end": iotest.DataErrReader(bytes.NewReader(want))} {
			for _, claimed := range []int64{int64(size), -1} {
				if claimed == -1 {
					from = bytes.NewReader(want)
				}
				body, err := read(p, request(from, claimed))
				if err != nil {
					t.Fatalf("%d bytes %s: %v", size, how, err)
				}
				var written bytes.Buffer
				if n, err := body.WriteTo(&written); n != int64(size) || err != nil || !bytes.Equal(written.Bytes(), want) || !bytes.Equal(body.Bytes(), want) {
					t.Errorf("%d bytes %s: wrote %d, %v", size, how, n, err)
				}
				body.Free()
			}
		}
	}
	if len(p.free)+p.unmade != 4<<20/chunkSize || len(p.reading) != 0 {
		t.Errorf("of %d chunks %d are there, and %d bodies are being read", 4<<20/chunkSize, len(p.free)+p.unmade, len(p.reading))
	}
}

func TestAFailedReadReturnsTheReasonAndFreesItsMemory(t *testing.T) {
	for name, c := range map[string]struct {
		request *http.Request
		want    error
		status  int
	}{
		"it says that it is too large":   {request(strings.NewReader("a"), 1<<20+1), ErrTooLarge, 413},
		"it is too large, and says less": {request(bytes.NewReader(make([]byte, 1<<20+1)), -1), ErrTooLarge, 413},
		"it breaks off":                  {request(io.MultiReader(strings.NewReader("a"), iotest.ErrReader(io.ErrUnexpectedEOF)), -1), ErrBroken, 400},
	} {
		p := newPool(2 << 20)
		if _, err := read(p, c.request); !errors.Is(err, c.want) || Status(err) != c.status {
			t.Errorf("%s: got %v", name, err)
		}
		if len(p.free)+p.unmade != 2<<20/chunkSize {
			t.Errorf("%s: memory is gone", name)
		}
	}
}

// sender is a body that gives some bytes and then waits until it is interrupted, as a connection does.
type sender struct {
	mu    sync.Mutex
	bytes int
	stop  chan struct{}
	http.ResponseWriter
}

func newSender(bytes int) *sender {
	return &sender{bytes: bytes, stop: make(chan struct{}), ResponseWriter: httptest.NewRecorder()}
}

func (s *sender) Read(p []byte) (int, error) {
	s.mu.Lock()
	n := min(len(p), s.bytes)
	s.bytes -= n
	s.mu.Unlock()
	if n > 0 {
		return n, nil
	}
	<-s.stop
	return 0, errors.New("the deadline is over")
}

// SetReadDeadline is what [http.ResponseController] calls.
func (s *sender) SetReadDeadline(time.Time) error { close(s.stop); return nil }

// sends has the sender's body read until it fails.
func (s *sender) sends(p *pool, within time.Duration) <-chan error {
	failed := make(chan error, 1)
	go func() {
		_, err := p.read(s, request(s, -1), 1<<20, within)
		failed <- err
	}()
	return failed
}

func TestABodyThatStopsTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, began := newPool(8*chunkSize), time.Now()
		if err := <-newSender(10).sends(p, 3*time.Second); !errors.Is(err, ErrTooSlow) || Status(err) != 408 || time.Since(began) != 3*time.Second {
			t.Errorf("got %v after %s", err, time.Since(began))
		}
	})
}

func TestTheLargestBodyIsInterruptedWhenMemoryIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(16 * chunkSize)
		small := newSender(2*chunkSize-1).sends(p, time.Minute) // 2 chunks
		large := newSender(9*chunkSize-1).sends(p, time.Minute) // 9
		other := newSender(5*chunkSize-1).sends(p, time.Minute) // 5
		synctest.Wait()
		body, err := read(p, request(strings.NewReader("genuine"), 7))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		select {
		case err := <-large:
			if !errors.Is(err, ErrFull) || Status(err) != 503 {
				t.Errorf("the largest ends with %v", err)
			}
		default:
			t.Error("the largest stays")
		}
		body.Free()
		for _, rest := range []<-chan error{small, other} {
			if err := <-rest; !errors.Is(err, ErrTooSlow) {
				t.Errorf("another ends with %v", err)
			}
		}
	})
}

func TestStalledBodiesDoNotBlockOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, began := newPool(64*chunkSize), time.Now()
		var failed []<-chan error
		for range 1000 {
			failed = append(failed, newSender(20*chunkSize).sends(p, time.Minute))
		}
		synctest.Wait()
		for i := range 10 {
			body, err := read(p, request(strings.NewReader("genuine"), 7))
			if err != nil || time.Since(began) > 0 {
				t.Fatalf("genuine %d: %v after %s", i, err, time.Since(began))
			}
			defer body.Free()
		}
		for _, f := range failed {
			<-f
		}
		if p.leaving != 0 || len(p.reading) != 0 {
			t.Errorf("%d are leaving and %d read", p.leaving, len(p.reading))
		}
	})
}

// Over real connections, at once and with the race detector: nothing is mixed up, and all memory comes back.
func TestConcurrentBodiesAreNotMixedUp(t *testing.T) {
	p := newPool(1 << 20)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := p.read(w, r, 1<<20, 10*time.Second)
		if err != nil {
			Leave(w)
			w.WriteHeader(Status(err))
			return
		}
		defer body.Free()
		_, _ = body.WriteTo(w)
	}))
	defer server.Close()
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			sent := strings.Repeat(fmt.Sprintf("%02d", i), (i%8)*16_000+1)
			response, err := http.Post(server.URL, "text/plain", strings.NewReader(sent))
			if err != nil {
				return // it was interrupted
			}
			defer response.Body.Close()
			got, _ := io.ReadAll(response.Body)
			switch {
			case response.StatusCode == http.StatusOK && string(got) != sent:
				t.Errorf("sent %d bytes and got %d others", len(sent), len(got))
			case response.StatusCode != http.StatusOK && response.StatusCode != http.StatusServiceUnavailable:
				t.Errorf("answered %d", response.StatusCode)
			}
		})
	}
	all.Wait()
	server.Close()
	if len(p.free)+p.unmade != 1<<20/chunkSize {
		t.Errorf("of %d chunks %d are there", 1<<20/chunkSize, len(p.free)+p.unmade)
	}
}
