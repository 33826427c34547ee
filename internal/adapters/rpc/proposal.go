package rpc

import (
	"bytes"
	"encoding/hex"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// propose says what would become of a block if it were solved (BIP23): null, or why it would
// be rejected.
func propose(c *call, data string) (any, error) {
	block, err := decodeBlock(data)
	if err != nil {
		return nil, err
	}
	q := submission(block)
	q.Test = true
	v, err := ask(c, c.Ports.Submit, q)
	switch {
	case err != nil:
		return nil, err
	case v.Code == chain.OK:
		return nil, nil
	case v.Code == chain.Fatal:
		return nil, fail(codeVerify, "%s", reason(v))
	}
	return reason(v), nil
}

// decodeBlock reads a block in hex.
func decodeBlock(data string) (*wire.MsgBlock, error) {
	raw, err := hex.DecodeString(data)
	r := bytes.NewReader(raw)
	var block wire.MsgBlock
	if err != nil || block.Deserialize(r) != nil || r.Len() > 0 {
		return nil, fail(codeDeserialization, "Block decode failed")
	}
	return &block, nil
}
