// Coverage says how much of the components and of the kernel the simulator and the explorer
// run, and what neither reaches. What is never run is not shown by them.
//
//	go run ./internal/proof/coverage                          the table, and what neither reaches
//	go run ./internal/proof/coverage -missing=simulator       ... and what the simulator does not reach
//	go run ./internal/proof/coverage sim.cov explore.cov      the same, of profiles made before
//
// The simulator runs the default seeds of its worlds, without the nodes that are broken on
// purpose. The explorer runs TestEveryInterleavingKeepsTheLaws. The kernel is what both
// drivers share: actor, mailbox, bus and cell. internal/kernel/adapter and
// internal/kernel/live are for the live driver alone, and its own tests run them.
//
// It exits with 1 if a bar is missed: 90 % of the kernel and of each component by the
// simulator, 70 % of netsync, relay, peer and chain by the explorer.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

var missing = flag.String("missing", "both", "list what is not reached by the `simulator`, the explorer, or either (both); or none")

func main() {
	flag.Parse()
	ok, err := report(flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// runs are the tests whose coverage is measured, in the order of profiles.
var runs = [runners][]string{
	simulator: {"./internal/proof/sim", "-skip=^TestChecksCatchMutations$"},
	explorer:  {"./internal/proof/explore", "-run=^TestEveryInterleavingKeepsTheLaws$"},
}

// report prints the table, and says whether every bar is met.
func report(files []string) (bool, error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return false, fmt.Errorf("no module here: %w", err)
	}
	dir := strings.TrimSpace(string(root))
	if len(files) == 0 {
		tmp, err := os.MkdirTemp("", "coverage")
		if err != nil {
			return false, err
		}
		defer os.RemoveAll(tmp)
		for i := range runs {
			file := filepath.Join(tmp, runner(i).String())
			if err := measure(dir, file, runs[i]); err != nil {
				return false, err
			}
			files = append(files, file)
		}
	}
	if len(files) != int(runners) {
		return false, fmt.Errorf("%d profiles, not one of the simulator and one of the explorer", len(files))
	}
	c := coverage{}
	for i, file := range files {
		if err := c.read(runner(i), file); err != nil {
			return false, err
		}
	}
	text, ok := c.table()
	fmt.Print(text)
	by, err := named(*missing)
	if err != nil || len(by) == 0 {
		return ok, err
	}
	list, err := c.unreached(dir, by)
	fmt.Print("\n", list)
	return ok, err
}

// measure runs a test and writes its profile.
func measure(dir, file string, args []string) error {
	var pkgs []string
	for _, r := range rows {
		for _, p := range r.packages() {
			pkgs = append(pkgs, "./"+p)
		}
	}
	args = append([]string{"test", "-count=1", "-coverprofile=" + file, "-coverpkg=" + strings.Join(pkgs, ",")}, args...)
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}
