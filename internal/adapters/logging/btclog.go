package logging

import (
	"fmt"

	"github.com/btcsuite/btcd/addrmgr"
	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/database"
	"github.com/btcsuite/btclog"
	"github.com/sirupsen/logrus"

	"acyclic/internal/kernel/actor"
)

// AdoptBTCD makes btcd's packages write to these logs: blockchain and its
// database as "engine", the address manager as "book". Their loggers are
// package variables, so this is for main, once, before they are used.
//
// Our components say better what btcd says at info. It is left out unless the
// subsystem's level is debug or trace.
func (l *Logs) AdoptBTCD() {
	blockchain.UseLogger(l.btclog("engine"))
	database.UseLogger(l.btclog("engine"))
	addrmgr.UseLogger(l.btclog("book"))
}

func (l *Logs) btclog(subsystem string) btclog.Logger {
	// btcd's levels are in the opposite order, from LevelTrace on.
	level := btclog.Level(actor.Trace - l.cfg.Levels.Level(subsystem))
	if level == btclog.LevelInfo {
		level = btclog.LevelWarn
	}
	return btcdLogger{to: l.Logger(subsystem), level: level}
}

// btcdLogger is a btclog.Logger that writes to logrus.
type btcdLogger struct {
	to    *logrus.Entry
	level btclog.Level
}

// Level is asked by btcd before it makes an expensive message.
func (a btcdLogger) Level() btclog.Level { return a.level }

// SetLevel does nothing: --debuglevel sets the levels.
func (a btcdLogger) SetLevel(btclog.Level) {}

func (a btcdLogger) log(at btclog.Level, v []any) {
	if at >= a.level {
		a.to.Log(logrus.TraceLevel-logrus.Level(min(at, btclog.LevelError)), fmt.Sprint(v...))
	}
}

func (a btcdLogger) logf(at btclog.Level, format string, v []any) {
	if at >= a.level {
		a.log(at, []any{fmt.Sprintf(format, v...)})
	}
}

// The rest is btclog.Logger, method by method.

func (a btcdLogger) Trace(v ...any)    { a.log(btclog.LevelTrace, v) }
func (a btcdLogger) Debug(v ...any)    { a.log(btclog.LevelDebug, v) }
func (a btcdLogger) Info(v ...any)     { a.log(btclog.LevelInfo, v) }
func (a btcdLogger) Warn(v ...any)     { a.log(btclog.LevelWarn, v) }
func (a btcdLogger) Error(v ...any)    { a.log(btclog.LevelError, v) }
func (a btcdLogger) Critical(v ...any) { a.log(btclog.LevelCritical, v) }

func (a btcdLogger) Tracef(f string, v ...any)    { a.logf(btclog.LevelTrace, f, v) }
func (a btcdLogger) Debugf(f string, v ...any)    { a.logf(btclog.LevelDebug, f, v) }
func (a btcdLogger) Infof(f string, v ...any)     { a.logf(btclog.LevelInfo, f, v) }
func (a btcdLogger) Warnf(f string, v ...any)     { a.logf(btclog.LevelWarn, f, v) }
func (a btcdLogger) Errorf(f string, v ...any)    { a.logf(btclog.LevelError, f, v) }
func (a btcdLogger) Criticalf(f string, v ...any) { a.logf(btclog.LevelCritical, f, v) }
