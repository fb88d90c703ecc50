package portal

import (
	"context"
	"net/url"

	"github.com/google/uuid"
)

// ESISOptions narrows Process ESIS Get.
type ESISOptions struct {
	IgnoreRules bool // skip the rules of Law 24/2023 for making an ESIS
}

// ESIS is the European Standardised Information Sheet of a process (FINE in Portugal): a customer's document.
type ESIS struct{ PDF []byte }

// ProcessESIS has the bank make the ESIS of the process's current iteration. The bank makes it in Portuguese only.
//
// See Process ESIS Get on the bank's page ProcessesESIS; its path is inferred.
func (u *User) ProcessESIS(ctx context.Context, process uuid.UUID, options ESISOptions) (ESIS, error) {
	query := url.Values{}
	if options.IgnoreRules {
		query.Set("ignoreRules", "true")
	}
	var reply struct {
		PDF []byte `json:"esis"`
	}
	err := u.do(ctx, call{op: ProcessESISGet, path: ids{"processUniqueId": process}, query: query, cap: u.client.config.MaxESIS}, &reply)
	return ESIS{reply.PDF}, err
}
