//go:build !race

package waitgraph

const race = false
