package rpc

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/adapters/rpc/commands"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/netsync"
	"acyclic/peer"
	"acyclic/server"
)

// peerInfo is getpeerinfo's object, with the fields in Core's order. Fields that only
// the peer's cell knows are left out if it does not answer.
type peerInfo struct {
	ID              uint32            `json:"id"`
	Addr            string            `json:"addr"`
	AddrBind        string            `json:"addrbind,omitempty"`
	Network         string            `json:"network"`
	Services        string            `json:"services"`
	ServicesNames   []string          `json:"servicesnames"`
	RelayTxes       bool              `json:"relaytxes"`
	LastSend        int64             `json:"lastsend"`
	LastRecv        int64             `json:"lastrecv"`
	LastTransaction int64             `json:"last_transaction"`
	LastBlock       int64             `json:"last_block"`
	BytesSent       uint64            `json:"bytessent"`
	BytesRecv       uint64            `json:"bytesrecv"`
	ConnTime        int64             `json:"conntime"`
	TimeOffset      int64             `json:"timeoffset"`
	PingTime        *float            `json:"pingtime,omitempty"`
	MinPing         *float            `json:"minping,omitempty"`
	PingWait        *float            `json:"pingwait,omitempty"`
	Version         uint32            `json:"version"`
	SubVer          string            `json:"subver"`
	Inbound         bool              `json:"inbound"`
	HighBandTo      bool              `json:"bip152_hb_to"`
	HighBandFrom    bool              `json:"bip152_hb_from"`
	StartingHeight  int32             `json:"startingheight"`
	PresyncHeaders  int32             `json:"presynced_headers"`
	SyncedHeaders   int32             `json:"synced_headers"`
	SyncedBlocks    int32             `json:"synced_blocks"`
	InFlight        []int32           `json:"inflight"`
	AddrRelay       bool              `json:"addr_relay_enabled"`
	Permissions     []string          `json:"permissions"`
	MinFeeFilter    amount            `json:"minfeefilter"`
	SentPerMsg      map[string]uint64 `json:"bytessent_per_msg"`
	RecvPerMsg      map[string]uint64 `json:"bytesrecv_per_msg"`
	ConnectionType  string            `json:"connection_type"`
	Transport       string            `json:"transport_protocol_type"`
	SessionID       string            `json:"session_id"`
}

// peerID is a peer's id as a number in Core's range: the sequence number of its cell
// among the server's.
func peerID(id actor.ID) uint32 { return uint32(id) }

func getPeerInfo(c *call, _ arguments) (any, error) {
	slots, err := ask(c, c.Ports.Connections, server.GetPeers{})
	if err != nil {
		return nil, err
	}
	known, err := ask(c, c.Ports.SyncPeers, netsync.GetPeers{})
	if err != nil {
		return nil, err
	}
	sync := map[actor.ID]netsync.PeerStatus{}
	for _, p := range known.Peers {
		sync[p.Peer] = p
	}
	list := []peerInfo{}
	for _, slot := range slots.Peers {
		info, err := adapter.AskOf(c.ctx, c.asker, c.Ports.PeerInfo, peer.To(slot.Peer), peer.GetInfo{})
		if err == actor.ErrGone {
			continue // it ended meanwhile
		}
		if c.ctx.Err() != nil {
			return nil, noAnswer(peer.GetInfo{}, c.Ports.PeerInfo.Timeout, c.ctx.Err())
		}
		p := newPeerInfo(slot)
		if err == nil {
			p.addFigures(info)
		}
		if status, ok := sync[slot.Peer]; ok {
			p.addSync(status)
		}
		list = append(list, p)
	}
	return list, nil
}

