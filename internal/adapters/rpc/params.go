package rpc

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/internal/adapters/rpc/commands"
)

// arguments are the arguments of one call, in the order of the command's
// parameters. Their number and types have been checked. One that was left out is
// null.
type arguments []json.RawMessage

// bind puts the request's arguments in order and checks them. help is the command's
// usage, which Core sends if the number is wrong.
func bind(r *request, params []commands.Param, help string) (arguments, error) {
	args := make(arguments, len(params))
	if r.named != nil {
		if err := bindNamed(r, params, args); err != nil {
			return nil, err
		}
	} else {
		if len(r.args) > len(params) {
			return nil, fail(codeMisc, "%s", help)
		}
		copy(args, r.args)
	}
	var wrong []string
	for i, p := range params {
		k := kind(args[i])
		switch {
		case k == nothing && p.Optional, k == p.Kind, k == p.Also:
		case k == nothing:
			return nil, fail(codeMisc, "%s", help)
		default:
			wrong = append(wrong, fmt.Sprintf(`    "Position %d (%s)": "JSON value of type %s is not of expected type %s"`, i+1, p.Name, k, p.Kind))
		}
	}
	if wrong != nil {
		return nil, fail(codeType, "Wrong type passed:\n{\n%s\n}", strings.Join(wrong, ",\n"))
	}
	return args, nil
}

// bindNamed finds the position of each named argument. As in Core, "args" may hold
// the first ones by position.
func bindNamed(r *request, params []commands.Param, args arguments) error {
	known := map[string]bool{"args": true}
	if first, ok := r.named["args"]; ok {
		if kind(first) != array {
			first = nil
		}
		positional, ok := elements(first, len(params))
		if !ok {
			return fail(codeInvalidParameter, "Parameter args must be an array of at most %d", len(params))
		}
		copy(args, positional)
	}
	for i, p := range params {
		known[p.Name] = true
		v, ok := r.named[p.Name]
		if !ok {
			continue
		}
		if args[i] != nil {
			return fail(codeInvalidParameter, "Parameter %s specified twice both as positional and named argument", p.Name)
		}
		args[i] = v
	}
	unknown := "" // the first by name, so that the answer is always the same
	for name := range r.named {
		if !known[name] && (unknown == "" || name < unknown) {
			unknown = name
		}
	}
	if unknown != "" {
		return fail(codeInvalidParameter, "Unknown named parameter %s", unknown)
	}
	return nil
}

// has says whether an optional argument was given.
func (a arguments) has(i int) bool { return kind(a[i]) != nothing }

func (a arguments) text(i int) string {
	var s string
	_ = json.Unmarshal(a[i], &s) // bind has seen that it is a string
	return s
}

func (a arguments) flag(i int, standard bool) bool {
	if a.has(i) {
		_ = json.Unmarshal(a[i], &standard)
	}
	return standard
}

// integer reads a number between low and high.
func (a arguments) integer(i int, standard, low, high int64) (int64, error) {
	if !a.has(i) {
		return standard, nil
	}
	n, err := strconv.ParseInt(string(a[i]), 10, 64)
	if err != nil || n < low || n > high {
		return 0, fail(codeMisc, "JSON integer out of range")
	}
	return n, nil
}

func (a arguments) hash(i int, name string) (chainhash.Hash, error) {
	return parseHash(a.text(i), name)
}

// parseHash reads a hash. Its errors are Core's.
func parseHash(s, name string) (chainhash.Hash, error) {
	if len(s) != chainhash.MaxHashStringSize {
		return chainhash.Hash{}, fail(codeInvalidParameter, "%s must be of length %d (not %d, for '%s')", name, chainhash.MaxHashStringSize, len(s), s)
	}
	h, err := chainhash.NewHashFromStr(s)
	if err != nil {
		return chainhash.Hash{}, fail(codeInvalidParameter, "%s must be hexadecimal string (not '%s')", name, s)
	}
	return *h, nil
}

// isZero says whether a number is 0, however it is written.
func isZero(v json.RawMessage) bool {
	var n float64
	return json.Unmarshal(v, &n) == nil && n == 0
}

// wrongKind says in Core's words that an element of an array is of the wrong kind.
func wrongKind(v json.RawMessage, want commands.Kind) error {
	if k := kind(v); k != want {
		return fail(codeType, "JSON value of type %s is not of expected type %s", k, want)
	}
	return nil
}

// field is a field that an object in an argument must have.
type field struct {
	name string
	kind commands.Kind
}

// wrongField says in Core's words what is wrong with an object's fields: each that is
// wanted must be there, and no other.
func wrongField(f map[string]json.RawMessage, wanted []field) error {
	for _, w := range wanted {
		switch k := kind(f[w.name]); k {
		case w.kind:
		case nothing:
			return fail(codeType, "Missing %s", w.name)
		default:
			return fail(codeType, "JSON value of type %s for field %s is not of expected type %s", k, w.name, w.kind)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if !slices.ContainsFunc(wanted, func(w field) bool { return w.name == name }) {
			return fail(codeType, "Unexpected key %s", name)
		}
	}
	return nil
}
