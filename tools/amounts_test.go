package tools

import (
	"strings"
	"testing"
)

func TestAmountsAreReadAsPeopleTypeThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2500": "2500", "2500,5": "2500.5", "2500.50": "2500.5", "2.500,00": "2500", "2 500,00 €": "2500", "2,500.75": "2500.75",
		"2.500": "2500", "1.234.567": "1234567", "0": "0", "0,5": "0.5", "€ 10": "10", "-5": "-5", "2\u00a0500,1": "2500.1", "12.34": "12.34", "1,250": "1250",
	} {
		got, ok := parseAmount(text)
		if !ok || got.String() != want {
			t.Errorf("%q: got %s, %v, want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "abc", "1e9", "1,2,3", "--1", strings.Repeat("1", 30), "€", "1,23,4.5", "2500.123", "."} {
		if got, ok := parseAmount(text); ok {
			t.Errorf("%q is taken for %s", text, got)
		}
	}
}
