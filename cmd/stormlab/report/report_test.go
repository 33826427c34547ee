package report

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"acyclic/cmd/stormlab/dump"
	"acyclic/cmd/stormlab/probe"
)

// example is a report on a node that freezes, one that does not, and one that
// was not run.
func example() *Report {
	samples := func(frozen bool) (all []probe.Sample) {
		for at := 1.0; at <= 30; at++ {
			s := probe.Sample{At: at, Height: int32(100 + at), Offered: int32(100 + at), Goroutines: 40, RSS: 90 << 20}
			s.BlockCount = probe.Answer{OK: true, Took: 0.001}
			s.PeerInfo, s.Handshake = s.BlockCount, s.BlockCount
			if frozen && at > 10 {
				s.Height, s.Goroutines = 110, int(at)*700
				s.PeerInfo = probe.Answer{Took: at - 10, Silent: at - 10}
				s.Handshake = s.PeerInfo
			}
			all = append(all, s)
		}
		return all
	}
	frozen := &Run{
		Node: "btcd-v0.24.2", StormFrom: 3, StormUntil: 20, Samples: samples(true), StopTook: 20,
		Stalls: []probe.Stall{{From: 10, Why: "no answer"}},
		Dumps: []Dump{{At: 22, File: "d.txt", Story: dump.Story{
			Goroutines: 9, Sentence: "a waits in f for b; b waits in <g> for a.",
			Cycle: []dump.Wait{{Who: "a", In: "f", Whom: "b"}, {Who: "b", In: "<g>", Whom: "a"}},
		}}},
	}
	fine := &Run{Node: "acyclicd", Ours: true, StormFrom: 3, StormUntil: 20, Samples: samples(false), Stopped: true}
	skipped := &Run{Node: "acyclicd", Ours: true, Skipped: "nothing to storm"}
	return &Report{Minutes: 1, Storms: []Storm{
		{Name: "blocks", About: "Blocks.", Runs: []*Run{frozen, fine}},
		{Name: "txs", About: "Transactions.", Runs: []*Run{skipped}},
	}}
}

func TestVerdicts(t *testing.T) {
	r := example()
	frozen, fine, skipped := r.Storms[0].Runs[0], r.Storms[0].Runs[1], r.Storms[1].Runs[0]
	for run, want := range map[*Run]string{
		frozen:  "STALLED 7 s into the storm: no answer; had not recovered 10 s after the load ended; did NOT stop on SIGINT within 20 s",
		fine:    "no stall; stopped on SIGINT in 0.0 s",
		skipped: "not run: nothing to storm",
	} {
		if got := run.Verdict(); got != want {
			t.Errorf("%s: %q, want %q", run.Node, got, want)
		}
		if run.Good() != (run != frozen) {
			t.Errorf("%s: good is %v", run.Node, run.Good())
		}
	}
	deaf := *fine
	deaf.Samples = append([]probe.Sample(nil), fine.Samples...)
	deaf.Samples[10].Handshake = probe.Answer{OK: true, Note: "refused"}
	if got := deaf.Verdict(); !strings.Contains(got, "took handshakes in 17 of 18 seconds") {
		t.Errorf("of a node that refuses one: %q", got)
	}
	if got := frozen.Cycle(); !strings.HasPrefix(got, "a waits in f") {
		t.Errorf("the cycle is %q", got)
	}
	if (&Run{Samples: fine.Samples, Stopped: false}).Good() {
		t.Error("a node that does not stop is good")
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path, err := example().Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	html, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(html)
	for _, want := range []string{
		"stall 7 s", "b waits in &lt;g&gt; for a", "nothing to storm", `class="bad"`, `href="d.txt"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	for _, bad := range []string{"NaN", "Inf", "ZgotmplZ", "http:", "https:", "src="} {
		if strings.Contains(text, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	wellFormed(t, text)

	var back Report
	raw, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err == nil {
		err = json.Unmarshal(raw, &back)
	}
	if err != nil || len(back.Storms[0].Runs[0].Samples) != 30 {
		t.Errorf("report.json: %v", err)
	}
	csv, err := os.ReadFile(filepath.Join(dir, "series.csv"))
	if err != nil || strings.Count(string(csv), "\n") != 61 {
		t.Errorf("series.csv: %v\n%s", err, csv)
	}
	if !strings.Contains(string(csv), "blocks,btcd-v0.24.2,20.0,0.0010,,,110,120,14000,94371840,0") {
		t.Errorf("series.csv lacks the row of second 20:\n%s", csv)
	}
}

// wellFormed checks every picture as XML.
func wellFormed(t *testing.T, text string) {
	t.Helper()
	pictures := 0
	for rest := text; ; pictures++ {
		_, after, found := strings.Cut(rest, "<svg")
		if !found {
			break
		}
		body, after, _ := strings.Cut(after, "</svg>")
		rest = after
		for d := xml.NewDecoder(strings.NewReader("<svg" + body + "</svg>")); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("a picture is not well formed: %v\n%s", err, body)
			}
		}
	}
	if pictures != 16 {
		t.Errorf("%d pictures, want eight metrics of two nodes", pictures)
	}
}

// TestScalesHoldTheirValues: nothing is drawn outside its plot.
func TestScalesHoldTheirValues(t *testing.T) {
	for _, most := range []float64{0, 1, 10, 11, 99, 100, 101, 4999, 5001, 1e6} {
		for name, set := range map[string]scale{"linear": linear(nil), "log": logScale} {
			p := plot{until: 1}
			set(&p, most)
			if p.high < most || most > 0 && p.y(most) < top || p.y(p.low) != top+innerHeight {
				t.Errorf("%s to %v: from %v to %v, drawn at %v", name, most, p.low, p.high, p.y(most))
			}
		}
	}
}
