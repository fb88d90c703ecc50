// Package telemetry makes the logs and metrics of the programs. The log masks what looks like personal data or a secret, in
// addition to the types of package pii, which mask themselves.
package telemetry

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"slices"
	"strconv"

	"github.com/balcao/balcao/internal/pii"
)

const hidden = "••••••"

// Keys whose values are never logged.
var private = []string{
	"name", "taxId", "taxID", "email", "phone", "mobile", "address", "birthDate", "body", "args", "query", "text",
	"authorization", "token", "secret", "password", "username",
}

// NewLogger returns a logger that writes JSON lines to w.
func NewLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: masked}))
}

// NewTextLogger returns a logger that writes lines for people to w.
func NewTextLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: masked}))
}

// ForProgram returns the logger of a program: JSON, or in a playground lines for people, of warnings only unless verbose is
// set.
func ForProgram(w io.Writer, playground, verbose bool) *slog.Logger {
	switch {
	case playground && verbose:
		return NewTextLogger(w, slog.LevelInfo)
	case playground:
		return NewTextLogger(w, slog.LevelWarn)
	case verbose:
		return NewLogger(w, slog.LevelDebug)
	}
	return NewLogger(w, slog.LevelInfo)
}

func masked(_ []string, attr slog.Attr) slog.Attr {
	if slices.Contains(private, attr.Key) {
		return slog.String(attr.Key, hidden)
	}
	switch attr.Value.Kind() {
	case slog.KindString:
		attr.Value = slog.StringValue(pii.Scrub(attr.Value.String()))
	case slog.KindInt64, slog.KindUint64:
		attr.Value = numberOr(attr.Value, attr.Value.String())
	case slog.KindFloat64: // digits after the point are not personal
		attr.Value = numberOr(attr.Value, strconv.FormatFloat(math.Trunc(attr.Value.Float64()), 'f', -1, 64))
	case slog.KindAny:
		if attr.Key != slog.LevelKey {
			attr.Value = slog.StringValue(pii.Scrub(fmt.Sprintf("%v", attr.Value.Any())))
		}
	}
	return attr
}

// numberOr masks a number that is long enough to be personal.
func numberOr(value slog.Value, text string) slog.Value {
	if pii.Scrub(text) != text {
		return slog.StringValue(hidden)
	}
	return value
}
