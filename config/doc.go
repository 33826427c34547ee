// Package config says how a node is to run: it reads the flags and the ini
// file, with btcd's names and defaults, and resolves them to values that the
// wiring can use as they are.
//
// [Load] reads the file first and then the command line, which wins. Every
// error of use is one line that names where the value came from, the option,
// the value and what would be right:
//
//	--maxpeers=abc: want a whole number from 1 to 10000
//	/home/u/.acyclic/acyclic.conf:7: maxpeers=abc: want a whole number from 1 to 10000
//
// [Networks] is the table of networks, which the client shares; so it does the
// wording of errors ([FlagError]) and the file ([LoadClient]). The bounds of
// the components are not options: limits.go derives them.
package config
