package notifications

import (
	"context"
	"fmt"
	"strconv"
)

func readValuations(ctx context.Context, r reader, _ Snapshot, after *Snapshot) error {
	properties, err := r.bank.ListProperties(ctx, after.Process)
	if err != nil {
		return err
	}
	after.Valuations = make(map[string]string, len(properties))
	for _, property := range properties {
		digest := ""
		if amount, valued := property.ValuationAmount.Reveal(); valued || property.ValuationDate != "" {
			// The process is part of the fingerprinted data, so that equal valuations cannot be linked.
			digest = r.fingerprint(fmt.Appendf(nil, "valuation of %s %s %s %s", after.Process, property.PropertyUniqueID, amount, property.ValuationDate))
		}
		after.Valuations[property.PropertyUniqueID.String()] = digest
	}
	return nil
}

func diffValuations(before, after Snapshot) []Change {
	valued := 0
	for id, digest := range after.Valuations {
		if digest != "" && before.Valuations[id] != digest {
			valued++
		}
	}
	if before.Valuations == nil || valued == 0 { // not read before
		return nil
	}
	return []Change{{Kind: PropertyValued, To: strconv.Itoa(valued)}}
}
