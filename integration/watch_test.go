package integration

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"

	"acyclic/integration/harness"
	"acyclic/integration/script"
)

// TestL12TheNodeShowsWhoWaits asks a working node which cells wait for which:
// by RPC, and by SIGQUIT, after which the node goes on. It also asks if the
// node is ready.
func TestL12TheNodeShowsWhoWaits(t *testing.T) {
	oursOnly(t)
	t.Parallel()
	chain := newChain(60)
	_, addr := listen(t, regtest("source", chain, script.Behaviour{}))
	us := start(t, harness.Options{Connect: []string{addr}})
	us.Await(chain.Tip(), harness.Patience)

	for path, want := range map[string]string{"/health": "alive\n", "/ready": `{"ready":true}` + "\n"} {
		resp, err := http.Get("http://" + us.RPC.Addr + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || string(body) != want {
			t.Errorf("GET %s: %d %q", path, resp.StatusCode, body)
		}
	}
	http.DefaultClient.CloseIdleConnections()

	var graph struct {
		WaitEdges []any `json:"wait_edges"`
		Stuck     []any
		Cells     []struct{ Name, Kind, State string }
	}
	us.Call(&graph, "getwaitgraph")
	if len(graph.WaitEdges) > 0 || len(graph.Stuck) > 0 {
		t.Errorf("a working node has waits: %+v", graph)
	}
	var components []string
	peers := 0
	for _, c := range graph.Cells {
		switch c.Kind {
		case "component":
			components = append(components, c.Name)
		case "connection":
			peers++
		}
	}
	if want := []string{"server", "netsync", "chain", "relay"}; !slices.Equal(components, want) || peers != 1 {
		t.Errorf("components %v, %d connections; want %v and the source", components, peers, want)
	}

	us.Signal(syscall.SIGQUIT)
	harness.Eventually(t, harness.Patience, "the report of SIGQUIT", func() (bool, string) {
		out := us.Stderr()
		return strings.Contains(out, "wait edges between components: 0"), out
	})
	if us.Height() != 60 {
		t.Error("the node does not go on after SIGQUIT")
	}
	us.Stop()
}
