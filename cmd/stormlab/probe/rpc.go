package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// RPC asks a node by JSON-RPC, each time on a new connection: as a tool that
// somebody starts would.
type RPC struct{ Addr, User, Pass string }

// Call asks and stores the result.
func (r *RPC) Call(ctx context.Context, result any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "1.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+r.Addr+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.SetBasicAuth(r.User, r.Pass)
	req.Header.Set("Content-Type", "application/json")
	answer, status, err := fetch(req)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	var envelope struct {
		Result json.RawMessage `json:"result"`
		Error  *struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.Unmarshal(answer, &envelope); err != nil {
		return fmt.Errorf("%s: %s: %.100q", method, status, answer)
	}
	if e := envelope.Error; e != nil {
		return fmt.Errorf("%s: %s (%d)", method, e.Message, e.Code)
	}
	return json.Unmarshal(envelope.Result, result)
}

func fetch(req *http.Request) (body []byte, status string, err error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	return body, resp.Status, err
}
