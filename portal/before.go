package portal

import "context"

type beforeWrites struct{}

// BeforeWrites returns a context with which check is called right before each request that changes something at the bank,
// after the login and the queue. If check returns an error, nothing is sent and the call returns that error.
func BeforeWrites(ctx context.Context, check func(context.Context) error) context.Context {
	return context.WithValue(ctx, beforeWrites{}, check)
}

// checkBeforeWrite calls the check of [BeforeWrites] for a write.
func (r request) checkBeforeWrite(ctx context.Context) error {
	check, asked := ctx.Value(beforeWrites{}).(func(context.Context) error)
	if !asked || !r.op.Writes {
		return nil
	}
	return check(ctx)
}
