package logging

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sirupsen/logrus"

	"acyclic/internal/kernel/actor"
)

// Subsystems are the names that --debuglevel knows, sorted.
var Subsystems = []string{
	"book", "chain", "engine", "netsync", "node", "peer", "relay", "rpc", "server", "transport",
}

// Levels says from which severity on a subsystem's records are written.
type Levels struct {
	Default actor.Level            // of every subsystem not named in Of
	Of      map[string]actor.Level // by subsystem
}

// Level returns the level of a subsystem. The zero Levels means Info.
func (l Levels) Level(subsystem string) actor.Level {
	if v, ok := l.Of[subsystem]; ok {
		return v
	}
	if l.Default == 0 {
		return actor.Info
	}
	return l.Default
}

// levelNames are btcd's; critical is what btcd calls its gravest errors.
var levelNames = map[string]actor.Level{
	"trace": actor.Trace, "debug": actor.Debug, "info": actor.Info,
	"warn": actor.Warn, "error": actor.Error, "critical": actor.Error,
}

// ParseLevels reads btcd's --debuglevel: a level for everything, or
// subsystem=level pairs, separated by commas. A bare level among pairs is for
// the subsystems not named. The error says what was wrong and what is right.
func ParseLevels(s string) (Levels, error) {
	levels := Levels{Default: actor.Info, Of: map[string]actor.Level{}}
	for part := range strings.SplitSeq(s, ",") {
		subsystem, name, pair := strings.Cut(strings.TrimSpace(part), "=")
		if !pair {
			name = subsystem
		}
		level, ok := levelNames[name]
		if !ok {
			return Levels{}, fmt.Errorf("%q is not a level; want trace, debug, info, warn, error or critical", name)
		}
		if !pair {
			levels.Default = level
			continue
		}
		if !slices.Contains(Subsystems, subsystem) {
			return Levels{}, fmt.Errorf("%q is not a subsystem; want %s", subsystem, strings.Join(Subsystems, ", "))
		}
		levels.Of[subsystem] = level
	}
	return levels, nil
}

// toLogrus maps our severities to logrus's.
func toLogrus(l actor.Level) logrus.Level {
	switch l {
	case actor.Error:
		return logrus.ErrorLevel
	case actor.Warn:
		return logrus.WarnLevel
	case actor.Info:
		return logrus.InfoLevel
	case actor.Debug:
		return logrus.DebugLevel
	}
	return logrus.TraceLevel
}
