// Package track holds relay's trackers of transactions. A tracker is passive: it is
// told what has happened and answers what follows from it. Time and chance are
// arguments, so the same calls give the same answers (law L10). Each tracker is
// bounded (bounds.go). Where it needs them it has a check of its state, and a deadline
// that says when time alone will change something (law L9).
//
//	requests.go     which transaction is asked of which peer, and when
//	filter.go       what was rejected, confirmed, or is known to a peer: a rolling
//	                Bloom filter
//	orphans.go      which parents of a transaction are missing, and who may have them
//	unbroadcast.go  what was sent by RPC and no peer has asked for yet
//	trickle.go      when a peer is told of transactions
//	feefilter.go    when a peer is told which fee rate is too low, and which it is told
//
// # The life of an announcement
//
// A peer announces a transaction by one of its names. Of all peers that have announced
// it, one is asked at a time.
//
//	            its delay is over           a better one is ready
//	delayed ──────────────────────► ready ◄─────────────────────── best
//	                                  │                            ▲  │
//	                                  └────────────────────────────┘  │ asked
//	             the best of those that are ready, and none in flight ▼
//	                                              completed ◄────── requested
//	                                   answered, or not in time
//
// A completed announcement is kept until all of its transaction's are completed. So a
// peer that did not deliver is not asked again for what it announces again.
package track
