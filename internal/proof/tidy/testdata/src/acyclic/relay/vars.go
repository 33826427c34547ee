package relay

import "errors"

var (
	ErrOwn  = errors.New("a sentinel")
	table   = [...]string{"a", "b"}
	counter int
	cache   = map[int]int{}
	buffer  writer
	pointed int
)

type writer struct{ n int }

func (w *writer) add() { w.n++ }

func useVars() *int {
	counter++    // want "changes its package variable counter"
	cache[1] = 2 // want "changes its package variable cache"
	buffer.add() // want "changes its package variable buffer"
	_ = table[0]
	return &pointed // want "changes its package variable pointed"
}
