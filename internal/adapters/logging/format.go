package logging

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
)

// Format is how a line is made.
type Format uint8

// The formats.
const (
	Text Format = iota // for people
	JSON               // for machines: an object a line
)

// The fields that say where a record comes from.
const (
	subsystemField = "subsystem"
	cellField      = "cell"
)

func (f Format) formatter() logrus.Formatter {
	if f == JSON {
		return &logrus.JSONFormatter{TimestampFormat: time.RFC3339Nano, DisableHTMLEscape: true}
	}
	return textFormatter{}
}

// textFormatter writes
//
//	2026-01-02 15:04:05.000 INF chain: block connected  height=7 txs=1
//
// with the fields sorted by name. A message stays on one line, whatever a
// remote peer has put into it.
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
	for i, key := range sortedKeys(e.Data) {
		if i == 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, " %s=%s", key, quoteIfNeeded(fmt.Sprint(e.Data[key])))
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// sortedKeys returns the names of the fields that are shown after the message.
func sortedKeys(data logrus.Fields) []string {
	keys := make([]string, 0, len(data))
	for key := range data {
		if key != subsystemField && key != cellField {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
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
