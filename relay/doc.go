// Package relay announces new blocks to the peers and serves them headers and
// blocks. TestStory in story_test.go shows all of it in one page.
//
// # The parts
//
//	machine.go   the switch, advance, the clock, the check
//	remote.go    what relay knows of a peer, and what it sends to it
//	announce.go  which peers a new block is announced to, and when
//	news.go      tracker: what is to be announced to one peer
//	known.go     tracker: the blocks that one peer knows
//	serve.go     reads on behalf of peers, and their answers
//	wants.go     tracker: what one peer has asked for and not got
//	kinds.go     the kinds of item that are served: the table to extend
//	tip.go       the best block, asked for again after missed events
//
// Of transactions:
//
//	fetch.go     what peers announce and we lack is asked of one of them
//	hand.go      tracker: what has come and chain has not judged
//	submit.go    what has come is offered to chain, whose verdict counts
//	pool.go      tracker: the names of the pool's transactions
//	poolsync.go  the names, asked for after missed events
//	trickle.go   what the pool takes is announced, to each peer in its time
//	txqueue.go   tracker: what is to be announced to one peer
//	servetxs.go  reads of transactions, and who may have which
//	feefilter.go which fee rates peers are told, and tell us
//	track/       trackers: who is asked and when, orphans, filters, random times
//
// A tracker is passive: it keeps its state, answers questions about it and checks
// it. Handlers tell the trackers what has happened. After every input, advance
// begins whatever can be begun.
//
// # The life of a peer in relay
//
//	Ready ──► served ──► forgotten
//	             │  Gone; or it is ended, because a Send timed out or met
//	             │  ErrGone, or because it asked for more than MaxWanted
//	             └─ (Gone will come, and changes nothing)
//
// Two messages may be in memory for a peer, and one of them may be a block:
//
//	out:   the message that its cell is asked to send
//	held:  the answer of the readers, if it came while out was taken
//
// A read begins only while out is empty. So a peer that asks for 50,000 blocks and
// never reads costs one block of memory, and nobody else notices (law L5). Reads
// are given to the peers in turn.
//
// # Inputs
//
//	actor.Start              onStart          tip.go: a rebuilt relay asks for the tip
//	actor.Stop               finish
//	actor.Tick               onTick           machine.go: a round, or a retry, is due
//	actor.Freed              onFreed          submit.go: chain has let go of a transaction
//	actor.Lagged             onLagged         tip.go: asks GetTips, or GetPool
//	peer.Ready               onReady          remote.go: a new peer, which knows nothing
//	peer.Gone                forget           remote.go
//	peer.WantsHeaders        onWantsHeaders   announce.go: headers instead of inv (BIP130)
//	peer.Announced           onAnnounced      announce.go: these are not announced back
//	peer.HeadersWanted       onHeadersWanted  serve.go: asks GetHeaders
//	peer.BlocksWanted        onBlocksWanted   serve.go: asks GetHashes
//	peer.DataWanted          onDataWanted     serve.go: asks GetBlock, GetPoolTxs
//	peer.TxsAnnounced        onTxsAnnounced   fetch.go: asks a peer for what is missing
//	peer.TxReceived          onTxReceived     fetch.go: asks SubmitTx
//	peer.TxsNotFound         onTxsNotFound    fetch.go: asks the next peer
//	peer.FeeFilter           onFeeFilter      feefilter.go: below this nothing is announced to it
//	peer.Sent                onSent           remote.go: the next message can go
//	chain.BlockConnected     onConnected      announce.go: it is news
//	chain.BlockDisconnected  onDisconnected   announce.go: it is no longer news
//	chain.TxAccepted         onAccepted       trickle.go: it is announced
//	chain.TxResent           onResent         trickle.go: it is announced again
//	chain.TxRemoved          onRemoved        trickle.go: it is not announced any more
//	chain.TxConfirmed        onConfirmed      trickle.go: nor fetched
//	chain.TxVerdict          onVerdict        submit.go: what becomes of a transaction
//	chain.Pool               onPool           poolsync.go: the names of the pool, after missed events
//	chain.PoolInfo           onPoolInfo       feefilter.go: which fee rate peers are told
//	chain.PooledTxs          onPooledTxs      servetxs.go: sends transactions, or misses them
//	chain.Tips               onTips           tip.go: the tip, or the answer to GetTips
//	chain.Headers            onHeaders        serve.go: sends headers
//	chain.Hashes             onHashes         serve.go: sends an inv
//	chain.Block              onBlock          serve.go: sends the block, or misses it
//	GetPeers                 onGetPeers       machine.go
//	GetUnbroadcast           onGetUnbroadcast machine.go
//	GetStatus                onGetStatus      machine.go
//
// # The legal order of events
//
// Of each peer: Ready, then traffic, then Gone (law L7). Traffic of an unknown peer
// is dropped: a rebuilt relay can see it once, and an ended peer may still send.
//
// A rebuilt relay (Start with Generation > 0) is given Ready of every live peer
// again. It has forgotten which peers want headers, so it announces by inv, which
// everybody understands. It announces the tip, for a block may have been connected
// while it was dead.
//
// # Announcement rounds
//
// A block is announced AnnounceDelay after it was connected, so that the blocks of
// one reorganisation go out together. Rounds are AnnounceInterval apart: a storm of
// 1,000 blocks a second costs each peer ten messages a second. A peer whose out is
// taken misses the round and is told the news once it is free. More than
// MaxAnnounce blocks shrink to an inv of the tip, as in Bitcoin Core.
//
// # Transactions
//
//	peer ─inv─► requests ─getdata─► peer ─tx─► hand ─SubmitTx─► chain
//	                                                              │ TxAccepted
//	peer ◄─tx─ readers ◄─GetPoolTxs─ peer ◄─inv─ queue, trickle ◄─┘
//
// None of these arrows waits for another. A peer that announces and does not deliver
// delays a transaction by a minute. Then the next one that has it is asked. What comes is
// held within MaxHand until chain has a slot for it, the peers in turn. When that is half
// full, nobody is asked for more.
//
// A transaction that was rejected is not fetched again before the next block. A peer that
// sends one which no node can accept is ended at fault. An orphan's parents are asked of
// the peers that have the orphan.
//
// If the queue of a peer is full, it is not told of further transactions by us. It has
// other peers. A rebuilt relay has forgotten what peers know, what they announced, their
// fee filters, and who has asked for what RPC sent. It learns the names of the pool. Of
// these it announces what RPC sent in the last hour, until a peer asks for it. Then it
// announces what comes.
package relay
