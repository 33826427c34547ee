package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// RPC is a client of JSON-RPC over HTTP, as bitcoin-cli speaks it: one POST a
// call, on a connection of its own.
type RPC struct {
	Addr, User, Pass string
	Cookie           string        // the file that has user:password; "": User and Pass
	Timeout          time.Duration // of one call; zero: 20 seconds
}

// RPCError is what a node answers when it does not do what it was asked.
type RPCError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *RPCError) Error() string { return fmt.Sprintf("%s (%d)", e.Message, e.Code) }

// Call asks and stores the result in it, unless it is nil. A refusal is an
// *RPCError.
func (r *RPC) Call(result any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "1.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return err
	}
	answer, err := r.Post(body)
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
		return envelope.Error
	case result == nil:
		return nil
	}
	return json.Unmarshal(envelope.Result, result)
}

// Post sends a request as it is and returns the answer, which must be JSON.
func (r *RPC) Post(body []byte) ([]byte, error) {
	req, err := http.NewRequest(http.MethodPost, "http://"+r.Addr+"/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	user, pass := r.User, r.Pass
	if r.Cookie != "" {
		cookie, err := os.ReadFile(r.Cookie)
		if err != nil {
			return nil, err
		}
		user, pass, _ = strings.Cut(string(cookie), ":")
	}
	req.SetBasicAuth(user, pass)
	req.Header.Set("Content-Type", "application/json")
	timeout := r.Timeout
	if timeout == 0 {
		timeout = 20 * time.Second
	}
	client := http.Client{Timeout: timeout, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && !json.Valid(answer) {
		return nil, fmt.Errorf("%s: %.200q", resp.Status, answer)
	}
	return answer, err
}
