package nodes

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// Build has the go command build a package into a file. dir is a folder of the
// module whose go.mod pins the versions; empty means the current folder.
func Build(ctx context.Context, dir, importPath, file string, flags ...string) error {
	args := append([]string{"build", "-o", file}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, importPath)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", importPath, err, strings.TrimSpace(string(out)))
	}
	return nil
}
