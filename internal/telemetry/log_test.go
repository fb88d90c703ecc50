package telemetry_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/telemetry"
)

func TestALogLineHoldsNoPersonalDataHoweverItGotIn(t *testing.T) {
	for how, log := range map[string]func(*slog.Logger){
		"in the message":       func(l *slog.Logger) { l.Info("NIF 299999998 refused") },
		"in an attribute":      func(l *slog.Logger) { l.Info("x", "what", "maria@example.com, +351 912 345 678") },
		"under a private key":  func(l *slog.Logger) { l.Info("x", "name", "Maria Exemplo") },
		"in an error":          func(l *slog.Logger) { l.Info("x", "error", errors.New("no such NISS 12345678902")) },
		"as a number":          func(l *slog.Logger) { l.Info("x", "n", 299999998) },
		"in a struct":          func(l *slog.Logger) { l.Info("x", "v", struct{ Tax pii.TaxID }{pii.New[pii.TaxID]("299999998")}) },
		"in a group":           func(l *slog.Logger) { l.Info("x", slog.Group("g", "n", "299999998")) },
		"with the logger":      func(l *slog.Logger) { l.With("n", "299999998").Info("x") },
		"in a bearer's header": func(l *slog.Logger) { l.Info("x", "h", "Bearer eyJhbGciOiJIUzI1NiJ9.x.y") },
	} {
		var out strings.Builder
		log(telemetry.NewLogger(&out, slog.LevelInfo))
		for _, clear := range []string{"299999998", "maria@", "912 345", "Maria", "12345678902", "eyJ"} {
			if strings.Contains(out.String(), clear) {
				t.Errorf("%s: %s", how, out.String())
			}
		}
	}
}

func TestWhatAnOperatorNeedsSurvives(t *testing.T) {
	var out strings.Builder
	telemetry.NewLogger(&out, slog.LevelInfo).Info("call", "call", "b3d9f6a1-2c34-4e9f-9f5a-123456789012", "took", 1234567890*time.Nanosecond, "status", 200)
	for _, want := range []string{`"call":"b3d9f6a1-2c34-4e9f-9f5a-123456789012"`, `"took":1234567890`, `"status":200`, `"level":"INFO"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is missing from %s", want, out.String())
		}
	}
}
