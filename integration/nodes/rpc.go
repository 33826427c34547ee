package nodes

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// RPC is a client of JSON-RPC over HTTP, as bitcoin-cli speaks it. Each call is
// one request on a new connection.
type RPC struct {
	Addr, User, Pass string
	Cookie           string        // the file with user:password; empty: User and Pass
	Timeout          time.Duration // of one call; zero: only the context's
}

// Hex is a block or a transaction as RPC takes it.
func Hex(v interface{ Serialize(io.Writer) error }) string {
	var b bytes.Buffer
	_ = v.Serialize(&b) // a bytes.Buffer does not fail
	return hex.EncodeToString(b.Bytes())
}

// RPCError is a node's answer if it refuses a call.
type RPCError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *RPCError) Error() string { return fmt.Sprintf("%s (%d)", e.Message, e.Code) }

// Call asks and stores the answer in result, unless that is nil. A refusal is an
// *RPCError.
func (r *RPC) Call(ctx context.Context, result any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "1.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return err
	}
	answer, err := r.Post(ctx, body)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	var envelope struct {
		Result json.RawMessage `json:"result"`
		Error  *RPCError       `json:"error"`
	}
	if err := json.Unmarshal(answer, &envelope); err != nil {
		return fmt.Errorf("%s: %w: %.200q", method, err, answer)
	}
	switch {
	case envelope.Error != nil:
		return fmt.Errorf("%s: %w", method, envelope.Error)
	case result == nil:
		return nil
	}
	return json.Unmarshal(envelope.Result, result)
}

// Post sends a request as it is and returns the answer, which must be JSON.
func (r *RPC) Post(ctx context.Context, body []byte) ([]byte, error) {
	answer, status, err := r.fetch(ctx, http.MethodPost, "/", body)
	if err == nil && !json.Valid(answer) {
		return nil, fmt.Errorf("%s: %.200q", status, answer)
	}
	return answer, err
}

// Get returns the page at a path of the same server.
func (r *RPC) Get(ctx context.Context, path string) ([]byte, error) {
	answer, _, err := r.fetch(ctx, http.MethodGet, path, nil)
	return answer, err
}

func (r *RPC) fetch(ctx context.Context, verb, path string, body []byte) (answer []byte, status string, err error) {
	req, err := http.NewRequestWithContext(ctx, verb, "http://"+r.Addr+path, bytes.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	user, pass := r.User, r.Pass
	if r.Cookie != "" {
		cookie, err := os.ReadFile(r.Cookie)
		if err != nil {
			return nil, "", err
		}
		user, pass, _ = strings.Cut(string(cookie), ":")
	}
	req.SetBasicAuth(user, pass)
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: r.Timeout, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return answer, resp.Status, err
}
