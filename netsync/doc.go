// Package netsync is the sync manager: it learns from the peers which chain has
// the most work, downloads the missing blocks from all that have them, and hands
// them to chain in order.
//
// It is a function of its state: at the end of every step advance looks at what
// is known and starts what should be under way. Inputs only change what is
// known. So nothing hangs on one event having come (law L9): there is no sync
// peer, no "headers first" mode to leave, and no flag that only one handler can
// clear. Where something was asked there is a deadline, or an answer that is
// certain to come.
//
// # Headers
//
// Each peer has a time at which it is due to be asked for headers, and proves a
// point of the header tree by what it answers; what it claims in its version
// message is not looked at.
//
//	      due and its turn                 next Send
//	idle ─────────────────► locating ──► ready ─────► waiting
//	 ▲                                                  │ headers: to chain, which judges them
//	 └──────────────────────────────────────────────────┘ late: the next peer that is due takes over
//
// As long as our best header is old, two peers at a time are asked
// ([Bounds].Fetchers), those first that have more. Once one has run out, all
// others are asked once, from the parent of our best header, so that they prove
// that they have it. Then everyone is asked again every ten minutes or so, and
// whenever it announces something unknown.
//
// # Target and path
//
// The target is the point with the most work that a connected peer has proved,
// if that is more than our best block has. Chain knows the path there (GetPath);
// the window holds its next blocks. When the target changes, chain says where
// the branches part (GetForks): what the window holds below stays. When the block
// that all wait for does not come and there is another branch to be had, it is
// set aside for a while, longer each time, and with it what lies beyond it
// (aside.go): whoever proves a header and keeps its block delays the others by
// one order, however often it comes back. What is set aside is still the target
// when nothing else is.
//
// A peer is asked only for blocks below a point that it has proved, and only
// what it was asked for is held: an unasked block is an announcement of its
// header. Peers that have not delivered anything yet come after those that are
// known to be quick, and late blocks are asked of a second peer when nothing else
// can be ordered: however many are silent, they cost one such delay.
//
//	wanted ──► held ──► handed ──► done
//	  ▲         │ ▲       │ │
//	  │ budget  │ └───────┘ │ orphan, too new, no answer: chain could not judge it
//	  └─────────┴───────────┘ mutated: another copy is needed
//
// # Legal order of events
//
//	peer.Ready  (HeadersReceived | BlockReceived | InvReceived | NotFoundReceived)*  peer.Gone
//
// per peer (law L7). Traffic of a peer that is not ready is ignored: it can come
// after a rebuild, before the ledger has been replayed. Everything else may come
// at any time and in any order.
//
// # Input and handler
//
//	actor.Start                 start of the figures
//	actor.Stop                  finish
//	actor.Tick, actor.Freed     advance
//	peer.Ready                  onReady           peers.go
//	peer.Gone                   onGone            peers.go: its orders are taken back
//	peer.HeadersReceived        onHeaders         headers.go
//	peer.InvReceived            onInv             headers.go
//	peer.BlockReceived          onBlock           download.go
//	peer.NotFoundReceived       onNotFound        download.go
//	peer.Sent                   onSent            peers.go
//	chain.Tips                  onTips            machine.go
//	chain.Locator               onLocator         headers.go
//	chain.HeadersVerdict        onHeadersVerdict  headers.go
//	chain.Forks                 onForks           target.go
//	chain.Path                  onPath            target.go
//	chain.Verdict               onVerdict         submit.go
//	GetStatus, GetPeers         status, peers     status.go
package netsync
