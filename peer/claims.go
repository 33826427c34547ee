package peer

import (
	"encoding/binary"
	"fmt"

	"github.com/btcsuite/btcd/wire/v2"
)

// A message says how many parts it has before they come. btcd's decoder makes room for all
// of them first: some 70 bytes that claim many witness items make it allocate more than 10 MB.
// So what a message claims is compared with the bytes that it has, before it is decoded.
// Nothing is allocated for that.

// claims walks through a payload. After the first false claim it stays where it is.
type claims struct {
	rest  []byte
	wrong string
}

// falseClaim says what a payload claims that cannot be true, or "". The decoder judges the
// rest.
func falseClaim(command string, payload []byte) string {
	c := claims{rest: payload}
	c.message(command)
	return c.wrong
}

// message walks through the messages that have counts.
func (c *claims) message(command string) {
	switch command {
	case wire.CmdVersion:
		c.version()
	case wire.CmdAddr:
		c.list(wire.MaxAddrPerMsg, 30)
	case wire.CmdAddrV2:
		c.addrsV2()
	case wire.CmdInv, wire.CmdGetData, wire.CmdNotFound:
		c.list(wire.MaxInvPerMsg, 36)
	case wire.CmdGetHeaders, wire.CmdGetBlocks:
		c.skip(4)   // protocol version
		c.count(32) // the cell looks at how long a locator is
	case wire.CmdHeaders:
		c.list(wire.MaxBlockHeadersPerMsg, 81)
	case wire.CmdTx:
		c.tx()
	case wire.CmdBlock:
		c.block()
	}
}

// take returns the next n bytes, or none if there are fewer.
func (c *claims) take(n int) []byte {
	if c.wrong == "" && n > len(c.rest) {
		c.wrong = fmt.Sprintf("it ends %d bytes too early", n-len(c.rest))
	}
	if c.wrong != "" {
		return nil
	}
	b := c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

func (c *claims) skip(n int) { c.take(n) }

// number reads a CompactSize.
func (c *claims) number() uint64 {
	var n [8]byte
	if c.wrong != "" || len(c.rest) == 0 || c.rest[0] < 0xfd {
		copy(n[:], c.take(1))
	} else {
		width := 2 << (c.rest[0] - 0xfd)
		c.skip(1)
		copy(n[:], c.take(width))
	}
	return binary.LittleEndian.Uint64(n[:])
}

// count reads how many parts follow, of so many bytes each at least.
func (c *claims) count(each int) int {
	n := c.number()
	if c.wrong == "" && n > uint64(len(c.rest)/each) {
		c.wrong = fmt.Sprintf("it claims %d parts of %d bytes or more, and has %d bytes", n, each, len(c.rest))
	}
	if c.wrong != "" {
		return 0
	}
	return int(n)
}

// list reads parts of a fixed size, which may be so many.
func (c *claims) list(most, each int) {
	n := c.count(each)
	if n > most {
		c.wrong = fmt.Sprintf("it has %d entries, at most %d are allowed", n, most)
	}
	c.skip(n * each)
}

// text reads bytes behind their number.
func (c *claims) text() { c.skip(c.count(1)) }

// version reads a version message. Those of before 2010 end sooner.
func (c *claims) version() {
	if len(c.rest) > 80 {
		c.skip(80)
		c.text() // user agent (BIP14)
	}
}

// addrsV2 reads an addrv2 message (BIP155).
func (c *claims) addrsV2() {
	n := c.count(9)
	if n > wire.MaxV2AddrPerMsg {
		c.wrong = fmt.Sprintf("it has %d entries, at most %d are allowed", n, wire.MaxV2AddrPerMsg)
	}
	for range n {
		c.skip(4) // time
		c.number()
		c.skip(1) // network
		c.text()
		c.skip(2) // port
	}
}

func (c *claims) block() {
	c.skip(wire.MaxBlockHeaderPayload)
	for range c.count(10) {
		c.tx()
	}
}

// tx reads a transaction (BIP144).
func (c *claims) tx() {
	c.skip(4) // version
	ins := c.count(41)
	witness := ins == 0 && len(c.rest) > 0 && c.rest[0] != 0
	if witness {
		c.skip(1) // flag
		ins = c.count(41)
	}
	for range ins {
		c.skip(36)
		c.text()
		c.skip(4)
	}
	for range c.count(9) {
		c.skip(8)
		c.text()
	}
	for range ins {
		if witness {
			for range c.count(1) {
				c.text()
			}
		}
	}
	c.skip(4) // lock time
}
