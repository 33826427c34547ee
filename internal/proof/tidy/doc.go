// Package tidy holds the laws of ARCHITECTURE.md that can be read off the
// source, as analyzers for go vet and as tests.
//
//	go build -o acyclicvet ./internal/proof/tidy/acyclicvet
//	go vet -vettool=./acyclicvet ./...
//
// The rules:
//
//   - pure (L1, L10, L11): a component has nothing to wait with and nothing to be
//     surprised by. It has no goroutine, channel, lock, timer, socket, file, clock or
//     global chance, ranges over no map, and does not recover. Of a time it uses what
//     its zone has no part in, or t.UTC(). It prints no address. Its state is plain
//     data. The same holds for every function of another package that it names, but
//     for printing. This is proved bottom up: each function of this module and
//     of the modules it uses gets a verdict, which go vet passes on as a fact.
//     The standard library has a table instead, since facts would condemn
//     fmt.Sprintf for the pool it uses. What has no verdict is forbidden.
//   - package variables (part of pure): those of components and of the kernel never
//     change. Each is a value: a copy of it shares no memory with it. Or it is a
//     table: a literal without calls, whose elements are values or functions, and
//     which is only indexed, ranged over and measured.
//   - grows (L4): if a component appends to a list that it keeps, or sets entries of a
//     map, then a condition around it measures the list, or the package deletes from,
//     cuts, clears or replaces it somewhere.
//   - contract: other components know a component by its contract.go alone. Its
//     adapters know its ports.go too. The wiring knows all of it.
//   - layers: imports point downwards. The tables are floors, mayImport and
//     importedOnlyBy.
//   - correctness: where an adapter or the kernel waits, a comment "correctness:"
//     says why that stops no other goroutine. It stands at the function, at the
//     statement or at one around it, and says what ends or bounds the wait, who is
//     not held up, or as which function it waits: the words are in endsWait. A wait is
//     an operation on a channel, or a call from a list: of what waits for goroutines,
//     the network, processes, the other end of a reader or writer, or the disk when a
//     cache is flushed. The configuration may not wait at all, nor may the kernel
//     outside of its driver. Where an adapter starts a goroutine, a comment
//     "goroutines:" says how many of it there are. It begins with one, two, at most or
//     as many.
//   - bounds (L4): in components and adapters each constant time, each capacity of
//     a channel or slice, and each size that bounds a read or a buffer has a name
//     and a reason. It is a constant with a comment, or stands in bounds.go or
//     limits.go with a comment on its line. A capacity or size may also be a field,
//     a parameter or the result of a function.
//
// Naming a function counts as calling it. So a call through a parameter or a
// local variable is covered where its value is made. A function may come from
// anywhere if a field or a package variable keeps it, if an exported function is
// given it, or if it is taken out of an interface. These are flagged. So is a
// method of an interface, unless a table says that it only calculates. Codecs
// need readers and writers, so these are in that table. Therefore a component
// keeps no reader or writer, and is given none.
//
// What is not seen:
//
//   - methods that fmt and others call on a value they are given (String, Error,
//     Less), unless they are a component's
//   - what stands behind an interface in a component's state
//   - what the standard library does inside
//   - whether a comment is true: what is written after "correctness:" or "goroutines:"
//   - a list that grows through a function that is given its address, and one that is
//     cut in one place and grows without end in another: see Check and the simulator
//   - state behind a pointer that several machines share, if the wiring gives it
//   - a time or an address inside an interface that is printed, and one in a struct
//     that is logged
//   - the number in a field, a parameter, a variable or a result: which value a
//     capacity, a size or a time has in the end, and where it comes from
//   - a time that is a plain number of seconds until it is converted
//   - sizes in fields of the standard library's types, such as MaxHeaderBytes
//   - a call of package os that opens, renames or lists files: an adapter need not
//     say why it waits there
//   - a mutex of an adapter: waitgraph sees what is done while one is held
//
// The floors in tables.go say whether a package is a component or an adapter. A new
// package takes the rules of its floor. One beside the floors fails the tests.
//
// Exceptions stand in tables.go with a reason each. The code itself may make two,
// each a comment right above the statement. A comment without a reason, or one
// that nothing needs, is itself a finding:
//
//	//tidy:order <why the order of a map has no effect here>
//	//tidy:outside <why this function from outside is harmless>
//
// Test files are held to none of this.
//
// This package looks at each package by itself. Package waitgraph, below it,
// looks at the whole program: which goroutine may wait for which through what
// calls.
package tidy
