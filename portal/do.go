package portal

import (
	"context"
	"net/url"

	"github.com/google/uuid"
)

// call is what a method of [User] asks for.
type call struct {
	op    OperationID
	path  ids
	query url.Values
	body  any
	cap   int64 // bytes of the reply; 0 is the client's
}

// ids fills the places of a path.
type ids map[string]uuid.UUID

func (u *User) do(ctx context.Context, call call, reply any) error {
	return &Error{Kind: Unavailable, Operation: call.op, Reason: "being built"}
}
