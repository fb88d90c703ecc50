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
	"github.com/balcao/balcao/internal/waittest"
)

func TestWeaknessesOfRedisAreLoggedAtStartAndShownByReadiness(t *testing.T) {
	for name, c := range map[string]struct {
		make    func(*redistest.Server)
		logged  []string
		unready string
	}{
		"none": {func(*redistest.Server) {}, nil, `{"ready":true}`},
		"two weaknesses": {func(r *redistest.Server) { r.Set("appendonly", "no"); r.Set("maxmemory-policy", "allkeys-lru") },
			[]string{"set appendonly to yes", "set maxmemory-policy to noeviction"}, `{"ready":true,"failing":["redis: not_persistent, evicts"]}`},
		"settings that cannot be read": {func(r *redistest.Server) { r.Forbid("info") }, []string{"could not check whether Redis keeps its data"}, `{"ready":true}`},
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
				t.Errorf("logged a weakness: %s", log)
			}
			if status, body := ask(t.Context(), app.Ready(system.DurabilityCheck())); status != 200 || body != c.unready {
				t.Errorf("got %d %s", status, body)
			}
		})
	}
}

func TestALossOfDataIsDetectedWithoutRequests(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t)
	s := load(t, nil)
	s.RedisURL = server.URL()
	start(t, s)
	server.Lose()
	fresh, err := conversations.Open(t.Context(), server.URL(), s.Keys) // has not read the epoch before
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	waittest.Eventually(t, "a store opened later has to rest", func() bool {
		_, left, err := fresh.Epoch(t.Context(), time.Minute)
		return err == nil && left > 0
	})
}
