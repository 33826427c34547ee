package rpc

import (
	"bytes"
	"encoding/json"
	"errors"

	"acyclic/internal/adapters/rpc/commands"
)

// request is one JSON-RPC call as it came.
type request struct {
	v2     bool
	id     json.RawMessage // nil: there was none
	method string
	args   []json.RawMessage          // by position
	named  map[string]json.RawMessage // by name; nil when by position
}

// notification says that JSON-RPC 2.0 wants no reply: the request has no id.
func (r *request) notification() bool { return r.v2 && r.id == nil }

// maxMembers bounds the fields of a request, and the arguments of a call. No command
// takes more than three. Each costs a hundred bytes of memory for one or two bytes
// of the request.
const maxMembers = 100

// parseBody splits a request's body: one call, or the calls of a batch, at most most
// of them. It does not look into the calls.
func parseBody(body []byte, most int) (single json.RawMessage, batch []json.RawMessage, err error) {
	body = bytes.TrimSpace(body)
	if !json.Valid(body) {
		return nil, nil, fail(codeParse, "Parse error")
	}
	switch body[0] {
	case '{':
		return body, nil, nil
	case '[':
		batch, ok := elements(body, most)
		if !ok {
			return nil, nil, fail(codeInvalidRequest, "A batch of more than %d requests", most)
		}
		return nil, batch, nil
	}
	return nil, nil, fail(codeParse, "Top-level object parse error")
}

// elements splits a valid array. ok is false if it has more than most elements.
func elements(v json.RawMessage, most int) (list []json.RawMessage, ok bool) {
	list = []json.RawMessage{}
	err := members(v, func(d *json.Decoder) error {
		var e json.RawMessage
		if len(list) == most {
			return errTooMany
		}
		err := d.Decode(&e)
		list = append(list, e)
		return err
	})
	return list, err == nil
}

// fields splits a valid object. ok is false if it has more than maxMembers fields.
func fields(v json.RawMessage) (all map[string]json.RawMessage, ok bool) {
	all = map[string]json.RawMessage{}
	err := members(v, func(d *json.Decoder) error {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var e json.RawMessage
		if len(all) == maxMembers {
			return errTooMany
		}
		err = d.Decode(&e)
		all[name.(string)] = e
		return err
	})
	return all, err == nil
}

var errTooMany = errors.New("too many")

// members lets each read the members of a valid array or object one by one: there may
// be millions of them.
func members(v json.RawMessage, each func(*json.Decoder) error) error {
	d := json.NewDecoder(bytes.NewReader(v))
	_, err := d.Token() // the bracket
	for err == nil && d.More() {
		err = each(d)
	}
	return err
}

// parseRequest reads one call. If it fails, the request still holds the id and the
// version that could be read, for the reply.
func parseRequest(raw json.RawMessage) (*request, error) {
	r := new(request)
	if kind(raw) != object {
		return r, fail(codeInvalidRequest, "Invalid Request object")
	}
	f, ok := fields(raw)
	if !ok {
		return r, fail(codeInvalidRequest, "A request of more than %d fields", maxMembers)
	}
	r.id = f["id"]
	if err := r.parseVersion(f["jsonrpc"]); err != nil {
		return r, err
	}
	method, ok := f["method"]
	if !ok || kind(method) == nothing {
		return r, fail(codeInvalidRequest, "Missing method")
	}
	if kind(method) != text || json.Unmarshal(method, &r.method) != nil {
		return r, fail(codeInvalidRequest, "Method must be a string")
	}
	return r, r.parseParams(f["params"])
}

// parseVersion reads the protocol's version. "1.0", "1.1" and none mean the legacy
// protocol.
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
	ok := true
	switch kind(v) {
	case nothing:
	case array:
		r.args, ok = elements(v, maxMembers)
	case object:
		r.named, ok = fields(v)
	default:
		return fail(codeInvalidRequest, "Params must be an array or object")
	}
	if !ok {
		return fail(codeInvalidRequest, "More than %d params", maxMembers)
	}
	return nil
}

// The kinds of JSON values: those of parameters, and the others.
const (
	boolean = commands.Boolean
	numeric = commands.Numeric
	text    = commands.Text
	array   = commands.Array
	object  = commands.Object

	nothing commands.Kind = "null"
)

// kind tells the type of a valid JSON value. A missing value is null.
func kind(v json.RawMessage) commands.Kind {
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
