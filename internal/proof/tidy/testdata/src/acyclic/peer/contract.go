package peer

type Ready struct{}
