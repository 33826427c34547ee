package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"acyclic/internal/adapters/rpc/commands"
)

// run is main without its process: it returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	complain := func(err error) int {
		fmt.Fprintf(stderr, "acyclicctl: %v\n", err)
		return 1
	}
	opts, command, print, err := parse(args)
	if err != nil {
		return complain(err)
	}
	if print != "" {
		io.WriteString(stdout, strings.TrimRight(print, "\n")+"\n")
		return 0
	}
	if opts.Stdin {
		more, err := readLines(stdin)
		if err != nil {
			return complain(err)
		}
		command = append(command, more...)
	}
	params, err := encode(command[0], command[1:], opts.Named)
	if err != nil {
		return complain(err)
	}
	to, err := opts.target()
	if err != nil {
		return complain(err)
	}
	result, failure, err := ask(to, command[0], params, opts.timeout())
	if err != nil {
		return complain(err)
	}
	if failure != nil {
		fmt.Fprintf(stderr, "acyclicctl: %s: error %d: %s\n", command[0], failure.Code, oneLine(failure.Message))
		return max(failure.Code, -failure.Code) & 0xff
	}
	io.WriteString(stdout, show(result))
	return 0
}

// oneLine keeps a complaint on one line. The node's usage texts have several.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
}

// encode makes JSON of a command's arguments. A string need not be quoted. Any other
// argument must be JSON.
func encode(method string, args []string, named bool) (any, error) {
	if named {
		return encodeNamed(method, args)
	}
	params := []any{}
	for i, a := range args {
		p, err := value(method, i, a)
		if err != nil {
			return nil, fmt.Errorf("argument %d of %s: %w", i+1, method, err)
		}
		params = append(params, p)
	}
	return params, nil
}

func encodeNamed(method string, args []string) (any, error) {
	params := map[string]any{}
	for _, a := range args {
		name, text, ok := strings.Cut(a, "=")
		if !ok {
			return nil, fmt.Errorf("%q: want name=value", a)
		}
		p, err := value(method, commands.ParamIndex(method, name), text)
		if err != nil {
			return nil, fmt.Errorf("argument %s of %s: %w", name, method, err)
		}
		params[name] = p
	}
	return params, nil
}

// value makes JSON of one argument.
func value(method string, i int, text string) (any, error) {
	if commands.IsText(method, i) {
		return text, nil
	}
	if !json.Valid([]byte(text)) {
		return nil, fmt.Errorf("%q is not JSON; want a number, true or false", text)
	}
	return json.RawMessage(text), nil
}

// failed is the node's error.
type failed struct {
	Code    int
	Message string
}

// maxReply bounds what is read of a reply: the largest block, as an object.
const maxReply = 256 << 20

// ask asks the node. A timeout of zero waits for ever.
func ask(to target, method string, params any, timeout time.Duration) (json.RawMessage, *failed, error) {
	body, err := json.Marshal(map[string]any{"method": method, "params": params, "id": 1})
	if err != nil {
		return nil, nil, err
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+to.addr+"/", bytes.NewReader(body))
	if err != nil {
		return nil, nil, fmt.Errorf("%s is no address of a node: want host or host:port", to.addr)
	}
	req.SetBasicAuth(to.user, to.pass)
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	client := http.Client{Timeout: timeout, Transport: &http.Transport{}} // no proxy: the password is for the node
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, unreachable(to, err)
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return nil, nil, fmt.Errorf("the node at %s broke off its reply: %w", to.addr, err)
	}
	return decode(to, resp, reply)
}

// unreachable words why the node was not reached.
func unreachable(to target, err error) error {
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("the node at %s did not answer in time; --rpcclienttimeout sets how long to wait", to.addr)
	}
	return fmt.Errorf("cannot reach the node at %s: is acyclicd running? (%v)", to.addr, errors.Unwrap(err))
}

// decode reads a reply: JSON, or a status without any.
func decode(to target, resp *http.Response, reply []byte) (json.RawMessage, *failed, error) {
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		return nil, nil, fmt.Errorf("the node at %s does not know this user or password; want its --rpcuser and --rpcpass, or the --datadir with its cookie", to.addr)
	case http.StatusServiceUnavailable:
		return nil, nil, fmt.Errorf("the node at %s is overloaded (%s); try again", to.addr, strings.TrimSpace(string(reply)))
	}
	var r struct {
		Result json.RawMessage
		Error  *failed
	}
	if err := json.Unmarshal(reply, &r); err != nil {
		return nil, nil, fmt.Errorf("what answers at %s is not a node: %s", to.addr, resp.Status)
	}
	return r.Result, r.Error, nil
}

// show prints a result as bitcoin-cli does.
func show(result json.RawMessage) string {
	var s string
	switch {
	case len(result) == 0 || string(result) == "null":
		return ""
	case result[0] == '"' && json.Unmarshal(result, &s) == nil:
		return strings.TrimSuffix(s, "\n") + "\n"
	}
	var b bytes.Buffer
	if json.Indent(&b, result, "", "  ") != nil {
		return string(result) + "\n"
	}
	return b.String() + "\n"
}
