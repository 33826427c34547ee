package logging

import "testing"

func TestFit(t *testing.T) {
	if got := fit("12345", 5); got != "1234" {
		t.Errorf("%q: the last column stays free, or the terminal wraps", got)
	}
	if got := fit("1234", 5); got != "1234" {
		t.Errorf("%q", got)
	}
}
