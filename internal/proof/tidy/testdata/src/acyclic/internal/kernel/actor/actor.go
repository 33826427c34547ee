package actor

type ID uint64

type Outbox struct{}

func (o *Outbox) Deliver(to ID, body any) {}
func (o *Outbox) Credit(to ID) (a, b int) { return 0, 0 }
func (o *Outbox) Tell(to ID, body any)    {}

type Input struct{ Body any }
