// Package server is the connection manager: it alone decides who is connected.
// It admits what the listener accepts, dials, reserves the slots, spawns a peer
// cell for each connection, feeds the address book and keeps the bans.
//
// # A connection's place
//
// There are MaxPeers places. A dial under way and a connection take one each,
// from the first moment (handshaking included) until the peer's cell has ended:
//
//	(free) ── Admit ─────────────────────────► slot ── Ready ──► slot, ready
//	   │                                        ▲ │                 │ Gone
//	   └── Dial ──► dial ── Dialed, wanted ─────┘ │                 ▼
//	                 │ failed, not wanted: Refuse └──── Ended ◄── slot, leaving
//	                 ▼                                   │
//	               (free) ◄──────────────────────────────┘
//
// Outbound has priority: places for the automatic target and for each peer that
// the user named are kept free, and inbound gets the rest. When inbound is full
// a newcomer is refused and counted; nobody is evicted. Eviction (Bitcoin Core's
// answer to a peer that fills all slots) frees a place only after the evicted
// peer has gone, so it never helps the newcomer at hand; here the number of
// connections of one host is bounded instead, which costs an attacker as many
// hosts and needs no judgement of the peers that are connected.
//
// A host, for this bound and for bans, is an IPv4 address or an IPv6 /64: a /64
// is the least that a host is given, and its addresses are as good as one. Who
// was given more (a /56 is 256 of them) counts as so many hosts, and customers of
// a provider who puts several of them into one /64 count as one.
//
// # A named peer's life
//
// Peers of --connect, --addpeer and addnode are retried for ever:
//
//	   ┌────────────── back-off: 5 s doubling to 5 min ──────────────┐
//	   ▼                                                             │
//	waiting ── due ──► resolving ── addresses ──► dialling ── failed ┤
//	   │                   └─────── no address ──────│───────────────┤
//	   └── due, a literal address ──────────────────►│               │
//	                                                 └─► linked ─────┘ ended
//
// # Inputs
//
//	actor.Start, Stop, Tick, Freed    machine.go
//	actor.Alive, actor.Ended          slots.go     onAlive, onEnded
//	peer.Ready, peer.Gone             slots.go     onReady, onGone
//	peer.AddrsReceived, AddrsWanted   gossip.go    onAddrsReceived, onAddrsWanted
//	chain.Tips                        machine.go   our height, for version messages
//	Dialed                  dial.go      onDialed
//	Picked                       outbound.go  onPicked
//	Resolved                     named.go     onResolved; seeds.go
//	Sampled, Noted          gossip.go    onSampled, onNoted
//	peer.Sent                         gossip.go    onSent
//	Admit                             admit.go     onAdmit
//	AddNode                           named.go     onAddNode
//	DisconnectNode                    slots.go     onDisconnectNode
//	GetPeers, GetStatus               status.go
//
// # Legal order
//
// Start is first. After a rebuild Alive follows for each living peer, then Ready
// for each that is ready. Of one peer: (Alive), Ready, its traffic, Gone, Ended;
// Ready and Gone may be missing (together), Ended is not. Admit is always
// answered in the step that takes it.
//
// After a crash the bans and the peers added by addnode are forgotten, because
// nobody else knows them; the peers of the configuration are found again. Dials
// that were under way are closed by the transport, whose connections want an
// owner within peer.ClaimTimeout.
package server
