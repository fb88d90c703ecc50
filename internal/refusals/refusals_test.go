package refusals_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balcao/balcao/internal/refusals"
)

func TestAFloodOfRefusalsIsSampledAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := refusals.New(slog.New(slog.NewJSONHandler(&out, nil)))
		for range 1000 {
			log.Warn(t.Context(), "refused", "reason", "token")
		}
		if lines := strings.Count(out.String(), "\n"); lines != 20 {
			t.Errorf("%d lines are logged at once, want 20", lines)
		}
		time.Sleep(time.Second)
		out.Reset()
		log.Warn(t.Context(), "refused", "reason", "token")
		var line struct {
			Msg, Reason string
			Unlogged    int
		}
		if err := json.Unmarshal(out.Bytes(), &line); err != nil || line.Msg != "refused" || line.Reason != "token" || line.Unlogged != 980 {
			t.Errorf("after a second it logs %s, %v", out.String(), err)
		}
	})
}
