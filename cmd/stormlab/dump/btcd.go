package dump

// A loop is a goroutine that others wait for: it serves its own channels.
type loop struct {
	name string // the function at the bottom of its stack
	fn   string // as the runtime prints it, without the module's path
}

// loops are btcd's. This node's cells are not among them, because none of them
// can wait for another.
var loops = []loop{
	{"peerHandler", "main.(*server).peerHandler"},
	{"blockHandler", "netsync.(*SyncManager).blockHandler"},
}

// doors are the functions that wait for a loop, by their names in v0.24.2 and
// v0.26.2. They send to a channel of the loop, and some wait for its answer.
var doors = map[string]string{
	"main.(*server).RelayInventory":          "peerHandler",
	"main.(*server).BroadcastMessage":        "peerHandler",
	"main.(*server).AddPeer":                 "peerHandler", // v0.24.2 only
	"main.(*server).peerDoneHandler":         "peerHandler", // v0.24.2 only
	"main.(*server).peerLifecycleHandler":    "peerHandler", // v0.26.2 only
	"main.(*server).BanPeer":                 "peerHandler",
	"main.(*server).ConnectedCount":          "peerHandler",
	"main.(*server).OutboundGroupCount":      "peerHandler",
	"main.(*server).UpdatePeerHeights":       "peerHandler",
	"main.(*rpcConnManager).Connect":         "peerHandler",
	"main.(*rpcConnManager).RemoveByID":      "peerHandler",
	"main.(*rpcConnManager).RemoveByAddr":    "peerHandler",
	"main.(*rpcConnManager).DisconnectByID":  "peerHandler",
	"main.(*rpcConnManager).ConnectedPeers":  "peerHandler",
	"main.(*rpcConnManager).PersistentPeers": "peerHandler",

	"netsync.(*SyncManager).NewPeer":       "blockHandler",
	"netsync.(*SyncManager).DonePeer":      "blockHandler",
	"netsync.(*SyncManager).QueueTx":       "blockHandler",
	"netsync.(*SyncManager).QueueBlock":    "blockHandler",
	"netsync.(*SyncManager).QueueInv":      "blockHandler",
	"netsync.(*SyncManager).QueueHeaders":  "blockHandler",
	"netsync.(*SyncManager).QueueNotFound": "blockHandler",
	"netsync.(*SyncManager).IsCurrent":     "blockHandler",
	"netsync.(*SyncManager).SyncPeerID":    "blockHandler",
	"netsync.(*SyncManager).ProcessBlock":  "blockHandler",
	"netsync.(*SyncManager).Pause":         "blockHandler",
	// The peer's reader waits here until blockHandler has handled the message that
	// the reader queued.
	"main.(*serverPeer).OnTx":    "blockHandler",
	"main.(*serverPeer).OnBlock": "blockHandler",
}
