package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Write writes report.html, report.json and series.csv into dir and returns the
// path of the page. The JSON has all the data of the page.
func (r *Report) Write(dir string) (page string, err error) {
	page = filepath.Join(dir, "report.html")
	for name, write := range map[string]func(io.Writer) error{
		"report.html": r.writeHTML,
		"report.json": r.writeJSON,
		"series.csv":  r.writeCSV,
	} {
		if err := writeFile(filepath.Join(dir, name), write); err != nil {
			return "", err
		}
	}
	return page, nil
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func (r *Report) writeJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// writeCSV writes a row for each sample. Latencies are in seconds; empty means
// unanswered.
func (r *Report) writeCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.Write([]string{
		"storm", "node", "at", "getblockcount", "getpeerinfo", "handshake", "height", "offered",
		"goroutines", "rss", "peers", "cpu",
	})
	for _, s := range r.Storms {
		for _, run := range s.Runs {
			for _, x := range run.Samples {
				row := []string{s.Name, run.Node, fmt.Sprintf("%.1f", x.At)}
				for _, m := range latencies {
					text := ""
					if a := m.of(x); a.OK {
						text = fmt.Sprintf("%.4f", a.Took)
					}
					row = append(row, text)
				}
				out.Write(append(row, fmt.Sprint(x.Height), fmt.Sprint(x.Offered),
					fmt.Sprint(x.Goroutines), fmt.Sprint(x.RSS), fmt.Sprint(x.Peers), fmt.Sprintf("%.2f", x.CPU)))
			}
		}
	}
	out.Flush() // Error returns the first error of any row
	return out.Error()
}
