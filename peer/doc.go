// Package peer is one remote node: the component of which there is one cell a
// connection. It does the handshake, the pings and the bookkeeping of what was
// asked for, and passes what the remote sends to the component that cares. It
// decides nothing about chains or addresses.
//
//	outbound: version sent               inbound: nothing sent
//	    dialled                               accepted
//	       │        version received, acceptable │
//	       └───────────────► greeted ◄───────────┘
//	                            │ verack received     ── Ready
//	                            ▼
//	                          ready
//	                            │ EOF, Broken, End, Stop, a deadline, a breach
//	                            ▼
//	                           gone                   ── Gone, if there was a Ready
//
// Every state but gone can end in gone. There is no closing state: the adapter
// writes what is queued by itself (Close{Drain}), so the cell can go at once.
//
// What is said when (the order is that of Bitcoin Core 22 and later):
//
//	outbound  version ►        ◄ version   wtxidrelay ► sendaddrv2 ► verack ►   ◄ verack   sendheaders ►
//	inbound            ◄ version   version ► wtxidrelay ► sendaddrv2 ► verack ► ◄ verack   sendheaders ►
//
// wtxidrelay (BIP339) and sendaddrv2 (BIP155) are legal only between version
// and verack; sendheaders (BIP130) at any time after version.
//
// The inputs and who handles them:
//
//	Start, Tick                         machine.go    onStart, onTick
//	Stop                                machine.go    becomeGone
//	Received                            inbound.go    onReceived: one switch over the messages
//	  version, verack, wtxidrelay,
//	  sendaddrv2, sendheaders           handshake.go  onVersion, onVerAck, onFeature
//	  ping, pong                        ping.go       onPing, onPong
//	  headers, block, inv, notfound     fetch.go      ► Sync (and Relay: what the peer knows)
//	  getheaders, getblocks, getdata    serve.go      ► Relay
//	  addr, addrv2, getaddr             addrs.go      ► Server
//	  tx, mempool, filters, reject ...  ignored.go    counted and dropped
//	EOF, Broken                         machine.go    becomeGone
//	Flushed                             queue.go      onFlushed
//	Send                                queue.go      onSend
//	actor.End                           machine.go    becomeGone
//	GetInfo                             info.go       info
//
// The legal order of what it publishes (law L7): Lifecycle.Open(Ready) once, then
// any Traffic, then Lifecycle.Close(Gone) once; nothing at all without a Ready.
// Traffic is published only in a step whose input is a Received, at most twice in
// each: it rides on that message's credit (law L5).
//
// Whom it disconnects, and whether that is a fault (faults are banned):
//
//	breach of the framing (wrong network, oversized message) fault
//	End{Fault}: a component found a broken rule              fault
//	handshake, ping or silence deadline; does not read       no: it may be the line
//	too old, lacks a service, second version, late feature
//	negotiation, locator over 101, connected to ourselves    no: as Bitcoin Core
package peer
