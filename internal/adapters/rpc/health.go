package rpc

import (
	"net/http"
	"time"
)

// readiness is the answer to /ready.
type readiness struct {
	Ready  bool     `json:"ready"`
	Reason string   `json:"reason,omitempty"`
	Stuck  []string `json:"stuck,omitempty"` // names of cells and adapters
}

// serveHealth answers GET /health with 200 while the process lives. It answers GET
// /ready with 200 while the node works, and with 503 and the reason while it starts
// or stops, or something is stuck. Neither needs a password or a free handler, and
// neither asks a component. serveHealth returns false for any other request.
func (s *Server) serveHealth(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet {
		return false
	}
	switch r.URL.Path {
	case "/health":
		plain(w, http.StatusOK, "alive\n")
	case "/ready":
		state := s.ready()
		w.Header().Set("Content-Type", "application/json")
		if !state.Ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		//correctness: waits for the client only, no longer than the
		//server's WriteTimeout, holding nothing.
		w.Write(marshal(state))
	default:
		return false
	}
	return true
}

// serveMetrics answers GET /metrics. It needs the password: a stranger need not know
// how much the node works. It returns false for any other request.
//
// correctness: waits for the client only, no longer than IOFor, holding
// nothing.
func (s *Server) serveMetrics(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet || r.URL.Path != "/metrics" {
		return false
	}
	if !s.authorized(w, r) {
		return true
	}
	if doing := s.warmup.Load(); doing != nil {
		plain(w, http.StatusServiceUnavailable, *doing)
		return true
	}
	metrics := s.node.Load().Metrics
	if metrics == nil {
		plain(w, http.StatusNotFound, "")
		return true
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.cfg.IOFor))
	metrics.ServeHTTP(w, r)
	return true
}

func (s *Server) ready() readiness {
	if doing := s.warmup.Load(); doing != nil {
		return readiness{Reason: *doing}
	}
	var names []string
	for _, stall := range s.node.Load().Watch.Stuck() {
		names = append(names, stall.Name)
	}
	if len(names) > 0 {
		return readiness{Reason: "stuck", Stuck: names}
	}
	return readiness{Ready: true}
}
