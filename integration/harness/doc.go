// Package harness is package nodes for tests: its methods fail the test, and no
// process outlives its test.
//
// t.Cleanup kills each process with its children. If the test binary is
// interrupted, Main kills all of them and removes their directories. If the test
// binary dies in another way (a timeout, SIGKILL), the kernel kills them on Linux,
// and the next run removes the directories.
//
// Eventually waits. It polls until a deadline, then says what it saw last.
package harness
