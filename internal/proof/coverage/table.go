package main

import (
	"fmt"
	"strings"
)

// row is one of the table: packages that are counted together, and the bars for it in
// percent. Zero: no bar.
type row struct {
	name string
	of   []string // packages below name; none: name is the package
	bars [runners]float64
}

func (r row) packages() []string {
	if len(r.of) == 0 {
		return []string{r.name}
	}
	var list []string
	for _, p := range r.of {
		list = append(list, r.name+"/"+p)
	}
	return list
}

var rows = []row{
	{"server", nil, [runners]float64{simulator: 90}},
	{"netsync", nil, [runners]float64{simulator: 90, explorer: 70}},
	{"peer", nil, [runners]float64{simulator: 90, explorer: 70}},
	{"chain", nil, [runners]float64{simulator: 90, explorer: 70}},
	{"relay", nil, [runners]float64{simulator: 90, explorer: 70}},
	{"internal/kernel", []string{"actor", "mailbox", "bus", "cell"}, [runners]float64{simulator: 90}},
}

// table shows what was run, in percent of the statements, and says whether every bar is met.
func (c coverage) table() (string, bool) {
	var out, missed strings.Builder
	line := func(name string, pkgs []string) {
		fmt.Fprintf(&out, "%-24s %9.1f  %9.1f  %9.1f\n", name,
			c.percent(pkgs, simulator), c.percent(pkgs, explorer), c.percent(pkgs, simulator, explorer))
	}
	fmt.Fprintf(&out, "%-24s %9s  %9s  %9s\n", "percent of statements", simulator, explorer, "both")
	for _, r := range rows {
		line(r.name, r.packages())
		if len(r.of) > 0 {
			for i, p := range r.packages() {
				line("  "+r.of[i], []string{p})
			}
		}
		for i, bar := range r.bars {
			if got := c.percent(r.packages(), runner(i)); got < bar {
				fmt.Fprintf(&missed, "%s: the %s runs %.1f %%, and the bar is %.0f %%\n", r.name, runner(i), got, bar)
			}
		}
	}
	if missed.Len() > 0 {
		out.WriteString("\n" + missed.String())
	}
	return out.String(), missed.Len() == 0
}
