//go:build race

package waitgraph

// race says that the race detector runs. What is tested here runs on one
// goroutine, and takes ten times as long.
const race = true
