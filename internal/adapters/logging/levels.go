package logging

import (
	"cmp"

	"acyclic/internal/kernel/actor"
)

// Levels says from which severity on a subsystem's records are written. The names are
// those of the configuration, which has checked them.
type Levels struct {
	Default string            // of every subsystem not named in Of; "" means info
	Of      map[string]string // by subsystem
}

// levels are btcd's names. critical is what btcd calls its gravest errors.
var levels = map[string]actor.Level{
	"trace": actor.Trace, "debug": actor.Debug, "info": actor.Info,
	"warn": actor.Warn, "error": actor.Error, "critical": actor.Error,
}

// Level returns the level of a subsystem.
func (l Levels) Level(subsystem string) actor.Level {
	return levels[cmp.Or(l.Of[subsystem], l.Default, "info")]
}
