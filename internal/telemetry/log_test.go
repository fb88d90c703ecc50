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

func TestALogLineHasNoPersonalData(t *testing.T) {
	for how, log := range map[string]func(*slog.Logger){
		"in the message":       func(l *slog.Logger) { l.Info("NIF 299999998 refused") },
		"in an attribute":      func(l *slog.Logger) { l.Info("x", "what", "maria@example.com, +351 912 345 678") },
		"under a private key":  func(l *slog.Logger) { l.Info("x", "name", "Maria Exemplo") },
		"in an error":          func(l *slog.Logger) { l.Info("x", "error", errors.New("no such NISS 12345678902")) },
		"as a number":          func(l *slog.Logger) { l.Info("x", "n", 299999998) },
		"in a struct":          func(l *slog.Logger) { l.Info("x", "v", struct{ Tax pii.TaxID }{pii.New[pii.TaxID]("299999998")}) },
		"in a group":           func(l *slog.Logger) { l.Info("x", slog.Group("g", "n", "299999998")) },
		"with the logger":      func(l *slog.Logger) { l.With("n", "299999998").Info("x") },
		"glued to a word":      func(l *slog.Logger) { l.Info("x", "what", "PT299999998 e tel961234987") },
		"in groups":            func(l *slog.Logger) { l.Info("299/999/998", "what", "299\u00a0999\u00a0998") },
		"as a date":            func(l *slog.Logger) { l.Info("nascida em 12/04/1985", "what", "1985-04-12T00:00:00") },
		"as an account":        func(l *slog.Logger) { l.Info("x", "what", "pt50 0002 0123 1234 5678 9015 4") },
		"as a fraction":        func(l *slog.Logger) { l.Info("x", "n", 299999998.5) },
		"in a bearer's header": func(l *slog.Logger) { l.Info("x", "h", "Bearer eyJhbGciOiJIUzI1NiJ9.x.y") },
	} {
		var out strings.Builder
		log(telemetry.NewLogger(&out, slog.LevelInfo))
		for _, clear := range []string{"299999998", "maria@", "912 345", "Maria", "12345678902", "eyJ", "961234987", "299/999/998", "299\u00a0999", "/1985", "1985-04", "0002 0123"} {
			if strings.Contains(out.String(), clear) {
				t.Errorf("%s: %s", how, out.String())
			}
		}
	}
}

func TestALogLineKeepsWhatOperatorsNeed(t *testing.T) {
	var out strings.Builder
	telemetry.NewLogger(&out, slog.LevelInfo).Info("call", "call", "b3d9f6a1-2c34-4e9f-9f5a-123456789012", "took", 1234567890*time.Nanosecond, "status", 200,
		"share", 0.123456789, "process", 104217, "at", time.Date(2126, 1, 2, 3, 4, 5, 0, time.UTC), "peer", "192.168.100.200:6379")
	for _, want := range []string{`"call":"b3d9f6a1-2c34-4e9f-9f5a-123456789012"`, `"took":1234567890`, `"status":200`, `"level":"INFO"`, `"share":0.123456789`, `"process":104217`, `"at":"2126-01-02T03:04:05Z"`, `"192.168.100.200:6379"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is missing from %s", want, out.String())
		}
	}
}
