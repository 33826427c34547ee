// Package peer is one remote node: the component with one cell per connection. It
// does the handshake and the pings, remembers what was asked for, and passes what
// the remote sends to the component that cares. It decides nothing about chains or
// addresses. Read TestStory in story_test.go first.
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
// writes what is queued by itself (Close{Drain}), so the cell can end at once.
//
// The order of messages is that of Bitcoin Core 22 and later:
//
//	outbound  version ►        ◄ version   wtxidrelay ► sendaddrv2 ► verack ►   ◄ verack   sendheaders ►
//	inbound            ◄ version   version ► wtxidrelay ► sendaddrv2 ► verack ► ◄ verack   sendheaders ►
//
// wtxidrelay (BIP339) and sendaddrv2 (BIP155) are legal only between version
// and verack, sendheaders (BIP130) at any time after version.
//
// # Inputs
//
//	actor.Start, actor.Tick             onStart, onTick  machine.go
//	actor.Stop, actor.End               becomeGone       machine.go
//	EOF, Broken                         becomeGone       machine.go
//	Received                            onReceived       inbound.go, a switch over the messages:
//	  version, verack, wtxidrelay,
//	  sendaddrv2, sendheaders           onHandshake      handshake.go
//	  ping, pong                        onPing, onPong   ping.go
//	  headers, block, inv, notfound     to Sync, and to Relay what the peer knows  fetch.go
//	  tx, feefilter, and the
//	  transactions of inv, notfound     to Relay         txs.go
//	  getheaders, getblocks, getdata    to Relay         serve.go
//	  addr, addrv2, getaddr             to Server        addrs.go
//	  mempool                           becomeGone       machine.go
//	  filters, reject ...               onIgnored        ignored.go
//	Flushed                             onFlushed        queue.go
//	Send                                onSend           queue.go
//	GetInfo                             info             info.go
//
// # Outputs
//
// The machine publishes in a legal order (law L7): Lifecycle.Open(Ready) once, then
// any Traffic, then Lifecycle.Close(Gone) once. Without a Ready it publishes
// nothing. It publishes Traffic only in a step whose input is a Received, at most
// three times in each step, for an inv of blocks and transactions: Traffic rides on that message's credit (law L5).
//
// # Breaches
//
// These end a connection. Peers at fault are banned.
//
//	breach of the framing (wrong network, oversized message) fault
//	End{Fault}: a component found a broken rule              fault
//	handshake, ping or silence deadline; does not read       no: it may be the line
//	too old, lacks a service, second version, late feature
//	negotiation, locator over 101, connected to ourselves,
//	transactions that we asked not to be sent, mempool       no: as Bitcoin Core
package peer
