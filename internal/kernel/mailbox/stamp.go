package mailbox

import "time"

// begin is a time of this process, with its monotonic reading.
var begin = time.Now()

// Stamp is a time as mailboxes keep it: unix nanoseconds that the wall clock cannot move
// once the process runs. A step of the clock, or a suspended machine, ends no question
// before its time, and changes no input's age. For times without a monotonic reading (a
// virtual clock's) it is UnixNano.
func Stamp(t time.Time) int64 { return begin.UnixNano() + int64(t.Sub(begin)) }

// Age is how long before now a stamp was.
func Age(stamp int64, now time.Time) time.Duration { return time.Duration(Stamp(now) - stamp) }

// Until is the time of a stamp, as seen at now.
func Until(stamp int64, now time.Time) time.Time {
	return now.Add(-Age(stamp, now))
}
