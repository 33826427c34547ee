package server

import "fmt"

// seats says how the seats are shared out at this moment. A connection takes one,
// and so does a dial under way, so that its connection finds one.
type seats struct {
	all    int
	taken  int
	kept   int // kept free for the peers that the user named
	target int // kept free for automatic peers

	automatic            int // peers and dials
	inbound, outbound    int // connections
	handshaking          int // connections whose handshake is not done
	ready, readyOutbound int // connections whose handshake is done
}

// seats counts. Peers that the user named do not count as automatic (as in
// Bitcoin Core): they must not take the seats of peers that an attacker could not
// name.
func (m *Machine) seats() seats {
	s := seats{
		all:       m.cfg.MaxPeers,
		taken:     len(m.remotes) + len(m.dials.list),
		kept:      count(m.named.list, func(p *namedPeer) bool { return p.keep }),
		automatic: count(m.dials.list, func(d *dial) bool { return d.named == 0 }),
	}
	if len(m.cfg.ConnectOnly) == 0 {
		s.target = max(0, min(m.cfg.OutboundTarget, s.all-s.kept))
	}
	for i := range m.remotes {
		r := &m.remotes[i]
		s.automatic += one(r.automatic())
		s.inbound += one(r.inbound)
		s.outbound += one(!r.inbound)
		s.handshaking += one(!r.shook)
		s.ready += one(r.ready)
		s.readyOutbound += one(r.ready && !r.inbound)
	}
	return s
}

// full says whether all seats are taken.
func (s *seats) full() bool { return s.taken >= s.all }

// missing counts the automatic peers that are still to be found.
func (s *seats) missing() int { return max(0, s.target-s.automatic) }

// seeking says whether another automatic peer is wanted and has a seat.
func (s *seats) seeking() bool { return s.missing() > 0 && !s.full() }

// admits says whether an inbound connection has a seat. Inbound gets what is left
// when the seats of outbound peers are kept free, as in btcd v0.26.
func (s *seats) admits() bool { return s.inbound < s.all-s.target-s.kept && !s.full() }

func (s *seats) check(outboundTarget int) error {
	if s.taken > s.all || s.automatic > outboundTarget {
		return fmt.Errorf("%d of %d seats are taken, %d of %d by automatic peers", s.taken, s.all, s.automatic, outboundTarget)
	}
	return nil
}

func count[T any](list []T, fits func(*T) bool) int {
	n := 0
	for i := range list {
		n += one(fits(&list[i]))
	}
	return n
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
