package rpc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
)

// code is an error code of Bitcoin Core's (src/rpc/protocol.h).
type code int

// The codes that this node uses.
const (
	codeParse          code = -32700
	codeInvalidRequest code = -32600
	codeMethodNotFound code = -32601
	codeInvalidParams  code = -32602
	codeInternal       code = -32603

	codeMisc             code = -1 // everything else; wrong usage
	codeType             code = -3 // an argument of the wrong type
	codeNotFound         code = -5 // invalid address or key: no such block, no such address
	codeInvalidParameter code = -8 // an argument out of range
	codeNotRunning       code = -9 // there are no peers, or the node is stopping
	codeInitialSync      code = -10
	codeDeserialization  code = -22 // hex that is no block and no transaction
	codeAlreadyAdded     code = -23
	codeNotAdded         code = -24
	codeVerify           code = -25
	codeRejected         code = -26
	codeAlreadyInChain   code = -27
	codeWarmup           code = -28
	codeNotConnected     code = -29
	codeInvalidIP        code = -30
)

// rpcError is an error as it goes to the client.
type rpcError struct {
	Code    code   `json:"code"`
	Message string `json:"message"`
}

func (e *rpcError) Error() string { return e.Message }

func fail(c code, format string, args ...any) *rpcError {
	return &rpcError{c, fmt.Sprintf(format, args...)}
}

// asRPCError makes an rpcError of any error.
func asRPCError(err error) *rpcError {
	if e, ok := err.(*rpcError); ok {
		return e
	}
	return fail(codeInternal, "%v", err)
}

// status is the HTTP status that Core gives an error of a single JSON-RPC 1.0
// request. JSON-RPC 2.0 errors and batches go with 200.
func (c code) status() int {
	switch c {
	case codeInvalidRequest:
		return http.StatusBadRequest
	case codeMethodNotFound:
		return http.StatusNotFound
	}
	return http.StatusInternalServerError
}

// The two shapes of a reply.
type (
	legacyReply struct {
		Result any             `json:"result"`
		Error  *rpcError       `json:"error"`
		ID     json.RawMessage `json:"id"`
	}
	reply2 struct {
		Version string          `json:"jsonrpc"`
		Result  any             `json:"result"`
		ID      json.RawMessage `json:"id"`
	}
	errorReply2 struct {
		Version string          `json:"jsonrpc"`
		Error   *rpcError       `json:"error"`
		ID      json.RawMessage `json:"id"`
	}
)

var null = json.RawMessage("null")

// reply makes the reply to a request of a version.
func reply(v2 bool, id json.RawMessage, result any, err error) any {
	if id == nil {
		id = null
	}
	switch {
	case !v2 && err != nil:
		return legacyReply{Error: asRPCError(err), ID: id}
	case !v2:
		return legacyReply{Result: result, ID: id}
	case err != nil:
		return errorReply2{"2.0", asRPCError(err), id}
	}
	return reply2{"2.0", result, id}
}

// marshal writes JSON as Core does: no HTML escapes, a newline at the end.
func marshal(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("rpc: %T cannot be JSON: %v", v, err))
	}
	return b.Bytes()
}
