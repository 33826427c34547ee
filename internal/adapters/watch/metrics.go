package watch

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/mailbox"
)

// The metrics. Cells of a kind are taken together, and so are askers of a name:
// the number of series does not depend on the number of connections. What is
// summed over connections is that of the living ones, so none is a counter.
var (
	cellLabels = []string{"cell"}

	descCells   = desc("cells", "Cells, adapters and askers that are alive.", cellLabels)
	descQueued  = desc("cell_queued", "Inputs queued, by lane.", []string{"cell", "lane"})
	descOldest  = desc("cell_oldest_seconds", "Age of the oldest queued input.", cellLabels)
	descBusy    = desc("cell_busy_seconds", "How long the input that is being handled, or its batch, has been taken.", cellLabels)
	descDone    = desc("cell_done", "Inputs handled.", cellLabels)
	descRefused = desc("cell_refused", "Inputs that found no room.", cellLabels)
	descDeaths  = desc("cell_deaths", "Steps that panicked.", cellLabels)
	descAsking  = desc("cell_asking", "Questions without an answer.", cellLabels)
	descOwing   = desc("cell_owing", "Questions of others that are not answered.", cellLabels)
	descStuck   = desc("stuck", "Cells and adapters that are stuck now.", nil)
	descStalls  = desc("stalls_total", "Times that a cell or adapter was found stuck.", nil)
)

func desc(name, help string, labels []string) *prometheus.Desc {
	return prometheus.NewDesc("acyclic_"+name, help, labels, nil)
}

// Describe is of a prometheus.Collector.
func (w *Watchdog) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(w, ch) }

// figures are those of the cells that are taken together.
type figures struct {
	cells, asking, owing  int
	queued                [actor.NumLanes]int
	oldest, busy          time.Duration
	done, refused, deaths uint64
}

// Collect reads the mailboxes when somebody asks for the metrics.
//
// correctness: the scraper's own goroutine sends to a channel that the registry
// empties; it holds nothing, and nobody else waits for it.
func (w *Watchdog) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	names, all := w.figures(time.Now())
	for _, name := range names {
		f := all[name]
		gauge(descCells, float64(f.cells), name)
		for lane, n := range f.queued {
			gauge(descQueued, float64(n), name, actor.Lane(lane).String())
		}
		gauge(descOldest, f.oldest.Seconds(), name)
		gauge(descBusy, f.busy.Seconds(), name)
		gauge(descDone, float64(f.done), name)
		gauge(descRefused, float64(f.refused), name)
		gauge(descDeaths, float64(f.deaths), name)
		gauge(descAsking, float64(f.asking), name)
		gauge(descOwing, float64(f.owing), name)
	}
	gauge(descStuck, float64(len(w.Stuck())))
	ch <- prometheus.MustNewConstMetric(descStalls, prometheus.CounterValue, float64(w.Stalls()))
}

// figures adds up those of the cells of each name, in the order of their IDs.
func (w *Watchdog) figures(now time.Time) (names []string, all map[string]*figures) {
	all = map[string]*figures{}
	for _, c := range w.cfg.System.Cells() {
		name := c.Subsystem()
		f := all[name]
		if f == nil {
			f = &figures{}
			all[name] = f
			names = append(names, name)
		}
		st := c.Stats()
		f.cells++
		for lane, n := range st.Depth {
			f.queued[lane] += n
		}
		if st.Oldest != 0 {
			f.oldest = max(f.oldest, mailbox.Age(st.Oldest, now))
		}
		if st.BusySince != 0 {
			f.busy = max(f.busy, mailbox.Age(st.BusySince, now))
		}
		f.done += st.Taken
		f.refused += st.Refused
		f.deaths += uint64(st.Deaths)
		f.asking += st.Asking
		f.owing += st.Owing
	}
	return names, all
}
