package soak

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/notifications"
	"github.com/balcao/balcao/portal/sandbox"
)

// callbackCost counts what callbacks cost.
type callbackCost struct {
	config      notifications.Config
	service     *notifications.Service
	bank        atomic.Int64 // calls of the bank
	otherBroker atomic.Int64 // of those, for another broker's process
	redis       atomic.Int64 // commands to Redis
	read        atomic.Int64 // bytes from the network
}

// newCallbackCost opens a service that receives callbacks and does not process them.
func newCallbackCost(t testing.TB) *callbackCost {
	t.Helper()
	c := &callbackCost{}
	bank, others := sandbox.New(sandbox.Config{}), sandbox.SampleProcess(sandbox.SampleOthers).String()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.bank.Add(1)
		if strings.Contains(r.URL.Path, others) {
			c.otherBroker.Add(1)
		}
		bank.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	key, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	config, client, err := replicaConfig{
		Redis: redistest.Start(t), Key: key, Bank: server.URL, Token: token, Lease: 5 * time.Second, ReconcileInterval: time.Hour,
	}.config(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	config.Poster = destination.NopPoster{}
	c.config = config
	t.Cleanup(client.Close)
	t.Cleanup(func() {
		if err := config.Store.Close(); err != nil {
			t.Error(err)
		}
	})
	if c.service, err = notifications.Open(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.service.Close)
	if err := c.service.Register(t.Context()); err != nil { // reads the types of notification
		t.Fatal(err)
	}
	config.Store.Client().AddHook(c)
	c.clear()
	return c
}

func (c *callbackCost) clear() {
	for _, count := range []*atomic.Int64{&c.bank, &c.otherBroker, &c.redis, &c.read} {
		count.Store(0)
	}
}

func (c *callbackCost) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *callbackCost) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.redis.Add(1)
		return next(ctx, cmd)
	}
}

func (c *callbackCost) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c.redis.Add(int64(len(cmds)))
		return next(ctx, cmds)
	}
}

// countingListener counts the bytes that are read from its connections.
type countingListener struct {
	net.Listener
	read *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return countingConn{conn, l.read}, err
}

type countingConn struct {
	net.Conn
	read *atomic.Int64
}

func (c countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}

func TestForgedCallbacksCostNoReadingAndNoWriting(t *testing.T) {
	parallel(t)
	c := newCallbackCost(t)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	const times = 10
	// post posts the body a number of times, and waits until all connections have ended.
	post := func(path string, body func() io.Reader) (said map[string]int) {
		server := httptest.NewUnstartedServer(c.service.Handler())
		server.Listener = countingListener{server.Listener, &c.read}
		server.Start()
		defer server.Close()
		c.clear()
		said = map[string]int{}
		for range times {
			response, err := client.Post(server.URL+path, "application/json", body())
			if err != nil {
				said[noAnswer]++ // the connection was closed while the body was being sent
				continue
			}
			said[fmt.Sprint(response.StatusCode)]++
			_ = response.Body.Close()
		}
		return said
	}
	// Without a Content-Length, net/http itself reads up to 256 KiB before it closes a connection.
	const aHead, aBody, dropped = 8 << 10, 64 << 10, 256 << 10
	wrong, right := "/callbacks/"+token+"x/1", "/callbacks/"+token+"/1"
	large := strings.Repeat(" ", 10<<20)
	for name, forged := range map[string]struct {
		path, body    string
		unknownLength bool // sent without a Content-Length
		most          int64
		want          int
	}{
		"a wrong token":                   {path: wrong, body: "{}", most: aHead, want: http.StatusNotFound},
		"a wrong token, 10 MB":            {path: wrong, body: large, most: aHead, want: http.StatusNotFound},
		"a wrong token, without a length": {path: wrong, body: large, unknownLength: true, most: dropped + aHead, want: http.StatusNotFound},
		"an unknown type":                 {path: "/callbacks/" + token + "/99", body: "{}", most: aHead, want: http.StatusNotFound},
		"garbage":                         {path: right, body: "nonsense", most: aHead, want: http.StatusBadRequest},
		"10 MB":                           {path: right, body: large, most: aHead, want: http.StatusRequestEntityTooLarge},
		"10 MB, without a length":         {path: right, body: large, unknownLength: true, most: aBody + dropped + aHead, want: http.StatusRequestEntityTooLarge},
	} {
		said := post(forged.path, func() io.Reader {
			if forged.unknownLength {
				return io.MultiReader(strings.NewReader(forged.body))
			}
			return strings.NewReader(forged.body)
		})
		answered := said[fmt.Sprint(forged.want)]
		if forged.body == large {
			answered += said[noAnswer]
		}
		if answered != times {
			t.Errorf("%s is answered %v", name, said)
		}
		if bank, redis, read := c.bank.Load(), c.redis.Load(), c.read.Load(); bank+redis > 0 || read > times*forged.most {
			t.Errorf("%s costs %d calls of the bank, %d commands to Redis and %d bytes read", name, bank, redis, read/times)
		}
	}
	said := post(right, func() io.Reader { return strings.NewReader(`{"processUniqueId":"` + uuid.NewString() + `"}`) })
	if said["202"] != times || c.redis.Load() < times || c.read.Load() < times*100 {
		t.Errorf("good ones are answered %v and cost %d commands, %d bytes", said, c.redis.Load(), c.read.Load())
	}
}

func TestAFloodAboutAnotherBrokersProcessIsOneRead(t *testing.T) {
	parallel(t)
	c := newCallbackCost(t)
	body := `{"processUniqueId":"` + sandbox.SampleProcess(sandbox.SampleOthers).String() + `"}`
	for range 500 {
		w := httptest.NewRecorder()
		c.service.Handler().ServeHTTP(w, httptest.NewRequest("POST", "/callbacks/"+token+"/1", strings.NewReader(body)))
		if w.Code != http.StatusAccepted {
			t.Fatalf("answered %d", w.Code)
		}
	}
	news, err := notifications.Start(t.Context(), c.config)
	if err != nil {
		t.Fatal(err)
	}
	defer news.Close()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(20 * time.Second); ; {
		left, err := c.config.Store.Client().XLen(t.Context(), "triggers").Result()
		if err == nil && left == 0 {
			break
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("%d triggers are left, %v", left, err)
		}
	}
	if read := c.otherBroker.Load(); read != 1 {
		t.Errorf("the bank was asked %d times", read)
	}
}

// BenchmarkACallback measures what forged callbacks cost the receiver compared with a genuine one, without the network.
func BenchmarkACallback(b *testing.B) {
	c := newCallbackCost(b)
	handler := c.service.Handler()
	good := `{"notificationTypeID":1,"processUniqueId":"` + sandbox.SampleProcess(sandbox.SampleOpen).String() + `"}`
	for _, callback := range []struct {
		name, path string
		body       string
	}{
		{"good", "/callbacks/" + token + "/1", good},
		{"wrong token", "/callbacks/" + token + "x/1", good},
		{"unknown type", "/callbacks/" + token + "/99", good},
		{"garbage", "/callbacks/" + token + "/1", "nonsense"},
		{"10 MB", "/callbacks/" + token + "/1", strings.Repeat(" ", 10<<20)},
	} {
		b.Run(callback.name, func(b *testing.B) {
			b.ReportAllocs()
			c.clear()
			for b.Loop() {
				handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", callback.path, strings.NewReader(callback.body)))
			}
			b.ReportMetric(float64(c.redis.Load())/float64(b.N), "redis/op")
			b.ReportMetric(float64(c.bank.Load())/float64(b.N), "bank/op")
		})
	}
}
