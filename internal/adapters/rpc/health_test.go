package rpc

import (
	"net/http"
	"strings"
	"testing"

	"acyclic/internal/adapters/watch"
)

// The metrics need the password.
func TestMetricsNeedThePassword(t *testing.T) {
	r := newRig(t, 1, Config{})
	get := func(pass string) (int, string) {
		req, _ := http.NewRequest(http.MethodGet, r.url+"metrics", nil)
		req.SetBasicAuth("me", pass)
		return r.do(req)
	}
	if status, body := get("secret"); status != 200 || body != "acyclic_stuck 0\n" {
		t.Errorf("with the password: %d %q", status, body)
	}
	if status, body := get("guess"); status != 401 || body != "" {
		t.Errorf("with another one: %d %q", status, body)
	}
	r.s.Warmup("Shutting down…")
	if status, body := get("secret"); status != 503 || body != "Shutting down…" {
		t.Errorf("when the node stops: %d %q", status, body)
	}
}

func (r *rig) wantGet(path string, status int, body string) {
	r.t.Helper()
	req, _ := http.NewRequest(http.MethodGet, r.url+path, nil)
	if got, text := r.do(req); got != status || text != body {
		r.t.Errorf("GET /%s: %d %q, want %d %q", path, got, text, status, body)
	}
}

// Without a password, /health says that the process lives and /ready whether
// the node works: it turns false while the node starts or stops and while
// something is stuck, says why, and clears.
func TestL12ReadySaysWhatIsStuck(t *testing.T) {
	r := newRig(t, 1, Config{})
	r.wantGet("health", 200, "alive\n")
	r.wantGet("ready", 200, `{"ready":true}`+"\n")

	r.watch.stuck.Store(&[]watch.Stall{{ID: 3, Name: "chain"}, {ID: 5, Name: "engine"}})
	r.wantGet("ready", 503, `{"ready":false,"reason":"stuck","stuck":["chain","engine"]}`+"\n")
	r.wantGet("health", 200, "alive\n")
	r.watch.stuck.Store(nil)
	r.wantGet("ready", 200, `{"ready":true}`+"\n")

	r.s.Warmup("Shutting down…")
	r.wantGet("ready", 503, `{"ready":false,"reason":"Shutting down…"}`+"\n")
	r.wantGet("health", 200, "alive\n")

	r.wantGet("metrics", 401, "")

	// Nothing else is given without a password.
	r.wantGet("readyness", 405, "JSONRPC server handles only POST requests")
	req, _ := http.NewRequest(http.MethodPost, r.url+"ready", strings.NewReader("{}"))
	if status, _ := r.do(req); status != 404 {
		t.Errorf("POST /ready: %d", status)
	}
}
