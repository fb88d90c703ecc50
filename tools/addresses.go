package tools

import (
	"context"
	"strings"
	"time"

	"github.com/balcao/balcao/internal/pii"
)

// An assistant may change a borrower's address and may send to the address that the bank has. Together these would send a
// client's document to anybody, so addresses that assistants set are stored, and assistants may not send there.

// addressLife is how long only people may send to an address that an assistant has set.
const addressLife = 7 * 24 * time.Hour

const addressScope = "address"

// noteAddresses stores the e-mail addresses that an assistant gives, before they are sent to the bank.
func (r *Runner) noteAddresses(ctx context.Context, request Request, found checked) error {
	if !request.Actor.Assistant {
		return nil
	}
	given := request.Tool.normalised(found.given)
	for _, field := range request.Tool.Fields {
		value, ok := field.Value(given)
		if !ok {
			continue
		}
		address, ok := value.Interface().(pii.Email)
		if !ok {
			continue
		}
		if r.Claims == nil {
			return &Error{Kind: PeopleOnly}
		}
		if _, err := r.Claims.Claim(ctx, addressScope, addressID(address), request.Actor.ID, addressLife); err != nil {
			return &Error{Kind: Unavailable, Store: true, err: err}
		}
	}
	return nil
}

// SetByAssistant reports whether an assistant has set this address within addressLife.
func (c *Call) SetByAssistant(ctx context.Context, address pii.Email) (bool, error) {
	if c.runner.Claims == nil { // without it, an assistant cannot confirm the e-mail either
		return false, nil
	}
	set, err := c.runner.Claims.Claimed(ctx, addressScope, addressID(address))
	if err != nil {
		return false, &Error{Kind: Unavailable, Store: true, err: err}
	}
	return set, nil
}

// addressID returns the normal form of an address. The store has only its fingerprint.
func addressID(address pii.Email) string { return strings.ToLower(strings.TrimSpace(address.Reveal())) }
