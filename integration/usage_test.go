package integration

import (
	"net"
	"os"
	"regexp"
	"strings"
	"testing"

	"acyclic/integration/harness"
)

// TestErrorsOfUse checks what a user sees after a mistake: one line on stderr
// that names the option and the value, and an exit status that is not 0.
func TestErrorsOfUse(t *testing.T) {
	oursOnly(t)
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	taken := busy.Addr().String()

	cases := []struct {
		name string
		args []string
		want []string // each is in the line
	}{
		{"an option that does not exist", []string{"--frobnicate"}, []string{"frobnicate"}},
		{"two networks", []string{"--regtest", "--testnet4"}, []string{"regtest", "testnet4"}},
		{"a bad listen address", []string{"--listen=127.0.0.1:notaport"}, []string{"listen", "127.0.0.1:notaport"}},
		{"a bad peer address", []string{"--connect=127.0.0.1:99999"}, []string{"connect", "127.0.0.1:99999"}},
		{"not a number", []string{"--maxpeers=many"}, []string{"maxpeers", "many"}},
		{"a number out of range", []string{"--maxpeers=-1"}, []string{"maxpeers", "-1"}},
		{"a level that does not exist", []string{"--debuglevel=loud"}, []string{"debuglevel", "loud"}},
		{"a format that does not exist", []string{"--logformat=xml"}, []string{"logformat", "xml"}},
		{"a malformed checkpoint", []string{"--addcheckpoint=5"}, []string{"addcheckpoint", "5"}},
		{"a file that does not exist", []string{"--configfile=/nowhere/acyclic.conf"}, []string{"configfile", "/nowhere/acyclic.conf"}},
		{"an argument", []string{"start"}, []string{"start"}},
		{"a port for peers that is in use", []string{"--listen=" + taken}, []string{"listen", taken, "in use"}},
		{"a port for RPC that is in use", []string{"--rpclisten=" + taken}, []string{"rpclisten", taken, "in use"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			dir := harness.Dir(t, "usage")
			args := []string{"--datadir=" + dir + "/data", "--logdir=" + dir + "/logs", "--nodnsseed"}
			if !strings.Contains(strings.Join(tc.args, " "), "regtest") {
				args = append(args, "--regtest")
			}
			for _, option := range []string{"--listen=", "--rpclisten="} {
				if !strings.HasPrefix(tc.args[0], option) {
					args = append(args, option+harness.FreeAddr(t))
				}
			}
			p := harness.Run(t, "acyclicd", dir, harness.AcyclicBinary(t), append(args, tc.args...)...)
			wantUsageError(t, p, tc.want)
		})
	}
}

// said matches log lines. They are not complaints.
var said = regexp.MustCompile(`(?m)^[0-9-]+ [0-9:.]+ INF .*\n`)

func wantUsageError(t *testing.T, p *harness.Process, want []string) {
	t.Helper()
	if status := p.Wait(harness.Patience); status <= 0 {
		t.Errorf("ended with status %d", status)
	}
	line := strings.TrimSpace(said.ReplaceAllString(p.Stderr(), ""))
	if line == "" || strings.Contains(line, "\n") {
		t.Errorf("complained with %q, want one line", line)
	}
	for _, part := range want {
		if !strings.Contains(line, part) {
			t.Errorf("%q does not name %q", line, part)
		}
	}
}

// TestDataDirectoryInUse starts a second node in the directory of a running
// one.
func TestDataDirectoryInUse(t *testing.T) {
	oursOnly(t)
	t.Parallel()
	first := start(t, harness.Options{})
	dir := harness.Dir(t, "second")
	second := harness.Run(t, "second", dir, harness.AcyclicBinary(t), "--regtest", "--nodnsseed",
		"--datadir="+first.Opts.Dir+"/data", "--logdir="+dir,
		"--listen="+harness.FreeAddr(t), "--rpclisten="+harness.FreeAddr(t))
	wantUsageError(t, second, []string{first.Opts.Dir + "/data", "in use"})

	if got := first.Height(); got != 0 {
		t.Errorf("the first node is at height %d", got)
	}
	first.Stop()
}

// TestDirectoriesThatCannotBeUsed: a directory cannot be made, or its contents
// are damaged. The error is one line that names the option and says what to do.
func TestDirectoriesThatCannotBeUsed(t *testing.T) {
	oursOnly(t)
	t.Parallel()
	dir := harness.Dir(t, "directories")
	file := dir + "/file"
	damaged := dir + "/damaged/regtest/blocks_ffldb"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(damaged+"/metadata", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(damaged+"/metadata/CURRENT", []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, data, logs string
		want             []string
	}{
		{"data below a file", file + "/data", dir + "/logs", []string{"--datadir", file + "/data", "not a directory; want"}},
		{"logs below a file", dir + "/data", file + "/logs", []string{"--logdir", file + "/logs", "not a directory; want"}},
		{"a damaged database", dir + "/damaged", dir + "/logs", []string{"--datadir", damaged + " is damaged", "move it away"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := harness.Run(t, "acyclicd", dir, harness.AcyclicBinary(t), "--regtest", "--nolisten", "--norpc",
				"--datadir="+tc.data, "--logdir="+tc.logs)
			wantUsageError(t, p, tc.want)
		})
	}
}

// TestVersion prints one line and starts nothing.
func TestVersion(t *testing.T) {
	oursOnly(t)
	t.Parallel()
	dir := harness.Dir(t, "version")
	p := harness.Run(t, "acyclicd", dir, harness.AcyclicBinary(t), "--version")
	if status := p.Wait(harness.Patience); status != 0 {
		t.Errorf("ended with status %d", status)
	}
	if line := p.Stdout(); !regexp.MustCompile(`^acyclicd? .*[0-9]+\.[0-9]+.*\n$`).MatchString(line) {
		t.Errorf("printed %q", line)
	}
}
