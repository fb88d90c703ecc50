package conversations

import (
	"context"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/internal/redistest"
)

// examine runs all checks of the Redis at an address and returns the codes of their findings that are not ok, and all codes.
func examine(t *testing.T, address string, keys Keys) (wrong, all []string) {
	t.Helper()
	e, err := Examine(address, keys)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, check := range e.Checks() {
		for _, f := range check.Run(t.Context()) {
			all = append(all, f.Code)
			if f.Status != finding.OK {
				wrong = append(wrong, string(f.Status)+" "+f.Code)
			}
			if check.Vital && f.Status != finding.OK {
				return wrong, all
			}
		}
	}
	return wrong, all
}

func TestAnExaminationFindsWhatIsWrongWithRedis(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*redistest.Server)
		wrong  []string
	}{
		"nothing":                  {func(*redistest.Server) {}, nil},
		"not persistent, evicts":   {func(r *redistest.Server) { r.Set("appendonly", "no"); r.Set("maxmemory-policy", "allkeys-lru") }, []string{"warn redis.not_persistent", "warn redis.evicts"}},
		"a replica":                {(*redistest.Server).Demote, []string{"fail redis.refuses.read_only"}},
		"full":                     {(*redistest.Server).Fill, []string{"warn redis.nearly_full", "fail redis.refuses.full"}},
		"too few replicas":         {func(r *redistest.Server) { r.Set("min-replicas-to-write", "1") }, []string{"fail redis.refuses.no_replicas"}},
		"a command is forbidden":   {func(r *redistest.Server) { r.Forbid("xautoclaim") }, []string{"fail redis.commands_denied"}},
		"INFO is forbidden":        {func(r *redistest.Server) { r.Forbid("info") }, []string{"not_tried redis.no_info", "warn redis.no_info", "not_tried redis.no_info"}},
		"transactions are as well": {func(r *redistest.Server) { r.Forbid("multi") }, []string{"not_tried redis.commands_unknown"}},
		"PING is forbidden":        {func(r *redistest.Server) { r.Forbid("ping") }, []string{"fail redis.no_ping"}},
		"nobody answers":           {(*redistest.Server).Stop, []string{"fail redis.unreachable"}},
		"it hangs":                 {(*redistest.Server).Suspend, []string{"fail redis.timeout"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.StartServer(t)
			c.change(server)
			if wrong, _ := examine(t, server.URL(), newKeys(t)); !slices.Equal(wrong, c.wrong) {
				t.Errorf("got %q, want %q", wrong, c.wrong)
			}
		})
	}
}

func TestAnExaminationSaysHowRedisIsReached(t *testing.T) {
	t.Parallel()
	master := redistest.StartServer(t)
	for kind, c := range map[string]struct {
		url   string
		wrong []string
	}{
		"node":     {master.URL(), nil},
		"cluster":  {redistest.StartCluster(t).URL(), nil},
		"sentinel": {redistest.StartSentinel(t, master), []string{"warn redis.no_replica"}},
	} {
		wrong, all := examine(t, c.url, newKeys(t))
		if !slices.Contains(all, "redis.answers."+kind) || !slices.Equal(wrong, c.wrong) {
			t.Errorf("%s: got %q, wrong are %q", kind, all, wrong)
		}
	}
}

func TestAnExaminationOfAnAddressThatIsWrong(t *testing.T) {
	t.Parallel()
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	stranger := httptest.NewTLSServer(nil) // with a certificate of an unknown authority
	defer stranger.Close()
	server := redistest.StartServer(t)
	server.Set("requirepass", "simulated")
	addr := server.Addr()
	for url, want := range map[string]string{
		"redis://" + addr:                                "fail redis.wrong_password",
		"redis://:another@" + addr:                       "fail redis.wrong_password",
		"rediss://:simulated@" + addr:                    "fail redis.timeout", // Redis waits for the end of what it takes for a command
		"redis://:simulated@" + addr + "?cluster=true":   "fail redis.no_cluster",
		"redis://:simulated@" + addr + "?master_name=no": "fail redis.no_sentinel",
		"redis://" + deaf.Addr().String():                "fail redis.timeout",
		"rediss://" + stranger.Listener.Addr().String():  "fail redis.no_tls",
		"redis://no-such-host.invalid:6379":              "fail redis.no_such_host",
	} {
		if wrong, _ := examine(t, url, newKeys(t)); !slices.Equal(wrong, []string{want}) {
			t.Errorf("%s: got %q, want %q", strings.ReplaceAll(url, addr, "host"), wrong, want)
		}
	}
}

