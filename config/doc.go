// Package config says how a node is to run. It reads the flags and the ini file,
// with btcd's names and defaults, and resolves them to values that the wiring can
// use as they are. It is a leaf: it imports no component, no kernel, no adapter.
//
// [Load] reads the command line and below it the file, each once. The command line
// wins. Every error of use is one line that names where the value
// came from, the option, the value and what would be right:
//
//	--maxpeers=abc: want a whole number from 1 to 10000
//	/home/u/.acyclic/acyclic.conf:7: maxpeers=abc: want a whole number from 1 to 10000
//
// The client shares the table of networks ([Networks]), the reading of a command
// line with its wording and its checks ([ParseArgs], [Check]), and the file
// ([LoadClient]).
// Bounds are not options: see bounds.go of each part, and internal/node/limits.go.
package config
