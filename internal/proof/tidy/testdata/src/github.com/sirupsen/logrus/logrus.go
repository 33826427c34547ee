package logrus

import "sync"

var mu sync.Mutex

func Info(args ...any) {
	mu.Lock()
	defer mu.Unlock()
}
