// Package server is the connection manager. It alone decides who is connected: it
// admits what the listener accepts, dials, shares out the seats, spawns a peer
// cell for each connection, feeds the address book and keeps the bans.
//
// The Machine is a switch over passive trackers, each in a file: remotes (the
// connections), dials, named (peers that the user named), seeds, outbound (the
// search for other peers), gossip (what the address book gets), bans, alone and
// reporter. A tracker keeps its state, with a check and a deadline where it needs
// them. What it must know of another is handed to it. Inputs change what is known;
// advance then starts what is due. Read TestStory in story_test.go first.
//
// # A connection's seat
//
// There are MaxPeers seats. A dial under way and a connection take one each. A
// connection keeps it from the first moment, before the handshake, until the
// peer's cell has ended:
//
//	(free) ── Admit ───────────────────────► remote ── Ready ──► remote, ready
//	   │                                      ▲ │                   │ Gone
//	   └── Dial ──► dial ── Dialed, wanted ───┘ │                   ▼
//	                 │ failed, not wanted: Refuse └── Ended ◄── remote, leaving
//	                 ▼                                 │
//	               (free) ◄────────────────────────────┘
//
// Outbound has priority. Seats for the automatic target and for each peer that
// the user named are kept free, and inbound gets the rest. When inbound is full a
// newcomer is refused and counted. Nobody is evicted, as in btcd; Bitcoin Core
// evicts a peer instead. Here the connections of one host are bounded. An attacker
// then needs as many hosts, and no connected peer has to be judged.
//
// A host, for this bound and for bans, is an IPv4 address or an IPv6 /64. A /64 is
// the least that a host is given, and its addresses are as good as one. A host
// with more (a /56 is 256 of them) counts as so many hosts, and customers of a
// provider who puts several of them into one /64 count as one.
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
//	actor.Start          onStart           machine.go
//	actor.Stop           finish            machine.go
//	actor.Tick           advance           machine.go
//	actor.Freed          advance           machine.go
//	actor.Alive          onAlive           life.go
//	actor.Ended          onEnded           life.go
//	peer.Ready           onReady           life.go
//	peer.Gone            onGone            life.go
//	peer.AddrsReceived   onAddrsReceived   gossip.go
//	peer.AddrsWanted     onAddrsWanted     gossip.go
//	chain.Tips           the height for version messages
//	Dialed               onDialed          dial.go
//	Picked               onPicked          outbound.go
//	Resolved             onResolved        named.go, seeds.go
//	Sampled              onSampled         gossip.go
//	Noted                onNoted           gossip.go
//	peer.Sent            advance           machine.go
//	Admit                onAdmit           admit.go
//	AddNode              onAddNode         named.go
//	DisconnectNode       onDisconnectNode  life.go
//	GetPeers             connections       remotes.go
//	GetStatus            figures           status.go
//
// # Legal order
//
// Start is first. After a rebuild Alive follows for each living peer, then Ready
// for each that is ready. Of one peer come Ready, its traffic, Gone and Ended.
// Ready and Gone may be missing, both together. Admit is answered in the step that
// takes it.
//
// A crash loses the bans and the peers added by addnode, because nobody else knows
// them. The peers of the configuration are found again. The transport closes the
// connections of dials that were under way: each needs an owner within
// peer.ClaimTimeout.
package server