// newPeerInfo says what the server knows of a connection.
func newPeerInfo(s server.Connection) peerInfo {
	return peerInfo{
		ID: peerID(s.Peer), Addr: s.Remote.String(), Network: networkOf(s.Remote.Addr()),
		Services: "0000000000000000", ServicesNames: []string{}, ConnTime: unix(s.Since), Inbound: s.Inbound,
		PresyncHeaders: -1, SyncedHeaders: -1, SyncedBlocks: -1,
		InFlight: []int32{}, Permissions: []string{},
		SentPerMsg: map[string]uint64{}, RecvPerMsg: map[string]uint64{},
		ConnectionType: connectionType(s.Inbound, s.Manual, false), Transport: "v1",
	}
}

// addFigures adds what the peer's cell knows.
func (p *peerInfo) addFigures(i peer.Info) {
	v := i.Version
	if i.Local.IsValid() {
		p.AddrBind = i.Local.String()
	}
	p.Services, p.ServicesNames = fmt.Sprintf("%016x", uint64(v.Services)), servicesNames(v.Services)
	p.RelayTxes = i.Ready && !v.NoTxs && !i.BlockRelayOnly
	p.LastSend, p.LastRecv, p.LastBlock = unix(i.LastSend), unix(i.LastRecv), unix(i.LastBlock)
	p.BytesSent, p.BytesRecv = i.BytesSent, i.BytesRecv
	p.ConnTime, p.TimeOffset = unix(i.Connected), int64(i.TimeOffset.Seconds())
	p.MinFeeFilter = amount(i.MinFee)
	if i.PingTime > 0 {
		last, least := seconds(i.PingTime), seconds(i.PingMin)
		p.PingTime, p.MinPing = &last, &least
	}
	if i.PingWait > 0 {
		wait := seconds(i.PingWait)
		p.PingWait = &wait
	}
	p.Version, p.SubVer, p.StartingHeight = v.Protocol, v.UserAgent, v.Height
	p.AddrRelay = i.Ready && !i.BlockRelayOnly
	if i.SentByCommand != nil {
		p.SentPerMsg = i.SentByCommand
	}
	if i.RecvByCommand != nil {
		p.RecvPerMsg = i.RecvByCommand
	}
	p.ConnectionType = connectionType(i.Inbound, i.Manual, i.BlockRelayOnly)
}

// addSync adds what netsync knows.
func (p *peerInfo) addSync(s netsync.PeerStatus) {
	p.SyncedHeaders, p.SyncedBlocks = s.SyncedHeaders, s.SyncedBlocks
	if s.InFlight != nil {
		p.InFlight = s.InFlight
	}
}

func connectionType(inbound, manual, blocksOnly bool) string {
	switch {
	case inbound:
		return "inbound"
	case manual:
		return "manual"
	case blocksOnly:
		return "block-relay-only"
	}
	return "outbound-full-relay"
}

// networkOf names the network of an address. Core has one name for all that cannot be
// routed.
func networkOf(a netip.Addr) string {
	a = a.Unmap()
	switch {
	case !a.IsGlobalUnicast() || a.IsPrivate():
		return "not_publicly_routable"
	case a.Is4():
		return "ipv4"
	}
	return "ipv6"
}

// serviceNames are Core's, by bit.
var serviceNames = map[int]string{
	0: "NETWORK", 2: "BLOOM", 3: "WITNESS", 6: "COMPACT_FILTERS", 10: "NETWORK_LIMITED", 11: "P2P_V2",
}

func servicesNames(s wire.ServiceFlag) []string {
	names := []string{}
	for bit := range 64 {
		if uint64(s)>>bit&1 == 0 {
			continue
		}
		name, ok := serviceNames[bit]
		if !ok {
			name = fmt.Sprintf("UNKNOWN[2^%d]", bit)
		}
		names = append(names, name)
	}
	return names
}

func getConnectionCount(c *call, _ arguments) (any, error) {
	slots, err := ask(c, c.Ports.Connections, server.GetPeers{})
	return len(slots.Peers), err
}

