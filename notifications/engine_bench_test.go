package notifications

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/internal/redistest"
)

// BenchmarkReceiver posts callbacks over HTTP, many at once, with a real Redis.
func BenchmarkReceiver(b *testing.B) {
	env := newBankEnv(b, redistest.Start(b))
	s := env.replica(b)
	web := httptest.NewServer(s.Handler())
	defer web.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var took []time.Duration
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		var own []time.Duration
		for pb.Next() {
			body := `{"notificationTypeID":1,"processUniqueId":"` + uuid.NewString() + `","date":"2026-11-20T10:00:00Z"}`
			start := time.Now()
			response, err := client.Post(web.URL+"/callbacks/new-token/1", "application/json", strings.NewReader(body))
			if err != nil {
				b.Error(err)
				return
			}
			response.Body.Close()
			own = append(own, time.Since(start))
			if response.StatusCode != http.StatusAccepted {
				b.Errorf("answered %d", response.StatusCode)
				return
			}
		}
		mu.Lock()
		took = append(took, own...)
		mu.Unlock()
	})
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

// BenchmarkForgeries measures callbacks without a valid token.
func BenchmarkForgeries(b *testing.B) {
	env := newBankEnv(b, redistest.Start(b))
	s := env.replica(b)
	b.ReportAllocs()
	for b.Loop() {
		post(s.Handler(), "POST", "/callbacks/wrong-token/1", "{}")
	}
}

// BenchmarkAMillionTriggers fills the stream beyond its limit, and reports the memory that Redis needs.
func BenchmarkAMillionTriggers(b *testing.B) {
	if testing.Short() {
		b.Skip("it takes a while")
	}
	env := newBankEnv(b, redistest.Start(b))
	s := env.replica(b)
	client, ctx := s.config.Store.Client(), b.Context()
	memory := func() float64 {
		info := client.Info(ctx, "memory").Val()
		_, after, _ := strings.Cut(info, "used_memory:")
		bytes, err := strconv.ParseFloat(strings.TrimSpace(strings.SplitN(after, "\n", 2)[0]), 64)
		if err != nil {
			b.Fatal(err)
		}
		return bytes / (1 << 20)
	}
	for b.Loop() {
		client.Del(ctx, triggersKey)
		empty := memory()
		const more = 1_200_000
		for written := 0; written < more; written += 10_000 {
			if _, err := client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
				for range 10_000 {
					entry, err := s.engine.stream.entry(Trigger{Subject: OfProcess(uuid.New()), Source: Callback, Type: 1})
					if err != nil {
						return err
					}
					pipe.XAdd(ctx, entry)
				}
				return nil
			}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(memory()-empty, "MB")
		b.ReportMetric(float64(client.XLen(ctx, triggersKey).Val()), "triggers")
	}
}
