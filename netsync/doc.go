// Package netsync is the sync manager. It learns from the peers which chain has
// the most work, downloads the missing blocks from all peers that have them, and
// hands them to chain in order.
//
// It is a function of its state. At the end of every step, advance looks at what
// is known and starts what should be under way. Inputs only change what is known,
// so nothing hangs on one event having come (law L9). There is no sync peer, no
// "headers first" mode to leave, and no flag that only one handler can clear.
// Where something was asked, a deadline or an answer is certain to come.
//
// The Machine is a switch over passive trackers. All of them share the facts: the
// clock, chain's tips and the remotes (remotes.go).
//
//	headers   which peers are asked for headers and when   headers.go
//	          what waits to be judged                      judge.go
//	route     the target and the path there                route.go
//	          where the peers' branches leave the path     forks.go
//	          blocks that are set aside                    aside.go
//	span      the next blocks on the path                  span.go
//	orders    which peers were asked for which blocks      orders.go
//	          what happens when they are late              late.go
//	submits   what chain is judging                        submits.go
//	sends     what goes out to the peers                   sends.go
//	report    the Status                                   status.go
//
// To see it work, read TestStory first.
//
// # Headers
//
// Each peer has a time at which it is due to be asked for headers. Its answer
// proves a point of the header tree. The height that it claims in its version
// message is not looked at.
//
//	      due, and there is room           next Send
//	idle ─────────────────► locating ──► ready ─────► waiting
//	 ▲                                                  │ headers: to chain, which judges them
//	 └──────────────────────────────────────────────────┘ late: the next peer that is due takes over
//
// As long as our best header is old, two peers at a time are asked
// ([Bounds].Fetchers). Peers that have more come first. Once a peer has run out of
// headers, all others are asked once, from the parent of our best header, so that
// they prove that they have it. After that, each peer is asked again every ten
// minutes or so, and whenever it announces something unknown.
//
// # Target, path and span
//
// The target is the point with the most work that a connected peer has proved, if
// our best block has less. Chain knows the path there (GetPath). The span holds
// its next blocks. When the target changes, chain says where the branches part
// (GetForks). What the span holds below that point stays.
//
// If the block that all wait for does not come, and there is another branch to be
// had, the block is set aside for a while, and with it what lies beyond it. The
// while doubles each time. So a peer that proves a header and keeps its block
// delays the others by one order, however often it comes back. What is set aside
// is still the target if nothing else is.
//
// A peer is asked only for blocks below a point that it has proved. Only what it
// was asked for is held: an unasked block is an announcement of its header. Peers
// that have not delivered anything yet come after those that are known to be
// quick. Late blocks are asked of a second peer when nothing else can be ordered.
// However many peers are silent, they cost one such delay.
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
// This holds for each peer (law L7). Traffic of a peer that is not ready is
// ignored: it can come after a rebuild, before the ledger has been replayed. All
// other inputs may come at any time and in any order.
//
// # Inputs and handlers
//
//	actor.Start               the figures start
//	actor.Stop                the machine finishes
//	actor.Tick, actor.Freed   advance looks at the clock, and asks what found no slot
//	peer.Ready                onReady               remotes.go
//	peer.Gone                 sends.onGone          sends.go: its orders are taken back
//	peer.HeadersReceived      headers.onHeaders     judge.go
//	peer.InvReceived          headers.onInv         headers.go
//	peer.BlockReceived        orders.onBlock        orders.go
//	peer.NotFoundReceived     orders.onNotFound     late.go
//	peer.Sent                 sends.onSent          sends.go
//	chain.Tips                route.onTips          route.go
//	chain.Locator             headers.onLocator     headers.go
//	chain.HeadersVerdict      headers.onVerdict     judge.go
//	chain.Forks               route.onForks         forks.go
//	chain.Path                route.onPath          route.go
//	chain.Verdict             submits.onVerdict     submits.go
//	GetStatus, GetPeers       report.status, report.peers   status.go
package netsync
