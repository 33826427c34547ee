package logging

import (
	"os"

	"golang.org/x/term"
)

// Live shows a line below the log, cut to the width of the screen. It replaces the
// line before; "" wipes that. Live returns false, and shows nothing, if the screen is
// no terminal.
func (l *Logs) Live(line string) bool {
	if l.cfg.Terminal {
		l.sink.setLive(fit(line, l.width()))
	}
	return l.cfg.Terminal
}

// width returns the columns of the screen.
func (l *Logs) width() int {
	if f, ok := l.cfg.Screen.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
	}
	return 80
}

// fit cuts a line so that it does not wrap: a wrapped line cannot be wiped.
func fit(line string, width int) string {
	if len(line) < width {
		return line
	}
	return line[:max(width-1, 0)]
}
