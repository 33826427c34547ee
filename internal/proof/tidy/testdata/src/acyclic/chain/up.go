package chain

import "acyclic/peer" // want "chain may not import peer"

var _ peer.Ready
