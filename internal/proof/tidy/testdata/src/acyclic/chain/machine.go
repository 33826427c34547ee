package chain

type Machine struct{}

func New() *Machine { return &Machine{} }

func Helper(n int) int { return n }