type (
	networkInfo struct {
		Version            int              `json:"version"`
		SubVersion         string           `json:"subversion"`
		ProtocolVersion    uint32           `json:"protocolversion"`
		LocalServices      string           `json:"localservices"`
		LocalServicesNames []string         `json:"localservicesnames"`
		LocalRelay         bool             `json:"localrelay"`
		TimeOffset         int64            `json:"timeoffset"`
		NetworkActive      bool             `json:"networkactive"`
		Connections        int              `json:"connections"`
		ConnectionsIn      int              `json:"connections_in"`
		ConnectionsOut     int              `json:"connections_out"`
		Networks           []networkSupport `json:"networks"`
		RelayFee           amount           `json:"relayfee"`
		IncrementalFee     amount           `json:"incrementalfee"`
		LocalAddresses     []string         `json:"localaddresses"`
		Warnings           []string         `json:"warnings"`
	}

	networkSupport struct {
		Name      string `json:"name"`
		Limited   bool   `json:"limited"`
		Reachable bool   `json:"reachable"`
		Proxy     string `json:"proxy"`
		Randomize bool   `json:"proxy_randomize_credentials"`
	}
)

// incrementalFee is what a replacement has to pay more, in satoshi per 1,000 virtual
// bytes: Core's -incrementalrelayfee.
const incrementalFee amount = 1000

func getNetworkInfo(c *call, _ arguments) (any, error) {
	slots, err := ask(c, c.Ports.Connections, server.GetPeers{})
	if err != nil {
		return nil, err
	}
	info := networkInfo{
		Version: c.Version, SubVersion: c.UserAgent, ProtocolVersion: c.Protocol,
		LocalServices: fmt.Sprintf("%016x", uint64(c.Services)), LocalServicesNames: servicesNames(c.Services),
		NetworkActive: true, Connections: len(slots.Peers),
		LocalRelay: !c.BlocksOnly, RelayFee: amount(c.MinRelayFee), IncrementalFee: incrementalFee, LocalAddresses: []string{}, Warnings: []string{},
	}
	for _, s := range slots.Peers {
		if s.Inbound {
			info.ConnectionsIn++
		} else {
			info.ConnectionsOut++
		}
	}
	for _, name := range []string{"ipv4", "ipv6", "onion", "i2p", "cjdns"} {
		ip := name == "ipv4" || name == "ipv6"
		info.Networks = append(info.Networks, networkSupport{Name: name, Limited: !ip, Reachable: ip})
	}
	return info, nil
}

func addNode(c *call, a arguments) (any, error) {
	command := a.text(1)
	if command != "add" && command != "remove" && command != "onetry" {
		return nil, fail(codeMisc, "%s", commands.Find("addnode").Help())
	}
	if a.flag(2, false) {
		return nil, fail(codeInvalidParameter, "Error: v2transport requested but this node does not support it")
	}
	return done(ask(c, c.Ports.AddNode, server.AddNode{Command: command, Addr: a.text(0)}))
}

func disconnectNode(c *call, a arguments) (any, error) {
	addr := a.text(0)
	q := server.DisconnectNode{Addr: addr}
	switch {
	case addr != "" && !a.has(1):
	case addr == "" && a.has(1):
		id, err := a.integer(1, 0, 0, math.MaxUint32)
		if err != nil {
			return nil, err
		}
		q.Peer = actor.Child(actor.ID(c.Targets.Server), uint32(id))
	default:
		return nil, fail(codeInvalidParams, "Only one of address and nodeid should be provided.")
	}
	return done(ask(c, c.Ports.Disconnect, q))
}

// doneCodes are Core's codes for the server's refusals. The others are codeMisc.
var doneCodes = map[server.DoneError]code{
	server.Unconnected: codeNotConnected, server.AlreadyAdded: codeAlreadyAdded,
	server.NotAdded: codeNotAdded, server.BadAddress: codeInvalidIP,
}

// done turns the server's answer into a result, null, or an error with Core's code.
func done(d server.Done, err error) (any, error) {
	if err == nil && d.Err != "" {
		err = fail(cmp.Or(doneCodes[d.Err], codeMisc), "%s", d.Err)
	}
	return nil, err
}
