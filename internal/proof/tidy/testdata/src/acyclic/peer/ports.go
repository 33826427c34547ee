package peer

type Write struct{}
