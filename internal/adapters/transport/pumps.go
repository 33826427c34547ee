package transport

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

const (
	// chunk is the most that is written under one write deadline and read
	// into a buffer at once, in bytes.
	chunk = 64 << 10

	// readAhead is how many bytes may be read of the socket before there is
	// credit for them. It saves a system call for each small message.
	readAhead = 16 << 10

	// small is the largest payload in bytes that is decoded without waiting for a
	// turn.
	small = 16 << 10
)

// errAbandoned ends a read whose owner is gone.
var errAbandoned = errors.New("the owner is gone")

// readPump reads messages and hands them to the owner one by one.
func (c *conn) readPump() {
	defer c.pumpEnded()
	if c.readMessages() {
		return
	}
	if c.ended() {
		c.discard()
		return
	}
	c.end(false) // the owner is gone and will not say Close
}

// readMessages returns true if the stream has ended and the owner has been told. It
// returns false if there is no owner to tell.
func (c *conn) readMessages() bool {
	r := bufio.NewReaderSize(probing{c}, readAhead)
	var buf []byte // the last payload's, if it was not big
	for {
		//correctness: waits until the owner has handled some of what it
		//has. The owner never waits for this pump, and the end of either
		//ends the wait. Here a flood stops (law L5).
		if !c.e.cells.AwaitCredit(c.owner, c.stop) {
			return false
		}
		msg, fault, err := c.readMessage(r, &buf)
		if err != nil {
			return !c.ended() && !errors.Is(err, errAbandoned) && c.deliverEOF(err, fault)
		}
		if c.ended() || !c.e.cells.Deliver(c.e.self, c.owner, actor.Inbound, msg, msg.Memory) {
			return false
		}
	}
}

// readMessage reads one message. An error ends the stream. fault says that the
// remote broke the framing.
//
// correctness: waits for the remote, holding nothing. The end of the connection
// ends the wait, and probing looks whether there is still an owner.
func (c *conn) readMessage(r *bufio.Reader, buf *[]byte) (msg peer.Received, fault bool, err error) {
	head, err := r.Peek(headerSize)
	if err != nil {
		if len(head) > 0 {
			err = midMessage(err)
		}
		return msg, false, err
	}
	h := parseHeader(head)
	r.Discard(headerSize)
	if why := h.fault(c.e.cfg.Magic); why != "" {
		return msg, true, errors.New(why)
	}
	size := int(h.length)
	msg = peer.Received{Conn: c.id, Command: h.command, Bytes: size, Memory: size}
	if msg.Bad = c.e.skip(h.command, c.shaken); msg.Bad != "" {
		_, err = io.CopyN(io.Discard, r, int64(size))
		return msg, false, midMessage(err)
	}
	payload, err := readGrowing(r, (*buf)[:0], size)
	if err != nil {
		return msg, false, midMessage(err)
	}
	c.decode(&msg, h, payload)
	c.shaken = c.shaken || msg.Msg != nil && h.command == wire.CmdVerAck
	msg.Memory = footprint(msg.Msg, size)
	if cap(payload) <= chunk { // an idle connection keeps no big one
		*buf = payload
	}
	return msg, false, nil
}

// decode fills in Msg, or Bad. What is large waits for its turn, so that a few large
// messages cannot take all processors. What is small does not wait for what is large.
func (c *conn) decode(msg *peer.Received, h header, payload []byte) {
	if len(payload) > small {
		//correctness: waits for other decoders only, which compute and wait for
		//nothing, see Config.Decoders.
		c.e.decoder <- struct{}{}
		defer func() { <-c.e.decoder }() //correctness: takes out what was put in above, and so waits for nobody.
	}
	if checksum(payload) != h.checksum {
		msg.Bad = "wrong checksum" // as in Bitcoin Core it ends nothing
		return
	}
	var err error
	if msg.Msg, err = c.tryDecode(h.command, payload); err != nil {
		msg.Msg, msg.Bad, msg.Fault = nil, err.Error(), true
	}
}

// tryDecode decodes a payload. A panic of the decoder is an error: the node must not die
// of it.
func (c *conn) tryDecode(command string, payload []byte) (msg wire.Message, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the decoder panicked: %v", r)
			c.e.cfg.Log(actor.Record{Level: actor.Error, Msg: "the decoder panicked",
				Fields: []any{"command", command, "remote", c.remote, "panic", r}})
		}
	}()
	return c.e.decode(command, payload)
}

