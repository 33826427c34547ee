// Package wait has the ways in which the kit and the lab let time pass.
package wait

import (
	"context"
	"fmt"
	"time"
)

// Sleep lets time pass. It returns false if ctx has ended.
func Sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
	return ctx.Err() == nil
}

// Until polls until f is done. If ctx ends first, it returns an error with the
// state that f saw last.
func Until(ctx context.Context, f func() (done bool, state string)) error {
	const least, most = 5 * time.Millisecond, 100 * time.Millisecond
	for pause := least; ; pause = min(pause*3/2, most) {
		done, state := f()
		if done {
			return nil
		}
		if !Sleep(ctx, pause) {
			return fmt.Errorf("last seen: %s", state)
		}
	}
}
