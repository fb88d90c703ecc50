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

// go-redis writes what it thinks of the network to standard error; every failure also reaches a caller, who logs it once.
func init() { redis.SetLogger(quiet{}) }

type quiet struct{}

func (quiet) Printf(ctx context.Context, format string, v ...any) {
	slog.DebugContext(ctx, "redis: "+fmt.Sprintf(format, v...))
}

// connect makes the client that the address asks for. Its errors never contain the address, which holds a password.
func connect(address string, call time.Duration) (redis.UniversalClient, func() error, error) {
	if address == "memory" {
		return embedded(call)
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "redis" && u.Scheme != "rediss") {
		return nil, nil, errors.New(`the address of Redis must be redis://host:port, rediss://host:port or "memory"`)
	}
	client, err := dialled(u, call)
	if err != nil {
		return nil, nil, errors.New("the address of Redis has a database, parameter or value that is not understood")
	}
	return client, func() error { return nil }, nil
}

// dials is how often one attempt at a call dials: each call has a few attempts already, and a person waits.
const dials = 1

func dialled(u *url.URL, call time.Duration) (redis.UniversalClient, error) {
	query := u.Query()
	cluster := query.Get("cluster") == "true"
	query.Del("cluster")
	u.RawQuery = query.Encode()
	plain := &maintnotifications.Config{Mode: maintnotifications.ModeDisabled} // a handshake only Redis Enterprise knows
	switch {
	case query.Has("master_name"):
		o, err := redis.ParseFailoverURL(u.String())
		if err != nil {
			return nil, err
		}
		o.ContextTimeoutEnabled, o.DisableIdentity = true, true
		o.DialerRetries = cmp.Or(o.DialerRetries, dials)
		impatient(call, &o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout)
		return redis.NewFailoverClient(o), nil
	case cluster || query.Has("addr"):
		o, err := redis.ParseClusterURL(u.String())
		if err != nil {
			return nil, err
		}
		o.ContextTimeoutEnabled, o.DisableIdentity, o.MaintNotificationsConfig = true, true, plain
		o.DialerRetries = cmp.Or(o.DialerRetries, dials)
		impatient(call, &o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout)
		return redis.NewClusterClient(o), nil
	default:
		o, err := redis.ParseURL(u.String())
		if err != nil {
			return nil, err
		}
		o.ContextTimeoutEnabled, o.DisableIdentity, o.MaintNotificationsConfig = true, true, plain
		o.DialerRetries = cmp.Or(o.DialerRetries, dials)
		impatient(call, &o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout)
		return redis.NewClient(o), nil
	}
}

// impatient ends each step of a call when the call ends, unless the address says otherwise. The search for a master
// behind Sentinel goes on without the caller's deadline.
func impatient(call time.Duration, steps ...*time.Duration) {
	for _, step := range steps {
		*step = cmp.Or(*step, call)
	}
}

// embedded starts a Redis inside the process, on loopback and behind a password nobody else learns. Its clock only
// ages keys when told to, so it is told the time that has passed.
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
	}
	impatient(call, &o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout)
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
