// Package addrtest finds addresses for servers that a test ends and starts again at the same one.
package addrtest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
)

// ports counts through the ports that Free tries. They are below those that systems give to connections and to listeners on
// port 0, so that nobody takes one between Free and its use.
var ports = func() *atomic.Uint32 {
	var port atomic.Uint32
	port.Store(rand.Uint32N(20_000))
	return &port
}()

// Free returns an address of this machine at which nobody listens. It returns each one once.
func Free(t testing.TB) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10_000+ports.Add(1)%20_000)
		if listener, err := net.Listen("tcp", addr); err == nil {
			listener.Close()
			return addr
		}
	}
	t.Fatal("no port is free")
	return ""
}
