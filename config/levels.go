package config

import (
	"fmt"
	"slices"
	"strings"
)

// Subsystems are the names that --debuglevel knows, sorted.
var Subsystems = []string{
	"book", "chain", "engine", "netsync", "node", "peer", "relay", "rpc", "server", "transport",
}

// LevelNames are btcd's. critical is what btcd calls its gravest errors.
var LevelNames = []string{"trace", "debug", "info", "warn", "error", "critical"}

// Levels are the log levels, by name.
type Levels struct {
	Default string            // of every subsystem not named in Of
	Of      map[string]string // by subsystem
}

// parseLevels reads btcd's --debuglevel: a level for everything, or
// subsystem=level pairs, separated by commas. A bare level among pairs is for
// the subsystems not named. The error says what was wrong and what is right.
func parseLevels(s string) (Levels, error) {
	levels := Levels{Default: "info", Of: map[string]string{}}
	for part := range strings.SplitSeq(s, ",") {
		subsystem, level, pair := strings.Cut(strings.TrimSpace(part), "=")
		if !pair {
			level = subsystem
		}
		switch {
		case !slices.Contains(LevelNames, level):
			return Levels{}, fmt.Errorf("%q is not a level; want trace, debug, info, warn, error or critical", level)
		case !pair:
			levels.Default = level
		case !slices.Contains(Subsystems, subsystem):
			return Levels{}, fmt.Errorf("%q is not a subsystem; want %s", subsystem, strings.Join(Subsystems, ", "))
		default:
			levels.Of[subsystem] = level
		}
	}
	return levels, nil
}
