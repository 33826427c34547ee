// Package transport is the TCP adapter: it owns every socket of the node.
//
// Its contracts are those of its askers: peer/ports.go and server/ports.go. A
// peer cell tells it a command and a payload. The header around them, with the
// network's magic, is known here alone.
//
// adapter.go is the adapter itself: it dials when the server asks it to, and does what
// peer cells tell it. conn.go is the state of one connection, under a leaf
// mutex. frame.go only calculates: it puts headers before payloads and reads
// them. listen.go and pumps.go have what the goroutines do: one a listener, two a
// connection. An unclaimed connection has none.
//
// A stored block is written from the bytes that the database gave. Its header and
// the first part of it go to the socket as two buffers (writev). Messages are decoded here, by
// peer's codec, on the read pump's goroutine: no cell waits for it.
//
//	        Dial / accept                    Bind                    Close, Refuse
//	(none) ───────────────► unclaimed ───────────────► open ─────────────────────► closed
//	                            │ ClaimTimeout           │ Close{Drain}              ▲
//	                            └──────────► closed      └────────► draining ────────┘
//	                                                                written, or DrainTimeout
//
// The owner of an open connection is given:
//
//	Received  Inbound lane  each message, in the order of the stream, under credit
//	EOF       Inbound lane  once, after the last Received; not after Close
//	Flushed   Events lane   after each chunk written; only the latest matters
//	Broken    Control lane  at most once: nothing can be written any more
//
// Back-pressure (law L5). Inward: the read pump asks for credit before it reads a
// message. When a cell has no credit left its socket is not read, the system's
// buffer fills, and the remote's own writes stop. Outward: the cell bounds what it
// queues, and a chunk that is not taken within WriteTimeout breaks the connection.
//
// Nothing here holds a lock while it waits, and no cell waits for a pump. Tell
// appends to a queue under a leaf mutex and leaves a signal. To end a connection
// it sets deadlines, which wake both pumps, and the last pump closes the socket.
package transport
