// Package telemetry makes the programs' logs and counts what they do. What looks like personal data or a secret is
// masked on its way into a log, the last of several nets: the types of the package pii mask themselves before it.
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

// Keys whose values are never written, whatever they are.
var private = []string{
	"name", "taxId", "taxID", "email", "phone", "mobile", "address", "birthDate", "body", "args", "query", "text",
	"authorization", "token", "secret", "password", "username",
}

// NewLogger logs JSON lines to w.
func NewLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: masked}))
}

// NewTextLogger logs lines for somebody who reads them as they come.
func NewTextLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: masked}))
}

// ForProgram makes the log of a program: JSON for whoever collects logs; in a playground lines for the person in front of
// it, who reads warnings only unless she asks for more.
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
	case slog.KindFloat64: // the figures behind its point are nobody's
		attr.Value = numberOr(attr.Value, strconv.FormatFloat(math.Trunc(attr.Value.Float64()), 'f', -1, 64))
	case slog.KindAny:
		if attr.Key != slog.LevelKey {
			attr.Value = slog.StringValue(pii.Scrub(fmt.Sprintf("%v", attr.Value.Any())))
		}
	}
	return attr
}

// numberOr masks a number that is long enough to be somebody's.
func numberOr(value slog.Value, text string) slog.Value {
	if pii.Scrub(text) != text {
		return slog.StringValue(hidden)
	}
	return value
}
