package tools

import (
	"context"
	"strings"
	"time"

	"github.com/balcao/balcao/internal/pii"
)

// An assistant may change a borrower's address and may send to the address that the bank holds. Together these two would
// send a client's document to anybody, so that what assistants set is noted, and they do not send there.

// addressLife is how long an address that an assistant has set is for people only.
const addressLife = 7 * 24 * time.Hour

const addressScope = "address"

// noteAddresses notes the e-mail addresses that an assistant gives, before they reach the bank.
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

// SetByAssistant tells whether an assistant has set this address lately.
func (c *Call) SetByAssistant(ctx context.Context, address pii.Email) (bool, error) {
	if c.runner.Claims == nil { // then an assistant cannot confirm the sending either
		return false, nil
	}
	set, err := c.runner.Claims.Claimed(ctx, addressScope, addressID(address))
	if err != nil {
		return false, &Error{Kind: Unavailable, Store: true, err: err}
	}
	return set, nil
}

// addressID names an address however it is spelt; whoever keeps it keeps a digest.
func addressID(address pii.Email) string { return strings.ToLower(strings.TrimSpace(address.Reveal())) }
