package track

import (
	"encoding/binary"
	"math/bits"

	"github.com/btcsuite/btcd/chainhash/v2"
)

// sipHash is SipHash-2-4 of a hash and a number behind it. Who does not know the key
// cannot choose a transaction that gets a result of his liking.
func sipHash(key [2]uint64, h *chainhash.Hash, extra uint64) uint64 {
	s := sip{
		0x736f6d6570736575 ^ key[0], 0x646f72616e646f6d ^ key[1],
		0x6c7967656e657261 ^ key[0], 0x7465646279746573 ^ key[1],
	}
	for i := 0; i < len(h); i += 8 {
		s.word(binary.LittleEndian.Uint64(h[i:]))
	}
	s.word(extra)
	s.word(uint64(len(h)+8) << 56) // the last word has the length, modulo 256
	s[2] ^= 0xff
	for range 4 {
		s.round()
	}
	return s[0] ^ s[1] ^ s[2] ^ s[3]
}

// sip is SipHash's state.
type sip [4]uint64

func (s *sip) word(w uint64) {
	s[3] ^= w
	for range 2 {
		s.round()
	}
	s[0] ^= w
}

func (s *sip) round() {
	s[0] += s[1]
	s[1] = bits.RotateLeft64(s[1], 13) ^ s[0]
	s[0] = bits.RotateLeft64(s[0], 32)
	s[2] += s[3]
	s[3] = bits.RotateLeft64(s[3], 16) ^ s[2]
	s[0] += s[3]
	s[3] = bits.RotateLeft64(s[3], 21) ^ s[0]
	s[2] += s[1]
	s[1] = bits.RotateLeft64(s[1], 17) ^ s[2]
	s[2] = bits.RotateLeft64(s[2], 32)
}
