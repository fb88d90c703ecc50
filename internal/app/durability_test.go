package app_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/app"
	"github.com/balcao/balcao/internal/logtest"
	"github.com/balcao/balcao/internal/redistest"
)

func TestARedisThatMayLoseItsDataIsWarnedOfAtStartAndByReadiness(t *testing.T) {
	for name, c := range map[string]struct {
		make    func(*redistest.Server)
		logged  []string
		unready string
	}{
		"a good one": {func(*redistest.Server) {}, nil, `{"ready":true}`},
		"two weaknesses": {func(r *redistest.Server) { r.Set("appendonly", "no"); r.Set("maxmemory-policy", "allkeys-lru") },
			[]string{"set appendonly to yes", "set maxmemory-policy to noeviction"}, `{"ready":true,"unwell":["redis: not_persistent, evicts"]}`},
		"one that does not tell": {func(r *redistest.Server) { r.Forbid("info") }, []string{"could not check whether Redis keeps its data"}, `{"ready":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.StartServer(t)
			c.make(server)
			s := load(t, nil)
			s.RedisURL = server.URL()
			log := &logtest.Log{}
			system, err := app.Start(t.Context(), s, slog.New(slog.NewJSONHandler(log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			defer system.Close()
			for _, want := range c.logged {
				if !strings.Contains(log.String(), want) {
					t.Errorf("%q is not in %s", want, log)
				}
			}
			if c.logged == nil && strings.Contains(log.String(), "may lose data") {
				t.Errorf("warned of nothing: %s", log)
			}
			if status, body := ask(t.Context(), app.Ready(system.Durability())); status != 200 || body != c.unready {
				t.Errorf("got %d %s", status, body)
			}
		})
	}
}

func TestALossOfDataIsNoticedThoughNobodyAsksForAnything(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t)
	s := load(t, nil)
	s.RedisURL = server.URL()
	start(t, s)
	server.Lose()
	fresh, err := conversations.Open(t.Context(), server.URL(), s.Keys) // knows of nothing
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	await(t, "whoever begins later to be told to rest", func() bool {
		_, left, err := fresh.Epoch(t.Context(), time.Minute)
		return err == nil && left > 0
	})
}
