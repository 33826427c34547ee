package peer

type Machine struct{}
