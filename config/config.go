package config

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
)

// The program's name and version.
const (
	Name    = "acyclic"
	Version = "0.1.0"
)

// Config says how a node is to run. Everything in it is checked and resolved.
type Config struct {
	// Print is set if the user asked to be told something (--help, --version,
	// --debuglevel=show). It goes to standard output, and the exit status is 0.
	// Nothing else is set then.
	Print string

	Network Network
	// Params are a copy of the network's, whose Checkpoints are those to
	// use: none with --nocheckpoints, with --addcheckpoint's merged in.
	Params *chaincfg.Params

	DataDir    string // of the network; need not exist yet
	LogDir     string // of the network; need not exist yet
	ConfigFile string // the file that was read; "" if none

	Listen  []string // host:port to listen on for peers; none: do not listen. An empty host is all interfaces
	Connect []string // host:port; when any, connect to these only. The host may be a name
	AddPeer []string // host:port; the host may be a name

	MaxPeers  int  // inbound and outbound together
	DNSSeed   bool // may ask DNS seeds
	UserAgent string

	UtxoCacheBytes uint64 // of memory for unspent outputs
	PruneBytes     uint64 // of blocks to keep; 0: all

	MaxMempool     int64         // bytes of memory for the pool of transactions
	MinRelayTxFee  int64         // satoshi for 1,000 virtual bytes
	MempoolExpiry  time.Duration // how long a transaction may stay in the pool
	PersistMempool bool          // mempool.dat is read at the start and written at the end
	BlocksOnly     bool          // peers are asked for no transactions

	Levels  Levels
	LogJSON bool // log lines are for machines

	RPCListen        []string // host:port to serve RPC on; none: do not
	RPCUser, RPCPass string   // both or none; none: the cookie
	CookieFile       string

	ProfileAddr string // host:port for net/http/pprof; "": none
}

// HomeDir is the parent of all default directories: ~/.acyclic, or its counterpart
// on macOS and Windows.
func HomeDir() string {
	switch runtime.GOOS {
	case "windows", "darwin", "ios", "plan9":
		return btcutil.AppDataDir(Name, false)
	}
	return filepath.Join(userHome(), "."+Name)
}

// userHome is what the shell means by ~: $HOME if it is set, otherwise what the
// system knows of the user.
func userHome() string {
	if home, err := os.UserHomeDir(); err == nil {
		return home
	}
	if u, err := user.Current(); err == nil {
		return u.HomeDir
	}
	return "."
}

// DefaultDataDir is the data directory, which holds one for each network.
func DefaultDataDir() string { return filepath.Join(HomeDir(), "data") }

// CookieFile is where the node leaves the password for local clients.
func CookieFile(dataDir string, n Network) string {
	return filepath.Join(dataDir, n.Dir, ".cookie")
}

// Expand resolves a leading ~ and $VARIABLES in a path.
func Expand(path string) string {
	if rest, ok := strings.CutPrefix(path, "~"); ok && (rest == "" || os.IsPathSeparator(rest[0])) {
		path = userHome() + rest
	}
	return filepath.Clean(os.ExpandEnv(path))
}

// usage is an error of use: one line.
func usage(format string, args ...any) error {
	return errors.New(strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " "))
}

// Load reads args (without the program's name) and below them the configuration
// file. The error is one line for the user. The exit status is 1 then.
func Load(args []string) (*Config, error) { return load(args, HomeDir()) }

func load(args []string, home string) (*Config, error) {
	o, file, print, err := parse(args, home)
	if err != nil || print != "" {
		return &Config{Print: print}, err
	}
	return resolve(o, file, home)
}
