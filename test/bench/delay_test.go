package bench

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// delayed is what was read, and when it is to be sent.
type delayed struct {
	data []byte
	at   time.Time
}

// startDelay starts a proxy to a server that is far away: each direction takes half of delay. It returns its address.
func startDelay(b *testing.B, to string, delay time.Duration) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			near, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				continue
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			go forward(far, near, delay/2)
			go forward(near, far, delay/2)
		}
	}()
	return listener.Addr().String()
}

// forward sends what it reads after a time, until a connection ends.
func forward(to io.WriteCloser, from io.ReadCloser, after time.Duration) {
	queue := make(chan delayed, 1024)
	go func() {
		defer close(queue)
		for {
			buffer := make([]byte, 16<<10)
			n, err := from.Read(buffer)
			if n > 0 {
				queue <- delayed{buffer[:n], time.Now().Add(after)}
			}
			if err != nil {
				return
			}
		}
	}()
	for part := range queue {
		time.Sleep(time.Until(part.at))
		if _, err := to.Write(part.data); err != nil {
			break
		}
	}
	_ = to.Close()
	_ = from.Close()
	for range queue { // until the reader notices
	}
}
