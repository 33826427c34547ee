// Package relay announces new blocks to the peers and serves them blocks and
// headers.
//
// # The life of a peer in relay
//
//	Ready ──► serving ──► leaving ──► (Gone: forgotten)
//	             │  a Send timed out or met ErrGone, or the
//	             │  peer asked for more than MaxWanted
//	             └────────────────────► Gone
//
// A serving peer has two places, and each holds one thing at most:
//
//	out:  the Send that the peer cell has not yet answered, or that waits for
//	      its retry
//	read: what chain is asked on its behalf, or, when the answer came while
//	      out was taken, the message that waits for out
//
// A read begins only while out is empty. So a peer that asks for 48,000 blocks
// and never reads costs one block of memory, and nobody else notices (law L5).
//
// # What each input does
//
//	peer.Ready          onReady           a new peer, which knows nothing yet
//	peer.Gone           onGone            everything about it is dropped
//	peer.WantsHeaders   onWantsHeaders    BIP130: headers instead of inv
//	peer.Announced      onAnnounced       these are not announced back
//	peer.HeadersWanted  onHeadersWanted   ► chain.GetHeaders ► headers
//	peer.BlocksWanted   onBlocksWanted    ► chain.GetHashes  ► inv
//	peer.DataWanted     onDataWanted      ► chain.GetBlock   ► block, notfound
//	chain.BlockConnected     onConnected      goes on the peers' pending lists
//	chain.BlockDisconnected  onDisconnected   comes off them
//	chain.Tips          onTips            the tip; as answer: resync after Lagged
//	actor.Lagged        onLagged          the pending lists are void: GetTips
//	peer.Sent           onSent            the peer's out is free
//	chain.Headers, chain.Hashes, chain.Block  onHeaders, onHashes, onBlock
//	actor.Tick          onTick            an announcement round, or retries
//	actor.Freed         retry             what found no slot
//	GetStatus           onGetStatus
//
// # The legal order of events
//
// Of each peer: Ready, then traffic, then Gone (law L7). Traffic of a peer that
// is not known is dropped: a rebuilt relay can see it once. A rebuilt relay
// (Start with Generation > 0) is given Ready of every live peer again; it has
// forgotten who asked for headers, so it announces by inv, which everybody
// understands, and it announces the tip, for a block may have been connected
// while it was dead.
//
// # Announcement rounds
//
// A block is announced AnnounceDelay after it was connected, so that the blocks
// of one reorganisation go out together, and no sooner than AnnounceInterval
// after the round before: a storm of 1,000 blocks a second costs each peer ten
// messages a second. A peer whose out is taken misses the round and is told
// what is pending once it is free; more than MaxAnnounce blocks shrink to an
// inv of the tip, as in Bitcoin Core.
package relay
