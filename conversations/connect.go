package conversations

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// go-redis logs connection failures to standard error. Each failure is also returned to a caller, who logs it once.
func init() { redis.SetLogger(quiet{}) }

type quiet struct{}

func (quiet) Printf(ctx context.Context, format string, v ...any) {
	slog.DebugContext(ctx, "redis: "+fmt.Sprintf(format, v...))
}

// connect returns a client for the address, and a function that stops the embedded server. Its errors never contain the
// address, which may contain a password.
func connect(address string, call time.Duration) (redis.UniversalClient, func() error, error) {
	if address == memory {
		return embedded(call)
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "redis" && u.Scheme != "rediss") {
		return nil, nil, errors.New(`the address of Redis must be redis://host:port, rediss://host:port or "memory"`)
	}
	client, err := newClient(u, call)
	if err != nil {
		return nil, nil, errors.New("the address of Redis has an invalid database, parameter or value")
	}
	return client, func() error { return nil }, nil
}

// dials is how often one attempt of a call dials. go-redis makes several attempts for each call.
const dials = 1

func newClient(u *url.URL, call time.Duration) (redis.UniversalClient, error) {
	query := u.Query()
	cluster := query.Get("cluster") == "true"
	query.Del("cluster")
	u.RawQuery = query.Encode()
	plain := &maintnotifications.Config{Mode: maintnotifications.ModeDisabled} // a handshake that only Redis Enterprise supports
	switch {
	case query.Has("master_name"):
		o, err := redis.ParseFailoverURL(u.String())
		if err != nil {
			return nil, err
		}
		o.ContextTimeoutEnabled, o.DisableIdentity = true, true
		o.DialerRetries = cmp.Or(o.DialerRetries, dials)
		setTimeouts(call, &o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout)
		return redis.NewFailoverClient(o), nil
	case cluster || query.Has("addr"):
		o, err := redis.ParseClusterURL(u.String())
		if err != nil {
			return nil, err
		}
		o.ContextTimeoutEnabled, o.DisableIdentity, o.MaintNotificationsConfig = true, true, plain
		o.DialerRetries = cmp.Or(o.DialerRetries, dials)
		setTimeouts(call, &o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout)
		return redis.NewClusterClient(o), nil
	default:
		o, err := redis.ParseURL(u.String())
		if err != nil {
			return nil, err
		}
		o.ContextTimeoutEnabled, o.DisableIdentity, o.MaintNotificationsConfig = true, true, plain
		o.DialerRetries = cmp.Or(o.DialerRetries, dials)
		setTimeouts(call, &o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout)
		return redis.NewClient(o), nil
	}
}

// setTimeouts sets the time-outs that the address does not set to the longest time of a call. The search for a master behind
// Sentinel does not observe the deadline of the caller.
func setTimeouts(call time.Duration, timeouts ...*time.Duration) {
	for _, timeout := range timeouts {
		*timeout = cmp.Or(*timeout, call)
	}
}

// embeddedBuffer is the size of each buffer of a connection to the Redis inside the process, which is never far: the library's
// are made for round trips that take long.
const embeddedBuffer = 4 << 10

// embedded starts a Redis inside the process, on loopback and with a random password. miniredis expires keys only in
// FastForward, which age calls.
func embedded(call time.Duration) (redis.UniversalClient, func() error, error) {
	server := miniredis.NewMiniRedis()
	password := rand.Text()
	server.RequireAuth(password)
	if err := server.Start(); err != nil {
		return nil, nil, fmt.Errorf("starting the embedded Redis: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var ageing sync.WaitGroup
	ageing.Go(func() { age(ctx, server) })
	stop := func() error {
		cancel()
		ageing.Wait()
		server.Close()
		return nil
	}
	o := &redis.Options{
		Addr: server.Addr(), Password: password, ContextTimeoutEnabled: true, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		ReadBufferSize:           embeddedBuffer, WriteBufferSize: embeddedBuffer,
	}
	setTimeouts(call, &o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout)
	return redis.NewClient(o), stop, nil
}

func age(ctx context.Context, server *miniredis.Miniredis) {
	const step = 50 * time.Millisecond
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			now := time.Now()
			server.FastForward(now.Sub(last))
			last = now
		}
	}
}