func TestAnExaminationDoesNotClaimARedisAndSeesWhoseItIs(t *testing.T) {
	t.Parallel()
	server, keys := redistest.StartServer(t), newKeys(t)
	if _, all := examine(t, server.URL(), keys); !slices.Contains(all, "redis.unused") {
		t.Errorf("a new one: %q", all)
	}
	store := open(t, server.URL(), keys) // fails if the examination has claimed it for another keyset
	if _, err := store.ChangeDestination(t.Context(), "slack:C0GERAL", func(s *destination.Settings) error {
		s.Subscriptions = []destination.Subscription{{Kind: destination.ScopeAll}}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, all := examine(t, server.URL(), keys); !slices.Contains(all, "redis.same_key") {
		t.Errorf("with the same key: %q", all)
	}
	if wrong, _ := examine(t, server.URL(), newKeys(t)); !slices.Equal(wrong, []string{"fail redis.other_key"}) {
		t.Errorf("with another key: %q", wrong)
	}
	e, err := Examine(server.URL(), keys)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if all, err := e.Destinations(t.Context()); err != nil || len(all) != 1 || all[0].ID != "slack:C0GERAL" {
		t.Errorf("subscribed: %+v, %v", all, err)
	}
	left, err := store.redis.Keys(t.Context(), "doctor:*").Result()
	if life := store.redis.PTTL(t.Context(), readyKey).Val(); err != nil || len(left) > 0 || life <= 0 || life > readyLife {
		t.Errorf("it leaves %q, and %q for %s: %v", left, readyKey, life, err)
	}
}

func TestAnExaminationNamesAllKeysThatAreForbidden(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer client.Close()
	if err := client.Do(t.Context(), "ACL", "SETUSER", "limited", "on", ">simulated", "~"+canaryKey, "~"+readyKey, "+@all").Err(); err != nil {
		t.Fatal(err)
	}
	url := strings.Replace(server.URL(), "redis://", "redis://limited:simulated@", 1)
	if wrong, _ := examine(t, url, newKeys(t)); !slices.Equal(wrong, []string{"fail redis.keys_denied"}) {
		t.Errorf("got %q", wrong)
	}
}

func TestTheDocumentedUserOfRedisHasTheRightsThatAreNeeded(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rules, found := strings.Cut(string(document), "\nACL SETUSER balcao on >PASSWORD ")
	rules, _, _ = strings.Cut(rules, "\n")
	if !found {
		t.Fatal("docs/doctor.md has no ACL SETUSER")
	}
	for kind, server := range map[string]*redistest.Server{"node": redistest.StartServer(t), "cluster": redistest.StartCluster(t)} {
		client := redis.NewClient(&redis.Options{Addr: server.Addr()})
		defer client.Close()
		command := []any{"ACL", "SETUSER", "balcao", "on", ">simulated"}
		for _, rule := range strings.Fields(rules) {
			command = append(command, rule)
		}
		if err := client.Do(t.Context(), command...).Err(); err != nil {
			t.Fatal(err)
		}
		url, keys := strings.Replace(server.URL(), "redis://", "redis://balcao:simulated@", 1), newKeys(t)
		if wrong, _ := examine(t, url, keys); wrong != nil {
			t.Errorf("%s: got %q", kind, wrong)
		}
		if err := open(t, url, keys).Ready(t.Context()); err != nil {
			t.Errorf("%s: a store is not ready: %v", kind, err)
		}
	}
}

var (
	luaCall  = regexp.MustCompile(`redis\.call\('([A-Z]+)'`)
	goCall   = regexp.MustCompile(`\b(?:redis|client|pipe|node|p|Client\(\))\.([A-Z][A-Za-z]+)\(ctx`)
	rawCall  = regexp.MustCompile(`\.Do\(ctx, "([A-Z]+)"`)
	variants = map[string]string{ // methods of go-redis that are not named as their command
		"SetNX": "SET", "XRangeN": "XRANGE", "XRevRangeN": "XREVRANGE", "XClaimJustID": "XCLAIM", "XGroupCreateMkStream": "XGROUP", "XGroupDelConsumer": "XGROUP",
		"XPendingExt": "XPENDING", "ZAddNX": "ZADD", "ZRangeWithScores": "ZRANGE", "ZRangeByScoreWithScores": "ZRANGEBYSCORE", "ZRangeByScore": "ZRANGEBYSCORE",
	}
)

func TestEveryCommandThatIsSentIsChecked(t *testing.T) {
	t.Parallel()
	sent := map[string]string{}
	for _, pattern := range []string{"*.go", "../notifications/*.go"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			source, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "diagnose.go") || strings.HasSuffix(path, "permitted.go") {
				continue
			}
			for _, match := range append(luaCall.FindAllSubmatch(source, -1), rawCall.FindAllSubmatch(source, -1)...) {
				sent[string(match[1])] = path
			}
			for _, match := range goCall.FindAllSubmatch(source, -1) {
				method := string(match[1])
				if _, is := reflect.TypeFor[redis.Cmdable]().MethodByName(method); !is || strings.HasSuffix(method, "Pipelined") {
					continue
				}
				command := variants[method]
				if command == "" {
					command = strings.ToUpper(method)
				}
				sent[command] = path
			}
		}
	}
	if len(sent) < 40 {
		t.Fatalf("only %d commands were found in the source", len(sent))
	}
	checked := map[string]bool{"INFO": true, "PING": true} // have checks of their own
	for _, command := range sentCommands("k") {
		name := command[0].(string)
		checked[name] = true
		if sent[name] == "" && name != "EVAL" && name != "EVALSHA" { // of scripts
			t.Errorf("%s is checked, and not sent", name)
		}
	}
	for command, path := range sent {
		if !checked[command] {
			t.Errorf("%s sends %s, which is not checked", path, command)
		}
	}
}

func TestEveryCommandThatIsCheckedIsValid(t *testing.T) {
	t.Parallel()
	client := redis.NewClient(&redis.Options{Addr: strings.TrimPrefix(redistest.Start(t), "redis://")})
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn := client.Conn()
	defer conn.Close()
	if err := conn.Do(ctx, "MULTI").Err(); err != nil {
		t.Fatal(err)
	}
	for _, command := range sentCommands("k") {
		if answer, err := conn.Do(ctx, command...).Text(); err != nil || answer != "QUEUED" {
			t.Errorf("%v: %q, %v", command, answer, err)
		}
	}
}
