package watch

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
)

// The figures of cells. Cells of a kind are taken together, and so are askers of a
// name: the number of series does not depend on the number of connections. A sum over
// connections is that of the living ones, so none is a counter.
var figures = []struct {
	*prometheus.Desc
	of  func(st cell.Stats, now time.Time) float64
	max bool // the greatest is shown, not the sum
}{
	{Desc: desc("cells", "Cells, adapters and askers that are alive.", "cell"),
		of: func(cell.Stats, time.Time) float64 { return 1 }},
	{Desc: desc("cell_oldest_seconds", "Age of the oldest queued input.", "cell"), max: true,
		of: func(st cell.Stats, now time.Time) float64 { return seconds(st.Oldest, now) }},
	{Desc: desc("cell_busy_seconds", "How long ago the input that is being handled, or its batch, was taken.", "cell"), max: true,
		of: func(st cell.Stats, now time.Time) float64 { return seconds(st.BusySince, now) }},
	{Desc: desc("cell_done", "Inputs handled.", "cell"),
		of: func(st cell.Stats, _ time.Time) float64 { return float64(st.Taken) }},
	{Desc: desc("cell_refused", "Inputs that found no room.", "cell"),
		of: func(st cell.Stats, _ time.Time) float64 { return float64(st.Refused) }},
	{Desc: desc("cell_deaths", "Steps that panicked.", "cell"),
		of: func(st cell.Stats, _ time.Time) float64 { return float64(st.Deaths) }},
	{Desc: desc("cell_asking", "Questions without an answer.", "cell"),
		of: func(st cell.Stats, _ time.Time) float64 { return float64(st.Asking) }},
	{Desc: desc("cell_owing", "Questions of others that are not answered.", "cell"),
		of: func(st cell.Stats, _ time.Time) float64 { return float64(st.Owing) }},
}

// The other figures.
var (
	descQueued = desc("cell_queued", "Inputs queued, by lane.", "cell", "lane")
	descStuck  = desc("stuck", "Cells and adapters that are stuck now.")
	descStalls = desc("stalls_total", "Times that a cell or adapter was found stuck.")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("acyclic_"+name, help, labels, nil)
}

// seconds is the age of a mailbox.Stamp. Zero is none.
func seconds(stamp int64, now time.Time) float64 {
	if stamp == 0 {
		return 0
	}
	return mailbox.Age(stamp, now).Seconds()
}

// Describe is of a prometheus.Collector.
func (w *Watchdog) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(w, ch) }

// Collect reads the mailboxes when the metrics are scraped.
//
// correctness: the scraper's goroutine sends to a channel that the registry empties.
// It holds nothing, and nothing else waits for it.
func (w *Watchdog) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	now := time.Now()
	byName := map[string][]cell.Stats{}
	for _, c := range w.cfg.System.Cells() {
		byName[c.Subsystem()] = append(byName[c.Subsystem()], c.Stats())
	}
	for name, all := range byName {
		for _, f := range figures {
			total := 0.0
			for _, st := range all {
				if v := f.of(st, now); f.max {
					total = max(total, v)
				} else {
					total += v
				}
			}
			gauge(f.Desc, total, name)
		}
		for lane := range actor.NumLanes {
			n := 0
			for _, st := range all {
				n += st.Depth[lane]
			}
			gauge(descQueued, float64(n), name, actor.Lane(lane).String())
		}
	}
	gauge(descStuck, float64(len(w.Stuck())))
	ch <- prometheus.MustNewConstMetric(descStalls, prometheus.CounterValue, float64(w.Stalls()))
}
