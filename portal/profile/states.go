package profile

// States says what the states of a process mean.
type States struct{}
