package server

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// bans tracks the hosts (see hostOf) that we do not talk to. All bans last
// equally long, so they end in the order in which they were made.
type bans struct {
	duration time.Duration
	most     int

	until map[netip.Prefix]time.Time
	order []netip.Prefix
}

func newBans(duration time.Duration, most int) bans {
	return bans{duration: duration, most: most, until: map[netip.Prefix]time.Time{}}
}

// add bans the host of an address. A host that is banned already is banned for
// longer.
//
// Loopback is never banned. Behind it are different peers (a tunnel, Tor, other
// nodes of this machine), and the fault of one must not lock out all. Bitcoin
// Core makes the same exception.
func (b *bans) add(now time.Time, addr netip.Addr) (host netip.Prefix, ok bool) {
	if addr.IsLoopback() || b.most == 0 {
		return netip.Prefix{}, false
	}
	host = hostOf(addr)
	if i := slices.Index(b.order, host); i >= 0 {
		b.order = slices.Delete(b.order, i, i+1)
	} else if len(b.order) >= b.most {
		b.drop()
	}
	b.until[host] = now.Add(b.duration)
	b.order = append(b.order, host)
	return host, true
}

// drop ends the oldest ban.
func (b *bans) drop() {
	delete(b.until, b.order[0])
	b.order = b.order[1:]
}

// due is when the next ban ends.
func (b *bans) due() time.Time {
	if len(b.order) == 0 {
		return time.Time{}
	}
	return b.until[b.order[0]]
}

func (b *bans) expire(now time.Time) {
	for len(b.order) > 0 && !b.due().After(now) {
		b.drop()
	}
}

func (b *bans) has(now time.Time, addr netip.Addr) bool {
	return b.until[hostOf(addr)].After(now) // zero: it is not banned
}

func (b *bans) check() error {
	if len(b.until) != len(b.order) || len(b.order) > b.most {
		return fmt.Errorf("%d bans in order, %d by host, at most %d", len(b.order), len(b.until), b.most)
	}
	for i, host := range b.order {
		until, ok := b.until[host]
		if !ok || host.Addr().IsLoopback() || host != hostOf(host.Addr()) {
			return fmt.Errorf("the ban of %v is not a host's", host)
		}
		if i > 0 && until.Before(b.until[b.order[i-1]]) {
			return fmt.Errorf("the ban of %v ends before an older one", host)
		}
	}
	return nil
}
