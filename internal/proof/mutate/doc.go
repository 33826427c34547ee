// Command mutate tries the small faults of a tired maintainer all over the kernel and
// the five components, relay's trackers with them, and says which of them no test notices.
//
//	go run ./internal/proof/mutate -renew                # all; writes TABLE.md and SLOW.txt
//	go run ./internal/proof/mutate -run '^relay/' -quick # one folder, on short tests
//	go run ./internal/proof/mutate -quick -for 1m        # a sample, another one each day
//	go run ./internal/proof/mutate -list
//
// # The faults
//
//   - drop: a statement, a case or an early exit is not there. So a wake-up is not sent,
//     or a place is not given back. Where a case has a condition, the next ones are
//     tried; where it has a value or a type, nothing is done;
//   - skip: the body of a loop is not run, or the branch for an error;
//   - negate: a condition, or a result that is true or false;
//   - leave out: an operand of && or ||, the second operand of a sum, of min or of max;
//   - off by one: < for <=, and the like, for times too;
//   - forget the clock: a Deadline does not look at a time;
//   - return no error, return no time;
//   - swap: two neighbours in the other order, if they are about the same thing and one
//     of them is a call;
//   - wrong field: the next field of the same type is looked at. A test whose fixture
//     gives both the same value does not see it;
//   - swap arguments: two neighbours of the same type.
//
// What only tells somebody something (log records, texts of package fmt, String, panics)
// and what is part of the proof (Check) has no mutants.
//
// # How
//
// All mutants are compiled into the tests once, each behind a switch (package mutant).
// An overlay puts them in, so no file of the tree changes. First each test runs without
// a mutant, and notes which of them it reaches. Then each mutant is tried on the tests
// that reach it: those of its own package first, then the shortest, until one fails. A
// test that takes longer than -limit is left out. A mutant that no test catches must
// stand in SURVIVORS.txt, with the reason for which it may live. SLOW.txt lists those that
// no short test catches, which a quick run leaves out.
//
// A mutation tester that compiles and links for each mutant, such as gremlins, links the
// tests as often as there are mutants: more than five thousand times.
package main
