package portal

type sessions struct{}

func newSessions(*Client) *sessions { return &sessions{} }
func (*sessions) forget()           {}
