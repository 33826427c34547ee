package rpc

import (
	"bytes"
	"encoding/json"
)

// request is one JSON-RPC call as it came.
type request struct {
	v2     bool
	id     json.RawMessage // nil: there was none
	method string
	args   []json.RawMessage          // by position
	named  map[string]json.RawMessage // by name; nil when by position
}

// notification: JSON-RPC 2.0 wants no reply to a request without id.
func (r *request) notification() bool { return r.v2 && r.id == nil }

// parseBody splits a request's body: one call, or the calls of a batch, which
// are not yet looked at.
func parseBody(body []byte) (single json.RawMessage, batch []json.RawMessage, err error) {
	body = bytes.TrimSpace(body)
	if !json.Valid(body) {
		return nil, nil, fail(codeParse, "Parse error")
	}
	switch body[0] {
	case '{':
		return body, nil, nil
	case '[':
		batch = []json.RawMessage{}
		if err := json.Unmarshal(body, &batch); err != nil {
			return nil, nil, fail(codeParse, "Parse error")
		}
		return nil, batch, nil
	}
	return nil, nil, fail(codeParse, "Top-level object parse error")
}

// parseRequest reads one call. Also when it fails the request holds the id and
// version, as far as they could be read, for the reply.
func parseRequest(raw json.RawMessage) (*request, error) {
	r := new(request)
	var fields map[string]json.RawMessage
	if kind(raw) != object || json.Unmarshal(raw, &fields) != nil {
		return r, fail(codeInvalidRequest, "Invalid Request object")
	}
	if id, ok := fields["id"]; ok {
		r.id = id
	}
	if err := r.parseVersion(fields["jsonrpc"]); err != nil {
		return r, err
	}
	method, ok := fields["method"]
	if !ok || kind(method) == nothing {
		return r, fail(codeInvalidRequest, "Missing method")
	}
	if kind(method) != text || json.Unmarshal(method, &r.method) != nil {
		return r, fail(codeInvalidRequest, "Method must be a string")
	}
	return r, r.parseParams(fields["params"])
}

// parseVersion: "1.0", "1.1" and none at all are the legacy protocol.
func (r *request) parseVersion(v json.RawMessage) error {
	if kind(v) == nothing {
		return nil
	}
	var version string
	if kind(v) != text || json.Unmarshal(v, &version) != nil {
		return fail(codeInvalidRequest, "jsonrpc field must be a string")
	}
	switch version {
	case "1.0", "1.1":
	case "2.0":
		r.v2 = true
	default:
		return fail(codeInvalidRequest, "JSON-RPC version not supported")
	}
	return nil
}

func (r *request) parseParams(v json.RawMessage) error {
	var err error
	switch kind(v) {
	case nothing:
	case array:
		err = json.Unmarshal(v, &r.args)
	case object:
		err = json.Unmarshal(v, &r.named)
	default:
		return fail(codeInvalidRequest, "Params must be an array or object")
	}
	if err != nil {
		return fail(codeInvalidRequest, "Params must be an array or object")
	}
	return nil
}

// jsonKind is a type of JSON value, named as Core names it in errors.
type jsonKind string

// The kinds.
const (
	nothing jsonKind = "null"
	boolean jsonKind = "bool"
	numeric jsonKind = "number"
	text    jsonKind = "string"
	array   jsonKind = "array"
	object  jsonKind = "object"
)

// kind tells the type of a valid JSON value; a missing one is null.
func kind(v json.RawMessage) jsonKind {
	v = bytes.TrimLeft(v, " \t\r\n")
	if len(v) == 0 {
		return nothing
	}
	switch v[0] {
	case '{':
		return object
	case '[':
		return array
	case '"':
		return text
	case 't', 'f':
		return boolean
	case 'n':
		return nothing
	}
	return numeric
}
