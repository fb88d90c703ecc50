package conversations

import (
	"context"
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/finding"
)

const (
	oldestRedis  = 602 // 6.2, for XAUTOCLAIM and ZRANGE BYSCORE
	pings        = 20  // of which the latency is the median
	slow         = 20 * time.Millisecond
	nearlyFull   = 80 // percent of maxmemory
	examineCheck = 8 * time.Second
)

// Examination checks a Redis without using it: it reads, and writes nothing but the key that [Store.Ready] writes too.
type Examination struct {
	store   *Store // without a guard
	address *url.URL
	memory  bool
}

// Examine returns an examination of the Redis at an address. It connects later; end it with [Examination.Close].
func Examine(address string, keys Keys, options ...Option) (*Examination, error) {
	if address == "memory" {
		return &Examination{memory: true}, nil
	}
	s := &Store{keys: keys, lives: defaults, now: time.Now}
	for _, option := range options {
		option(s)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the address of Redis cannot be read") // err may contain a password
	}
	if s.redis, s.close, err = connect(address, s.lives.Call); err != nil {
		return nil, err
	}
	return &Examination{store: s, address: u}, nil
}

// Close closes the connections.
func (e *Examination) Close() {
	if !e.memory {
		_ = e.store.redis.Close() // nothing was written that could be lost
	}
}

// Destinations returns the settings of every destination that has any, and of the team's channel.
func (e *Examination) Destinations(ctx context.Context) ([]destination.Settings, error) {
	if e.memory {
		return nil, nil
	}
	ctx, cancel := e.store.bounded(ctx)
	defer cancel()
	stored, err := e.store.redis.HGetAll(ctx, destinationsKey).Result()
	if err != nil {
		return nil, failed("listing destinations", err)
	}
	var all []destination.Settings
	for field, sealed := range stored {
		if settings, err := e.store.openDestination(field, sealed); err == nil {
			all = append(all, settings)
		}
	}
	return all, nil
}

// Checks returns the checks of Redis, in their order.
func (e *Examination) Checks() []finding.Check {
	if e.memory {
		return []finding.Check{{Subject: "REDIS_URL", AtStart: true, Run: func(context.Context) []finding.Finding {
			return finding.One(finding.OK, "redis.memory")
		}}}
	}
	return []finding.Check{
		{Subject: "REDIS_URL", Vital: true, AtStart: true, Timeout: examineCheck, Run: e.answers},
		{Subject: "STATE_KEY", Vital: true, AtStart: true, Timeout: examineCheck, Run: e.stateKey},
		{Subject: "redis.version", Timeout: examineCheck, Run: e.version},
		{Subject: "redis.durability", AtStart: true, Timeout: examineCheck, Run: e.durability},
		{Subject: "redis.memory", Timeout: examineCheck, Run: e.memoryLeft},
		{Subject: "redis.writes", AtStart: true, Timeout: examineCheck, Run: e.writes},
		{Subject: "redis.latency", Timeout: examineCheck, Run: e.latency},
		{Subject: "redis.commands", Timeout: examineCheck, Run: e.commands},
	}
}

// kind returns how Redis is reached: one node, sentinel or cluster.
func (e *Examination) kind() string {
	if _, cluster := e.store.redis.(*redis.ClusterClient); cluster {
		return "cluster"
	}
	if e.address.Query().Has("master_name") {
		return "sentinel"
	}
	return "node"
}

func (e *Examination) answers(ctx context.Context) []finding.Finding {
	if err := e.store.redis.Ping(ctx).Err(); err != nil {
		return finding.One(finding.Fail, "redis."+whyUnreachable(err), "address", e.address.Host)
	}
	version := "?"
	if infos, err := e.infos(ctx); err == nil {
		version = versionOf(infos[0])
	}
	return finding.One(finding.OK, "redis.answers."+e.kind(), "address", e.address.Host, "version", version)
}

// whyUnreachable returns the code for an error of the first command.
func whyUnreachable(err error) string {
	answer, dns := redis.Error(nil), (*net.DNSError)(nil)
	switch text := err.Error(); {
	case strings.Contains(text, "all sentinels specified"):
		return "no_sentinel"
	case errors.As(err, &answer):
		for prefix, code := range map[string]string{
			"WRONGPASS": "wrong_password", "NOAUTH": "wrong_password", "ERR AUTH": "wrong_password", "ERR invalid password": "wrong_password",
			"NOPERM": "no_ping", "LOADING": "loading", "MASTERDOWN": "master_down", "CLUSTERDOWN": "cluster_down",
			"ERR This instance has cluster support disabled": "no_cluster",
		} {
			if strings.HasPrefix(answer.Error(), prefix) {
				return code
			}
		}
		return "refuses"
	case errors.As(err, &dns):
		return "no_such_host"
	case errors.Is(err, context.DeadlineExceeded), strings.Contains(text, "i/o timeout"):
		return "timeout"
	case strings.Contains(text, "tls:"), strings.Contains(text, "x509:"):
		return "no_tls"
	}
	return "unreachable"
}

