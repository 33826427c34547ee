// Package p2p talks to a node in messages of the peer-to-peer protocol. A Conn
// is the smallest possible peer: it shakes hands, sends, and answers pings. The
// storms use it, and the scripted peers of package script use the same frames.
package p2p
