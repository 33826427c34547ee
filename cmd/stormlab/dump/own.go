package dump

import (
	"fmt"
	"regexp"
	"strings"
)

// ownReport is what this node prints on SIGQUIT: its own wait-for report.
var ownReport = regexp.MustCompile(`(?ms)^wait-for report of .*?^stuck: \d+\n(.*?)^wait edges between components: (\d+)\n\(`)

// Own puts this node's last wait-for report in text into words; not ok: there is
// none that is complete.
func Own(text string) (s Story, ok bool) {
	all := ownReport.FindAllStringSubmatch(text, -1)
	if len(all) == 0 {
		return s, false
	}
	last := all[len(all)-1]
	stuck, adapters := last[1], last[2]
	s.Sentence = "It calls nothing in itself stuck; "
	if words := lines(stuck); words != "" {
		s.Sentence = "Stuck, by its own report: " + words + "; "
	}
	s.Sentence += fmt.Sprintf("%s of its components wait for another.", adapters)
	return s, true
}

// lines joins the lines of a paragraph.
func lines(paragraph string) string {
	var all []string
	for line := range strings.Lines(paragraph) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return strings.Join(all, "; ")
}
