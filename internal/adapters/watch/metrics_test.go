package watch_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/proof/bubble"
)

// The metrics show a stuck cell, and cells of one name as one.
func TestL12MetricsShowAStuckCell(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		release := make(chan struct{})
		var ports actor.Ports
		actor.Connect[Ping](&ports, "many", actor.Ref[target](worker), 1, time.Hour)
		r := newRig(t, bounds, func() { <-release }, answerWork, many(3, ports.Specs)...)
		go adapter.Ask(context.Background(), r.node.Asker(client), r.ports.spin, Spin{})
		synctest.Wait()
		go adapter.Ask(context.Background(), r.node.Asker(client+1), r.ports.ping[0], Ping{})
		time.Sleep(500 * time.Millisecond)
		registry := prometheus.NewPedanticRegistry()
		registry.MustRegister(r.dog)
		page := httptest.NewRecorder()
		promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
		for _, want := range []string{
			`acyclic_cells{cell="worker"} 1`, `acyclic_cells{cell="one of many"} 3`,
			`acyclic_cell_queued{cell="worker",lane="questions"} 1`, `acyclic_cell_oldest_seconds{cell="worker"} 0.5`,
			`acyclic_cell_busy_seconds{cell="worker"} 0.5`, `acyclic_cell_busy_seconds{cell="other"} 0`,
			`acyclic_cell_owing{cell="worker"} 2`, `acyclic_cell_asking{cell="second"} 1`,
			`acyclic_cell_done{cell="one of many"} 3`, `acyclic_cell_refused{cell="worker"} 0`, `acyclic_cell_deaths{cell="worker"} 0`,
			`acyclic_stuck 1`, `acyclic_stalls_total 1`,
		} {
			if !strings.Contains(page.Body.String(), want+"\n") {
				t.Errorf("the metrics do not say %s but\n%s", want, page.Body)
			}
		}
		close(release)
		r.stop()
	})
}
