package validation

import (
	"maps"
	"slices"
)

// Codes lists every code that this package can produce, in order.
func Codes() []Code { return slices.Sorted(maps.Keys(severities)) }
