// Two loops send to each other through bounded channels, as btcd's do: one of
// them from deep below its own function, through an interface.
package main

type server struct {
	peers chan int
	inv   chan int
	quit  chan struct{}
	sync  *syncer
}

type syncer struct {
	msgs chan any
	tell notifier
}

type notifier interface{ relay(int) }

func (s *server) relay(inv int) { s.inv <- inv }

func (s *server) loop() {
	for {
		select {
		case p := <-s.peers:
			s.add(p)
		case <-s.inv:
		case <-s.quit:
			return
		}
	}
}

func (s *server) add(p int) { s.sync.newPeer(p) }

func (m *syncer) newPeer(p int) {
	select {
	case m.msgs <- p: // a wait, although there is a way out when all ends
	case <-never:
	}
}

var never = make(chan struct{})

func (m *syncer) loop() {
	for msg := range m.msgs {
		m.handle(msg.(int))
	}
}

func (m *syncer) handle(msg int) {
	notify := func() { m.tell.relay(msg) }
	defer notify()
}

func main() {
	m := &syncer{msgs: make(chan any, 3)}
	s := &server{peers: make(chan int), inv: make(chan int, 3), quit: make(chan struct{}), sync: m}
	m.tell = s
	go s.loop()
	go m.loop()
	for i := range 10 {
		s.peers <- i
	}
	close(s.quit)
}