// readGrowing appends n bytes of r to buf. Memory grows with the bytes that have
// arrived. A header may claim more.
//
// correctness: as readMessage, which calls it.
func readGrowing(r io.Reader, buf []byte, n int) ([]byte, error) {
	for n > 0 {
		k, have := min(n, chunk), len(buf)
		buf = slices.Grow(buf, k)[:have+k]
		if _, err := io.ReadFull(r, buf[have:]); err != nil {
			return nil, err
		}
		n -= k
	}
	return buf, nil
}

// midMessage is err after the beginning of a message, where the stream may not end.
func midMessage(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// deliverEOF tells the owner that the stream has ended. The owner is to say Close
// within ClaimTimeout. EOF uses the credit of the message that did not come.
func (c *conn) deliverEOF(err error, fault bool) bool {
	reason := brief(err)
	switch err {
	case io.EOF:
		reason = "closed by the other side"
	case io.ErrUnexpectedEOF:
		reason = "closed by the other side in the middle of a message"
	}
	c.arm()
	return c.e.cells.Deliver(c.e.self, c.owner, actor.Inbound, peer.EOF{Conn: c.id, Reason: reason, Fault: fault}, 0)
}

// discard reads on while the rest is being written. Closing a socket that has
// unread bytes would reset the connection and destroy what is on its way.
func (c *conn) discard() {
	//correctness: end has set the socket's deadline: the drain's, or one that
	//has passed.
	io.Copy(io.Discard, c.nc)
}

// probing reads the socket, and checks now and then that the owner still lives. A
// silent remote must not keep the connection of a cell that crashed.
type probing struct{ c *conn }

func (p probing) Read(b []byte) (int, error) {
	c := p.c
	for {
		c.within(c.e.cfg.ProbeInterval, c.nc.SetReadDeadline)
		//correctness: waits for the network for at most ProbeInterval,
		//holding nothing. The deadline that end sets is never moved.
		n, err := c.nc.Read(b)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) || c.ended() {
			return n, err
		}
		//correctness: returns at once: there was credit before this read,
		//and nothing else uses it.
		if !c.e.cells.AwaitCredit(c.owner, c.stop) {
			return 0, errAbandoned
		}
	}
}

// writePump writes what is queued, chunk by chunk.
func (c *conn) writePump() {
	defer c.pumpEnded()
	done := peer.Flushed{Conn: c.id}
	for {
		msgs, last := c.take()
		switch {
		case last:
			c.finishWriting()
			return
		case len(msgs) == 0:
			//correctness: waits for the owner to write or end. The
			//read pump's probe or the reaper ends the connection of a
			//cell that is gone. Holds nothing.
			select {
			case <-c.wake:
			case <-c.stop:
			}
			continue
		}
		out := frames(c.e.cfg.Magic, msgs)
		clear(msgs) // the queue's array may live on
		if !c.writeFrames(out, &done) {
			return
		}
	}
}

// writeFrames writes frames and tells the owner of each chunk. It returns false
// when nothing can be written any more.
func (c *conn) writeFrames(out []frame, done *peer.Flushed) bool {
	for len(out) > 0 {
		var pieces net.Buffers
		pieces, out = cut(out, done)
		if err := c.writeChunk(pieces); err != nil {
			c.broke(err)
			return false
		}
		if !c.ended() && !c.e.cells.Deliver(c.e.self, c.owner, actor.Events, *done, 0) {
			c.end(false) // the owner is gone
			return false
		}
	}
	return true
}

func (c *conn) writeChunk(pieces net.Buffers) error {
	c.within(c.e.cfg.WriteTimeout, c.nc.SetWriteDeadline)
	//correctness: waits for the network for at most WriteTimeout, or for what
	//is left of DrainTimeout, holding nothing. A remote that does not read is
	//ended here (law L5).
	_, err := pieces.WriteTo(c.nc)
	return err
}

// finishWriting says goodbye after a drain: the remote reads to the end and closes,
// and that ends the read pump.
func (c *conn) finishWriting() {
	if t, ok := c.nc.(*net.TCPConn); ok && c.in() == draining {
		t.CloseWrite()
	}
}

// broke ends writing. Reading goes on until the owner says Close: what the remote has
// sent is still wanted.
func (c *conn) broke(err error) {
	if c.ended() {
		c.end(false)
		return
	}
	reason := brief(err)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		reason = fmt.Sprintf("does not read: took less than %d bytes in %v", chunk, c.e.cfg.WriteTimeout)
	}
	c.breakOff()
	c.arm()
	if !c.e.cells.Deliver(c.e.self, c.owner, actor.Control, peer.Broken{Conn: c.id, Reason: reason}, 0) {
		c.end(false)
	}
}