// infos returns INFO of each master node, at least of one.
func (e *Examination) infos(ctx context.Context) (all []map[string]string, err error) {
	ctx, cancel := e.store.bounded(ctx)
	defer cancel()
	var mu sync.Mutex
	read := func(ctx context.Context, node *redis.Client) error {
		text, err := node.Info(ctx).Result()
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, parseInfo(text))
		return nil
	}
	switch client := e.store.redis.(type) {
	case *redis.Client:
		err = read(ctx, client)
	case *redis.ClusterClient:
		err = client.ForEachMaster(ctx, read)
	}
	if err == nil && len(all) == 0 {
		err = ErrUnchecked
	}
	return all, err
}

func versionOf(info map[string]string) string {
	if valkey := info["valkey_version"]; valkey != "" {
		return "Valkey " + valkey
	}
	return "Redis " + info["redis_version"]
}

// version compares the version that Redis claims to be compatible with.
func (e *Examination) version(ctx context.Context) []finding.Finding {
	infos, err := e.infos(ctx)
	if err != nil {
		return finding.One(finding.NotTried, "redis.no_info")
	}
	for _, info := range infos {
		major, minor, _ := strings.Cut(info["redis_version"], ".")
		minor, _, _ = strings.Cut(minor, ".")
		a, errA := strconv.Atoi(major)
		b, errB := strconv.Atoi(minor)
		if errA != nil || errB != nil {
			return finding.One(finding.NotTried, "redis.no_info")
		}
		if a*100+b < oldestRedis {
			return finding.One(finding.Fail, "redis.too_old", "version", versionOf(info))
		}
	}
	return finding.One(finding.OK, "redis.version", "version", versionOf(infos[0]))
}

// stateKey decrypts the canary, and does not write one where it is missing.
func (e *Examination) stateKey(ctx context.Context) []finding.Finding {
	sealed, err := e.store.redis.Get(ctx, canaryKey).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return unremarkable("redis.unused")
	case err != nil:
		return finding.One(finding.Fail, "redis.unreadable")
	}
	if opened, err := e.store.keys.Open([]byte(sealed), []byte(canaryKey)); err != nil || string(opened) != e.store.keys.Fingerprint([]byte(canaryKey)) {
		return finding.One(finding.Fail, "redis.other_key")
	}
	return unremarkable("redis.same_key")
}

// unremarkable returns a finding that is not worth a line at the start.
func unremarkable(code string) []finding.Finding {
	f := finding.New(finding.OK, code)
	f.Quiet = true
	return []finding.Finding{f}
}

// durability reports each setting with which Redis may lose writes.
func (e *Examination) durability(ctx context.Context) (found []finding.Finding) {
	weaknesses, err := e.store.Weaknesses(ctx)
	if err != nil {
		return finding.One(finding.Warn, "redis.no_info")
	}
	for _, weakness := range weaknesses {
		found = append(found, finding.New(finding.Warn, "redis."+string(weakness)))
	}
	infos, err := e.infos(ctx)
	if err != nil {
		return append(found, finding.New(finding.Warn, "redis.no_info"))
	}
	if e.kind() == "sentinel" && infos[0]["connected_slaves"] == "0" {
		found = append(found, finding.New(finding.Warn, "redis.no_replica"))
	}
	if len(found) == 0 {
		found = finding.One(finding.OK, "redis.durable")
	}
	return found
}

// memoryLeft warns where Redis will soon refuse writes.
func (e *Examination) memoryLeft(ctx context.Context) []finding.Finding {
	infos, err := e.infos(ctx)
	if err != nil {
		return finding.One(finding.NotTried, "redis.no_info")
	}
	fullest := 0
	for _, info := range infos {
		limit, _ := strconv.Atoi(info["maxmemory"])
		used, _ := strconv.Atoi(info["used_memory"])
		if limit > 0 {
			fullest = max(fullest, used*100/limit)
		}
	}
	switch {
	case fullest == 0:
		return finding.One(finding.OK, "redis.no_limit")
	case fullest >= nearlyFull:
		return finding.One(finding.Warn, "redis.nearly_full", "percent", fullest)
	}
	return finding.One(finding.OK, "redis.has_memory", "percent", fullest)
}

// writes writes what [Store.Ready] writes.
func (e *Examination) writes(ctx context.Context) []finding.Finding {
	ctx, cancel := e.store.bounded(ctx)
	defer cancel()
	err := refused(e.store.redis.Set(ctx, readyKey, e.store.now().UnixMilli(), readyLife).Err())
	if refusal, is := errors.AsType[*RefusedError](err); is {
		return finding.One(finding.Fail, "redis.refuses."+string(refusal.Refusal))
	}
	if err != nil {
		return finding.One(finding.Fail, "redis.no_write")
	}
	return unremarkable("redis.writes")
}

func (e *Examination) latency(ctx context.Context) []finding.Finding {
	ctx, cancel := e.store.bounded(ctx)
	defer cancel()
	took := make([]time.Duration, pings)
	for i := range took {
		began := time.Now()
		if err := e.store.redis.Ping(ctx).Err(); err != nil {
			return finding.One(finding.Fail, "redis.too_slow", "limit", e.store.lives.Call.Milliseconds())
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	median, longest := milliseconds(took[pings/2]), milliseconds(took[pings-1])
	if took[pings/2] > slow {
		return finding.One(finding.Warn, "redis.slow", "median", median, "longest", longest)
	}
	return finding.One(finding.OK, "redis.latency", "median", median, "longest", longest)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
