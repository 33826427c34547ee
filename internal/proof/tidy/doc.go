// Package tidy holds the laws of ARCHITECTURE.md that can be read off the
// source, as analyzers for go vet and as tests.
//
//	go build -o acyclicvet ./internal/proof/tidy/acyclicvet
//	go vet -vettool=./acyclicvet ./...
//
// The rules:
//
//   - pure (L1, L10): a component has nothing to wait with and nothing to be
//     surprised by. No goroutine, channel, lock, socket, file, clock or global
//     chance, no ranging over a map, no package variable that changes, nothing
//     in its state but plain data: not in its own code, and not in any function
//     of another package that it names. This is proved bottom up: each function
//     of this module and of the modules it uses gets a verdict, which go vet
//     passes on as a fact; for the standard library there is a table (facts
//     would condemn fmt.Sprintf for the pool it uses). What has no verdict is
//     forbidden.
//   - contract: other components know a component by its contract.go alone,
//     and its adapters by its ports.go too. The wiring knows all of it.
//   - layers: imports point downwards, see floors and mayImport.
//   - correctness: where an adapter or the kernel waits, a comment "correctness:"
//     at the function, at the statement or at one around it says why that
//     cannot stop anybody else: at operations on channels, and at the calls of
//     a list, which wait for others, the network, processes, the other end of a
//     reader or writer, or the disk when a cache is flushed.
//   - bounds (L4): the capacity of a queue comes from the package's bounds.go or
//     from internal/node/limits.go. In components and adapters every constant
//     duration, wherever it goes, and each size that bounds a read is a constant
//     with a name and a reason beside it, or a field with a reason beside it in
//     one of these files. Times are known by their type, capacities and sizes by
//     what variables, fields and parameters of the package are given.
//
// Naming a function counts as calling it, so calls through a parameter or a
// local variable are covered where their value is made. What is kept in a field
// or a package variable, given to an exported function in whatever it holds, or
// taken out of an interface, may come from anywhere and is flagged; so is a
// method of an interface that is not in the table of those that only calculate.
// Readers and writers are in that table, for codecs need them; so a component
// keeps none, and none is given to it.
//
// What is not seen: the methods that fmt and others call on a value they are
// given (String, Error, Less), unless they are a component's own; what stands
// behind an interface in a component's state; what the standard library does
// inside; a duration or a capacity that is the result of a function, or is
// calculated from plain numbers by more than one step. A mutex is not among the
// waits for which an adapter must give reasons, nor are the calls of package os that
// open, rename or list files.
//
// Every package is in one of the tables in tables.go: a component, an adapter or
// wiring, or one of the others, which are held to none of this; a new one fails
// the tests until it is put into one.
//
// Exceptions stand in tables.go with a reason each. In the code itself there
// are two, each a comment right above the statement; without a reason, or where
// nothing needs it, the comment is itself a finding:
//
//	//tidy:order <why the order of a map has no effect here>
//	//tidy:outside <why this function from outside is harmless>
//
// Test files are held to none of this.
//
// Each package is looked at by itself here. Package waitgraph, below this one,
// looks at the whole program: who may wait for whom through which calls.
package tidy
