package rpc

import (
	"time"

	"acyclic/internal/adapters/watch"
)

// The shape of getwaitgraph. Times are in milliseconds.
type (
	waitGraph struct {
		WaitEdges []waitCell     `json:"wait_edges"`
		How       string         `json:"how"`
		Stuck     []waitStall    `json:"stuck"`
		Total     int            `json:"questions_total"`
		Questions []waitQuestion `json:"questions"`
		Cells     []waitCell     `json:"cells"`
	}

	waitStall struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Why  string `json:"why"`
		With string `json:"with"`
		Age  float  `json:"age_ms"`
	}

	waitQuestion struct {
		From     string `json:"from"`
		FromName string `json:"from_name"`
		To       string `json:"to"`
		ToName   string `json:"to_name"`
		Port     string `json:"port"`
		Type     string `json:"question"`
		Age      float  `json:"age_ms"`
		GivenUp  bool   `json:"given_up"`
	}

	waitCell struct {
		ID       string     `json:"id"`
		Name     string     `json:"name"`
		Kind     string     `json:"kind"`
		State    string     `json:"state"`
		For      string     `json:"waits_for,omitempty"`
		Doing    string     `json:"doing,omitempty"`
		Busy     float      `json:"busy_ms"`
		Depth    laneDepths `json:"depth"`
		Oldest   string     `json:"oldest,omitempty"`
		OldestMS float      `json:"oldest_ms"`
		Asking   int        `json:"asking"`
		Owing    int        `json:"owing"`
		Stack    []string   `json:"stack,omitempty"`
	}
)

// maxQuestions bounds the list of questions. The oldest are shown.
const maxQuestions = 100

func getWaitGraph(c *call, _ arguments) (any, error) {
	r := c.Watch.Report()
	g := waitGraph{
		WaitEdges: waitCells(r.WaitEdges), How: watch.How, Stuck: []waitStall{},
		Total: len(r.Questions), Questions: []waitQuestion{}, Cells: waitCells(r.Cells),
	}
	for _, s := range r.Stuck {
		g.Stuck = append(g.Stuck, waitStall{s.ID.String(), s.Name, string(s.Why), s.With, millis(r.At.Sub(s.Since))})
	}
	for _, q := range r.Questions[:min(len(r.Questions), maxQuestions)] {
		g.Questions = append(g.Questions, waitQuestion{
			q.From.String(), q.FromName, q.To.String(), q.ToName, q.Port, q.Type, millis(q.Age), q.GivenUp,
		})
	}
	return g, nil
}

func waitCells(cells []watch.CellReport) []waitCell {
	list := []waitCell{}
	for _, c := range cells {
		list = append(list, waitCell{
			c.ID.String(), c.Name, c.Kind, string(c.State), c.For, c.Doing, millis(c.Since), c.Depth, c.Oldest, millis(c.Age),
			c.Asking, c.Owing, c.Stack,
		})
	}
	return list
}

// millis is d in milliseconds.
func millis(d time.Duration) float { return float(float64(d.Microseconds()) / 1e3) }
