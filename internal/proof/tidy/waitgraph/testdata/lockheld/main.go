// A lock is held while its holder sends. A goroutine that wants the lock so waits for
// the receiver. The other lock is a leaf: no goroutine waits for its holders.
package main

import "sync"

type book struct {
	slow    sync.Mutex
	updates chan int
	leaf    sync.RWMutex
	n       int
}

func (b *book) add() {
	b.slow.Lock()
	defer b.slow.Unlock()
	b.announce()
}

func (b *book) announce() { b.updates <- b.size() }

func (b *book) size() int {
	b.leaf.RLock()
	defer b.leaf.RUnlock()
	return b.n
}

func (b *book) writer() {
	for {
		b.add()
	}
}

func (b *book) reader() {
	for range b.updates {
		b.slow.Lock()
		b.n++
		b.slow.Unlock()
		b.leaf.Lock()
		b.n++
		b.leaf.Unlock()
	}
}

func main() {
	b := &book{updates: make(chan int)}
	go b.writer()
	go b.reader()
}
