package nodes

import (
	"context"
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
