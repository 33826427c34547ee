package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// The size of a plot in SVG units, with the room for axes and labels.
const (
	plotWidth, plotHeight         = 340.0, 120.0
	left, right, top, bottom      = 46.0, 6.0, 6.0, 18.0
	innerWidth, innerHeight       = plotWidth - left - right, plotHeight - top - bottom
	secondsBetweenMarks, maxMarks = 10.0, 7.0
)

// point is a value at one second. Bad ones are drawn in red.
type point struct {
	at, value float64
	bad       bool
}

// line is one series of a plot.
type line struct {
	class  string
	points []point
}

// plot is one picture: a metric of one node.
type plot struct {
	lines    []line
	log      bool
	unit     func(float64) string
	low      float64 // where the y axis begins
	high     float64 // where it ends; the same for all nodes
	until    float64 // where the x axis ends; the same for all nodes
	storm    [2]float64
	stalls   [][2]float64
	firstBad float64 // when the first stall began; below 0: no stall
}

func (p plot) x(at float64) float64 { return left + innerWidth*min(1, at/p.until) }

func (p plot) y(v float64) float64 {
	share := (v - p.low) / (p.high - p.low)
	if p.log {
		share = math.Log(max(v, p.low)/p.low) / math.Log(p.high/p.low)
	}
	return top + innerHeight*(1-min(1, max(0, share)))
}

// svg draws the plot. It inserts only numbers, and texts of this file.
func (p plot) svg() template.HTML {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %.0f %.0f" role="img">`, plotWidth, plotHeight)
	rect := func(class string, from, to float64) {
		fmt.Fprintf(&b, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`,
			class, p.x(from), top, max(1, p.x(to)-p.x(from)), innerHeight)
	}
	rect("storm", p.storm[0], p.storm[1])
	for _, s := range p.stalls {
		rect("stall", s[0], s[1])
	}
	p.axes(&b)
	for _, l := range p.lines {
		p.draw(&b, l)
	}
	if p.firstBad >= 0 {
		x := p.x(p.firstBad)
		fmt.Fprintf(&b, `<line class="moment" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, x, x, top, top+innerHeight)
		fmt.Fprintf(&b, `<text class="moment" x="%.1f" y="%.1f">stall %.0f s</text>`,
			min(x+3, plotWidth-60), top+10, p.firstBad-p.storm[0])
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}

func (p plot) axes(b *strings.Builder) {
	for _, v := range p.marks() {
		y := p.y(v)
		fmt.Fprintf(b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, left, plotWidth-right, y, y)
		fmt.Fprintf(b, `<text class="axis" x="%.1f" y="%.1f" text-anchor="end">%s</text>`, left-3, y+3, p.unit(v))
	}
	step := secondsBetweenMarks
	for p.until/step > maxMarks {
		step *= 2
	}
	for at := 0.0; at <= p.until; at += step {
		fmt.Fprintf(b, `<text class="axis" x="%.1f" y="%.1f" text-anchor="middle">%.0fs</text>`,
			p.x(at), plotHeight-4, at)
	}
}

// marks are the labelled values of the y axis.
func (p plot) marks() (marks []float64) {
	if p.log {
		for v := p.low; v <= p.high*1.001; v *= 10 {
			marks = append(marks, v)
		}
		return marks
	}
	return []float64{p.low, (p.low + p.high) / 2, p.high}
}

// draw draws a series: one line for good points, another for bad ones.
func (p plot) draw(b *strings.Builder, l line) {
	for i := 0; i < len(l.points); {
		bad := l.points[i].bad
		class := l.class
		if bad {
			class = "bad"
		}
		fmt.Fprintf(b, `<polyline class="%s" points="`, class)
		for ; i < len(l.points) && l.points[i].bad == bad; i++ {
			fmt.Fprintf(b, "%.1f,%.1f ", p.x(l.points[i].at), p.y(l.points[i].value))
		}
		b.WriteString(`"/>`)
	}
}
