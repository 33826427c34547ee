package dump

import (
	"fmt"
	"regexp"
	"strings"
)

// ownReport matches the wait-for report that this node prints on SIGQUIT.
var ownReport = regexp.MustCompile(`(?ms)^wait-for report of .*?^stuck: \d+\n(.*?)^wait edges between components: (\d+)\n\(`)

// Own puts this node's last wait-for report in text into words. It returns
// false if text has no complete report.
func Own(text string) (s Story, ok bool) {
	all := ownReport.FindAllStringSubmatch(text, -1)
	if len(all) == 0 {
		return s, false
	}
	last := all[len(all)-1]
	stuck, edges := last[1], last[2]
	s.Sentence = "It reports nothing stuck; "
	if words := lines(stuck); words != "" {
		s.Sentence = "It reports as stuck: " + words + "; "
	}
	s.Sentence += fmt.Sprintf("%s of its components wait for another.", edges)
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
