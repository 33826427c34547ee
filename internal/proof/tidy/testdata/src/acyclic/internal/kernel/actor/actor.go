package actor

type ID uint64

type Outbox struct{}

func (o *Outbox) Tell(to ID, body any) {}

type Input struct{ Body any }

// Default is of the kernel.
var Default struct{ N int }
