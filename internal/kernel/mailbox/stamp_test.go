package mailbox

import (
	"testing"
	"time"
)

// Stamps follow the monotonic clock where a time has one, and the virtual one
// where it has not; Until finds the way back.
func TestStamp(t *testing.T) {
	now := time.Now()
	if d := Stamp(now.Add(time.Minute)) - Stamp(now); d != int64(time.Minute) {
		t.Errorf("a minute is %d stamps", d)
	}
	if at := Until(Stamp(now.Add(time.Hour)), now); at.Sub(now) != time.Hour {
		t.Errorf("an hour from now is %v", at.Sub(now))
	}
	virtual := time.Date(2011, 2, 3, 0, 0, 0, 0, time.UTC)
	if Stamp(virtual) != virtual.UnixNano() {
		t.Errorf("the stamp of a virtual time is %d, want %d", Stamp(virtual), virtual.UnixNano())
	}
	// The process's wall clock at the stamp's origin; how far it has been set
	// since does not matter to a time that has a monotonic reading.
	if d := time.Duration(Stamp(now) - now.Round(0).UnixNano()); d.Abs() > time.Minute {
		t.Errorf("stamps are %v off unix time", d)
	}
}
