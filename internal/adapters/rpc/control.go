package rpc

import (
	"fmt"
	"strings"
	"time"

	"acyclic/internal/adapters/rpc/commands"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/mailbox"
	"acyclic/netsync"
	"acyclic/relay"
	"acyclic/server"
)

func help(_ *call, a arguments) (any, error) {
	if !a.has(0) {
		return commands.Help(), nil
	}
	cmd := commands.Find(a.text(0))
	if cmd == nil {
		return "help: unknown command: " + a.text(0), nil
	}
	return cmd.Help(), nil
}

func stop(c *call, _ arguments) (any, error) {
	c.Stop()
	return "Acyclic stopping", nil
}

func uptime(c *call, _ arguments) (any, error) {
	return int64(c.now().Sub(c.Started).Seconds()), nil
}

// cellResult is one cell in getmailboxes.
type cellResult struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Depth    laneDepths `json:"depth"`
	OldestMS float      `json:"oldest_ms"`
	Done     uint64     `json:"done"`
	Refused  uint64     `json:"refused"`
}

// laneDepths is written as an object with the lanes by name, most urgent first.
type laneDepths [actor.NumLanes]int

// MarshalJSON implements json.Marshaler.
func (d laneDepths) MarshalJSON() ([]byte, error) {
	var members []string
	for lane, n := range d {
		members = append(members, fmt.Sprintf("%q:%d", actor.Lane(lane), n))
	}
	return []byte("{" + strings.Join(members, ",") + "}"), nil
}

func getMailboxes(c *call, _ arguments) (any, error) {
	list := []cellResult{}
	for _, s := range c.Cells() {
		oldest := time.Duration(0)
		if s.Oldest != 0 {
			oldest = mailbox.Age(s.Oldest, c.now())
		}
		list = append(list, cellResult{s.ID.String(), s.Name, s.Depth, millis(oldest), s.Taken, s.Refused})
	}
	return list, nil
}

// statusResult is getstatus: the components' own figures.
type (
	statusResult struct {
		Sync   syncStatus   `json:"sync"`
		Server serverStatus `json:"server"`
		Relay  relayStatus  `json:"relay"`
	}

	syncStatus struct {
		Phase        string `json:"phase"`
		Blocks       int32  `json:"blocks"`
		Headers      int32  `json:"headers"`
		TargetHeight int32  `json:"target_height"`
		TargetHash   string `json:"target_hash,omitempty"`
		Peers        int    `json:"peers"`
		InFlight     int    `json:"inflight"`
		Held         int    `json:"held"`
		HeldBytes    int    `json:"held_bytes"`
		Connected    uint64 `json:"blocks_connected"`
		Bytes        uint64 `json:"block_bytes"`
		BlockRate    float  `json:"blocks_per_second"`
		HeaderRate   float  `json:"headers_per_second"`
		Stalls       uint64 `json:"stalls"`
	}

	serverStatus struct {
		Inbound     int    `json:"inbound"`
		Outbound    int    `json:"outbound"`
		Handshaking int    `json:"handshaking"`
		MaxPeers    int    `json:"maxpeers"`
		Dialling    int    `json:"dialling"`
		Known       int    `json:"addresses"`
		Banned      int    `json:"banned"`
		Refused     uint64 `json:"refused"`
	}

	relayStatus struct {
		Peers         int    `json:"peers"`
		Announced     uint64 `json:"announced"`
		Coalesced     uint64 `json:"coalesced"`
		BlocksServed  uint64 `json:"blocks_served"`
		HeadersServed uint64 `json:"headers_served"`
		NotFound      uint64 `json:"notfound"`

		TxsAnnounced    uint64 `json:"txs_announced"`
		TxsUnannounced  uint64 `json:"txs_unannounced"`
		TxsServed       uint64 `json:"txs_served"`
		TxsRequested    uint64 `json:"txs_requested"`
		TxsNotDelivered uint64 `json:"txs_not_delivered"`
		TxsReceived     uint64 `json:"txs_received"`
		TxsAccepted     uint64 `json:"txs_accepted"`
		TxsRejected     uint64 `json:"txs_rejected"`
		TxsInvalid      uint64 `json:"txs_invalid"`
		TxsDropped      uint64 `json:"txs_dropped"`
		Orphans         uint64 `json:"orphans"`
		ParentsWanted   uint64 `json:"parents_wanted"`
		TxsWaiting      int    `json:"txs_waiting"`
		TxsInFlight     int    `json:"txs_in_flight"`
		Unbroadcast     int    `json:"unbroadcast"`
	}
)

func getStatus(c *call, _ arguments) (any, error) {
	s, err := ask(c, c.Ports.SyncStatus, netsync.GetStatus{})
	if err != nil {
		return nil, err
	}
	v, err := ask(c, c.Ports.ServerStatus, server.GetStatus{})
	if err != nil {
		return nil, err
	}
	r, err := ask(c, c.Ports.RelayStatus, relay.GetStatus{})
	if err != nil {
		return nil, err
	}
	return statusResult{
		syncStatus{
			s.Phase.String(), s.Tips.Block.Height, s.Tips.Header.Height, s.Target.Height, hashOrEmpty(s.Target.Hash),
			s.Peers, s.InFlight, s.Held, s.HeldBytes, s.Blocks, s.Bytes, float(s.BlockRate), float(s.HeaderRate), s.Stalls,
		},
		serverStatus{v.Inbound, v.Outbound, v.Handshaking, v.MaxPeers, v.Dialling, v.Known, v.Banned, v.Refused},
		relayStatus(r),
	}, nil
}
