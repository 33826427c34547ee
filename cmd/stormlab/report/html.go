package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"

	"acyclic/cmd/stormlab/probe"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{"rows": rows, "percent": percent, "into": into}).Parse(pageText))

func percent(share *float64) string { return fmt.Sprintf("%.2f %%", *share*100) }

// into turns a time of a run into seconds since its storm began.
func into(r *Run, at float64) string { return fmt.Sprintf("%.0f", at-r.StormFrom) }

func (r *Report) writeHTML(w io.Writer) error { return page.Execute(w, r) }

// latency is one of the probe's questions.
type latency struct {
	name string
	of   func(probe.Sample) probe.Answer
}

var latencies = []latency{
	{"getblockcount", func(s probe.Sample) probe.Answer { return s.BlockCount }},
	{"getpeerinfo", func(s probe.Sample) probe.Answer { return s.PeerInfo }},
	{"handshake and ping", func(s probe.Sample) probe.Answer { return s.Handshake }},
}

// row is one metric, with a plot for each node. All plots have the same scale.
type row struct {
	Name, Note string
	Plots      []template.HTML // "": the node was not run
}

// rows are the metrics of a storm.
func rows(s Storm) (all []row) {
	for _, l := range latencies {
		all = append(all, rowOf(s, l.name, "time to answer; red: time without an answer", logScale, func(r *Run) []line {
			return []line{{class: "value", points: latencyPoints(r, l)}}
		}))
	}
	number := func(v float64) string { return fmt.Sprintf("%.0f", v) }
	mib := func(v float64) string { return fmt.Sprintf("%.0f MiB", v) }
	all = append(all,
		rowOf(s, "height", "grey: offered; blue: taken", linear(number), func(r *Run) []line {
			return []line{
				{class: "offered", points: points(r, func(s probe.Sample) float64 { return float64(s.Offered) })},
				{class: "value", points: points(r, func(s probe.Sample) float64 { return float64(s.Height) })},
			}
		}),
		rowOf(s, "connections", "as getpeerinfo counts them", linear(number), func(r *Run) []line {
			return []line{{class: "value", points: points(r, func(s probe.Sample) float64 { return float64(s.Peers) })}}
		}),
		rowOf(s, "goroutines", "", linear(number), func(r *Run) []line {
			return []line{{class: "value", points: points(r, func(s probe.Sample) float64 { return float64(s.Goroutines) })}}
		}),
		rowOf(s, "memory", "resident", linear(mib), func(r *Run) []line {
			return []line{{class: "value", points: points(r, func(s probe.Sample) float64 { return float64(s.RSS >> 20) })}}
		}),
		rowOf(s, "processor", "cores in use", linear(func(v float64) string { return fmt.Sprintf("%.1f", v) }), func(r *Run) []line {
			return []line{{class: "value", points: cores(r)}}
		}),
	)
	return all
}

func points(r *Run, of func(probe.Sample) float64) (ps []point) {
	for _, s := range r.Samples {
		ps = append(ps, point{at: s.At, value: of(s)})
	}
	return ps
}

// cores is the processor time used in each second, in cores.
func cores(r *Run) (ps []point) {
	for i := 1; i < len(r.Samples); i++ {
		last, s := r.Samples[i-1], r.Samples[i]
		ps = append(ps, point{at: s.At, value: (s.CPU - last.CPU) / (s.At - last.At)})
	}
	return ps
}

// latencyPoints leaves out the seconds before the first answer was due.
func latencyPoints(r *Run, l latency) (ps []point) {
	for _, s := range r.Samples {
		switch a := l.of(s); {
		case a.OK:
			ps = append(ps, point{at: s.At, value: a.Took})
		case a.Silent >= probe.Every.Seconds():
			ps = append(ps, point{at: s.At, value: a.Silent, bad: true})
		}
	}
	return ps
}

// scale sets the y axis for values up to most.
type scale func(p *plot, most float64)

// logScale goes from a tenth of a millisecond to 100 seconds at least.
func logScale(p *plot, most float64) {
	p.log, p.low, p.high = true, 1e-4, 100
	for p.high < most {
		p.high *= 10
	}
	p.unit = func(v float64) string {
		switch {
		case v < 0.9e-3:
			return "0.1 ms"
		case v < 0.9:
			return fmt.Sprintf("%.0f ms", v*1e3)
		}
		return fmt.Sprintf("%.0f s", v)
	}
}

func linear(unit func(float64) string) scale {
	return func(p *plot, most float64) {
		p.unit, p.high = unit, 10
		for p.high < most { // 10, 20, 50, 100, ...
			if math.Mod(math.Log10(p.high/2), 1) == 0 {
				p.high *= 2.5
			} else {
				p.high *= 2
			}
		}
	}
}

// rowOf draws one metric for all nodes.
func rowOf(s Storm, name, note string, set scale, of func(*Run) []line) row {
	most, until := 0.0, 1.0
	for _, r := range s.Runs {
		until = max(until, r.End())
		for _, l := range of(r) {
			for _, p := range l.points {
				most = max(most, p.value)
			}
		}
	}
	out := row{Name: name, Note: note}
	for _, r := range s.Runs {
		if len(r.Samples) == 0 {
			out.Plots = append(out.Plots, "")
			continue
		}
		p := plot{lines: of(r), until: until, storm: [2]float64{r.StormFrom, r.StormUntil}, firstBad: -1}
		for i, stall := range r.Stalls {
			end := r.End()
			if stall.Ended {
				end = stall.Until
			}
			p.stalls = append(p.stalls, [2]float64{stall.From, end})
			if i == 0 {
				p.firstBad = stall.From
			}
		}
		set(&p, most)
		out.Plots = append(out.Plots, p.svg())
	}
	return out
}
