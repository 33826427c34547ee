package script

import (
	"errors"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/p2p"
)

var errLeave = errors.New("left as told")

// handle does what a message asks for. It queues the answers. An error ends the
// connection.
func (c *conn) handle(command string, payload []byte) error {
	b := &c.p.cfg.Behaviour
	switch command {
	case wire.CmdVersion:
		return c.onVersion()
	case wire.CmdVerAck:
		return c.onVerAck()
	}
	if !c.ready.Load() {
		return nil // feature negotiation before verack is ignored
	}
	if c.received++; c.received == b.Leave {
		return errLeave
	}
	if b.Silent {
		return nil
	}

	switch command {
	case wire.CmdPing:
		ping, err := p2p.Decode(payload, &wire.MsgPing{})
		if err == nil {
			c.send(wire.NewMsgPong(ping.Nonce))
		}
		return err
	case wire.CmdSendHeaders:
		c.sendHeaders.Store(true)
	case wire.CmdGetHeaders:
		msg, err := p2p.Decode(payload, &wire.MsgGetHeaders{})
		if err == nil {
			c.onGetHeaders(msg)
		}
		return err
	case wire.CmdGetBlocks:
		msg, err := p2p.Decode(payload, &wire.MsgGetBlocks{})
		if err == nil {
			c.onGetBlocks(msg)
		}
		return err
	case wire.CmdGetData:
		msg, err := p2p.Decode(payload, &wire.MsgGetData{})
		if err == nil {
			c.onGetData(msg)
		}
		return err
	}
	return nil
}

func (c *conn) onVersion() error {
	if c.inbound {
		c.send(c.version())
	}
	c.send(wire.NewMsgVerAck())
	return nil
}

func (c *conn) onVerAck() error {
	if c.ready.Swap(true) {
		return errors.New("a second verack")
	}
	c.p.note(func(s *Stats) { s.Ready++ })
	b := &c.p.cfg.Behaviour
	if b.SendHeaders {
		c.send(wire.NewMsgSendHeaders())
	}
	c.ask(b.Ask)
	return nil
}

// ask asks for n blocks in as few messages as the protocol allows.
func (c *conn) ask(n int) {
	chain := c.p.current()
	for height := int32(0); n > 0; {
		size := min(n, wire.MaxInvPerMsg)
		msg := wire.NewMsgGetDataSizeHint(uint(size))
		for range size {
			height = height%chain.Height() + 1
			msg.AddInvVect(wire.NewInvVect(wire.InvTypeWitnessBlock, &chain.hashes[height]))
		}
		if !c.send(msg) {
			return
		}
		n -= size
	}
}

func (c *conn) onGetHeaders(msg *wire.MsgGetHeaders) {
	b := &c.p.cfg.Behaviour
	chain := c.p.current()
	from, to := chain.after(msg.BlockLocatorHashes, msg.HashStop, wire.MaxBlockHeadersPerMsg)
	switch {
	case b.EmptyHeaders:
		from = to
	case b.Unconnecting && from < to:
		from++
	}
	c.send(&wire.MsgHeaders{Headers: chain.headers[from:to]})
	c.p.note(func(s *Stats) { s.Headers += int(to - from) })
}

func (c *conn) onGetBlocks(msg *wire.MsgGetBlocks) {
	chain := c.p.current()
	from, to := chain.after(msg.BlockLocatorHashes, msg.HashStop, wire.MaxBlocksPerMsg)
	if from < to {
		c.send(inv(chain.hashes[from:to]))
	}
	if to-from == wire.MaxBlocksPerMsg {
		c.last = chain.hashes[to-1]
	}
}

// encodings are how a block is sent, by how it was asked for.
var encodings = map[wire.InvType]wire.MessageEncoding{
	wire.InvTypeBlock: wire.BaseEncoding, wire.InvTypeWitnessBlock: wire.WitnessEncoding,
}

func (c *conn) onGetData(msg *wire.MsgGetData) {
	b := &c.p.cfg.Behaviour
	chain := c.p.current()
	missing := wire.NewMsgNotFound()
	for _, item := range msg.InvList {
		encoding, isBlock := encodings[item.Type]
		if !isBlock || b.NotFound {
			missing.AddInvVect(item)
			continue
		}
		block := chain.block(item.Hash)
		if other, ok := b.Replace[item.Hash]; ok {
			block = other
		}
		if block == nil {
			missing.AddInvVect(item)
		} else if !c.sendAs(block, encoding) {
			return
		}
		if block != nil && item.Hash == c.last {
			// There are more blocks. The inv of the tip makes the other side ask again,
			// as Core and btcd do it.
			c.last = chainhash.Hash{}
			c.send(inv([]chainhash.Hash{chain.Tip()}))
		}
	}
	if len(missing.InvList) > 0 {
		c.send(missing)
	}
}
