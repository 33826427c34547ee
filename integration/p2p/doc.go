// Package p2p talks to a node in messages of the peer-to-peer protocol. A Conn is
// the least that can be called a peer: it shakes hands, sends what it is given
// and answers pings. The storms are made of it, and the scripted peers of package
// script use the same frames.
package p2p
