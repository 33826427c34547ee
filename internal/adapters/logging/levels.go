package logging

import (
	"github.com/sirupsen/logrus"

	"acyclic/internal/kernel/actor"
)

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

// NewLevels are levels by their names in the configuration, which has checked
// them: that of every subsystem, and of those that have their own.
func NewLevels(standard string, of map[string]string) Levels {
	l := Levels{Default: levelNames[standard], Of: map[string]actor.Level{}}
	for subsystem, name := range of {
		l.Of[subsystem] = levelNames[name]
	}
	return l
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
