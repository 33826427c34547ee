// Package report holds the results of the storms and writes them: as a page
// with plots, as JSON and as CSV.
package report

import (
	"fmt"
	"strings"
	"time"

	"acyclic/cmd/stormlab/dump"
	"acyclic/cmd/stormlab/probe"
	"acyclic/cmd/stormlab/storm"
)

// Report is one session of the lab.
type Report struct {
	When    time.Time     `json:"when"`
	Seed    uint64        `json:"seed"`
	Minutes float64       `json:"minutes"` // of each storm
	Stall   time.Duration `json:"stall"`   // how long a silence must be to count
	Grace   time.Duration `json:"grace"`   // between the end of the load and SIGINT
	Stop    time.Duration `json:"stop"`    // the time to end after SIGINT
	Machine string        `json:"machine"`
	// Interrupted names the run that was cut off. The report leaves out that run
	// and those after it.
	Interrupted string  `json:"interrupted,omitempty"`
	Storms      []Storm `json:"storms"`
}

// Storm is one storm, with a run for each node.
type Storm struct {
	Name  string `json:"name"`
	About string `json:"about"`
	Runs  []*Run `json:"runs"`
}

// Run is one storm at one node.
type Run struct {
	Node       string         `json:"node"`
	Ours       bool           `json:"ours"`
	Skipped    string         `json:"skipped,omitempty"` // why it was not run
	Failed     string         `json:"failed,omitempty"`  // why it could not be run
	Args       []string       `json:"args"`
	StormFrom  float64        `json:"stormFrom"` // seconds since the probe began
	StormUntil float64        `json:"stormUntil"`
	Load       storm.Counts   `json:"load"`
	Relayed    *storm.Relayed `json:"relayed,omitempty"` // what the honest listeners saw; nil: no listeners
	Delays     []probe.Delay  `json:"delays,omitempty"`  // of RPC in the storm, from a process of its own
	LoadCPU    float64        `json:"loadCPU"`           // seconds of processor time that the load used in the storm
	Samples    []probe.Sample `json:"samples"`
	Stalls     []probe.Stall  `json:"stalls"`
	Recovered  bool           `json:"recovered"` // no stall at the end of the grace period
	Dumps      []Dump         `json:"dumps,omitempty"`
	Profile    string         `json:"profile,omitempty"`  // the file with the processor's time in the storm
	Watching   *float64       `json:"watching,omitempty"` // the share of it in which this node watched over itself; nil: not measured
	Crashed    string         `json:"crashed,omitempty"`  // its last words
	Stopped    bool           `json:"stopped"`            // on SIGINT, within the bound
	StopTook   float64        `json:"stopTook"`           // seconds
}

// Dump is what the goroutines waited for at one moment.
type Dump struct {
	At    float64    `json:"at"`
	File  string     `json:"file"`
	Story dump.Story `json:"story"`
}

// CPU is the processor time that the node used in the storm, in seconds.
func (r *Run) CPU() float64 {
	var first, last *probe.Sample
	for i, s := range r.Samples {
		if s.At >= r.StormFrom && s.At <= r.StormUntil && s.CPU > 0 { // zero: the node has ended, or the time is unknown
			if first == nil {
				first = &r.Samples[i]
			}
			last = &r.Samples[i]
		}
	}
	if first == nil {
		return 0
	}
	return last.CPU - first.CPU
}

// Handshakes counts the probe's samples in the storm, and those whose last
// handshake had succeeded.
func (r *Run) Handshakes() (taken, samples int) {
	for _, s := range r.Samples {
		if s.At >= r.StormFrom && s.At <= r.StormUntil {
			samples++
			if s.Handshake.OK && s.Handshake.Note == "" {
				taken++
			}
		}
	}
	return taken, samples
}

// Good is true if the node withstood the storm.
func (r *Run) Good() bool {
	return r.Skipped != "" || r.Failed == "" && r.Crashed == "" && len(r.Stalls) == 0 && r.Stopped &&
		(r.Relayed == nil || r.Relayed.Good()) && !r.Overfull()
}

// Verdict is the outcome in a sentence.
func (r *Run) Verdict() string {
	switch {
	case r.Skipped != "":
		return "not run: " + r.Skipped
	case r.Failed != "":
		return "could not be run: " + r.Failed
	case r.Crashed != "":
		return "CRASHED"
	}
	var parts []string
	if len(r.Stalls) == 0 {
		parts = append(parts, "no stall")
	} else {
		first := r.Stalls[0]
		parts = append(parts, fmt.Sprintf("STALLED %.0f s into the storm: %s", max(0, first.From-r.StormFrom), first.Why))
		if r.Recovered {
			parts = append(parts, "recovered by itself")
		} else {
			parts = append(parts, fmt.Sprintf("had not recovered %.0f s after the load ended", r.End()-r.StormUntil))
		}
	}
	if taken, samples := r.Handshakes(); len(r.Stalls) == 0 && taken < samples {
		parts = append(parts, fmt.Sprintf("took handshakes in %d of %d seconds", taken, samples))
	}
	parts = append(parts, r.relay()...)
	if r.Stopped {
		parts = append(parts, fmt.Sprintf("stopped on SIGINT in %.1f s", r.StopTook))
	} else {
		parts = append(parts, fmt.Sprintf("did NOT stop on SIGINT within %.0f s", r.StopTook))
	}
	return strings.Join(parts, "; ")
}

// Cycle is the wait-for cycle in the last dump, or "".
func (r *Run) Cycle() string {
	for i := len(r.Dumps) - 1; i >= 0; i-- {
		if s := r.Dumps[i].Story; len(s.Cycle) > 0 {
			return s.Sentence
		}
	}
	return ""
}

// End is when the last sample was taken.
func (r *Run) End() float64 {
	if len(r.Samples) == 0 {
		return 0
	}
	return r.Samples[len(r.Samples)-1].At
}
