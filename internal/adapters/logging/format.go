package logging

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/sirupsen/logrus"
)

// The fields that say where a record comes from.
const (
	subsystemField = "subsystem"
	cellField      = "cell"
)

// textFormatter writes
//
//	2026-01-02 15:04:05.000 INF chain: block connected  height=7 txs=1
//
// with the fields sorted by name. A message stays on one line, whatever a remote peer
// has put into it.
type textFormatter struct{}

var shortLevels = map[logrus.Level]string{
	logrus.PanicLevel: "PNC", logrus.FatalLevel: "FTL", logrus.ErrorLevel: "ERR",
	logrus.WarnLevel: "WRN", logrus.InfoLevel: "INF", logrus.DebugLevel: "DBG", logrus.TraceLevel: "TRC",
}

// Format implements logrus.Formatter.
func (textFormatter) Format(e *logrus.Entry) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s", e.Time.Format("2006-01-02 15:04:05.000"), shortLevels[e.Level])
	if name, ok := e.Data[subsystemField]; ok {
		fmt.Fprintf(&b, " %v", name)
		if cell, ok := e.Data[cellField]; ok {
			fmt.Fprintf(&b, "[%v]", cell)
		}
		b.WriteByte(':')
	}
	b.WriteByte(' ')
	b.WriteString(oneLine(e.Message))
	gap := "  "
	for _, key := range slices.Sorted(maps.Keys(e.Data)) {
		if key != subsystemField && key != cellField {
			fmt.Fprintf(&b, "%s%s=%s", gap, key, quoteIfNeeded(fmt.Sprint(e.Data[key])))
			gap = " "
		}
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

func unprintable(r rune) bool { return !strconv.IsPrint(r) }

// oneLine escapes what would break the line or move the cursor.
func oneLine(s string) string {
	if !strings.ContainsFunc(s, unprintable) {
		return s
	}
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}

// quoteIfNeeded quotes a value that could be taken for more than one.
func quoteIfNeeded(s string) string {
	if s == "" || strings.ContainsAny(s, " \"=") || strings.ContainsFunc(s, unprintable) {
		return strconv.Quote(s)
	}
	return s
}
