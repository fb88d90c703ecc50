package portal

import "context"

type beforeWrites struct{}

// BeforeWrites has check asked right before each request with this context that changes something at the bank: after the
// login and the wait for a turn. Where check fails nothing is sent, and the call fails with its error.
func BeforeWrites(ctx context.Context, check func(context.Context) error) context.Context {
	return context.WithValue(ctx, beforeWrites{}, check)
}

// checkBeforeWrite asks whether the request may go out.
func (r request) checkBeforeWrite(ctx context.Context) error {
	check, asked := ctx.Value(beforeWrites{}).(func(context.Context) error)
	if !asked || !r.op.Writes {
		return nil
	}
	return check(ctx)
}
