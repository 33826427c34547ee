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
// What btcd has to say at info is said better by our components, so it is held
// back unless the subsystem's level is debug or trace.
func (l *Logs) AdoptBTCD() {
	blockchain.UseLogger(l.btclog("engine"))
	database.UseLogger(l.btclog("engine"))
	addrmgr.UseLogger(l.btclog("book"))
}

func (l *Logs) btclog(subsystem string) btclog.Logger {
	a := btcdLogger{to: l.Logger(subsystem), level: btclog.LevelWarn}
	switch l.cfg.Levels.Level(subsystem) {
	case actor.Trace:
		a.level = btclog.LevelTrace
	case actor.Debug:
		a.level = btclog.LevelDebug
	case actor.Error:
		a.level = btclog.LevelError
	}
	return a
}

// btcdLogger is a btclog.Logger that writes to logrus.
type btcdLogger struct {
	to    *logrus.Entry
	level btclog.Level
}

// Level is asked by btcd before it makes an expensive message.
func (a btcdLogger) Level() btclog.Level { return a.level }

// SetLevel does nothing: levels are set by --debuglevel.
func (a btcdLogger) SetLevel(btclog.Level) {}

func (a btcdLogger) log(at btclog.Level, as logrus.Level, v []any) {
	if at >= a.level {
		a.to.Log(as, fmt.Sprint(v...))
	}
}

func (a btcdLogger) logf(at btclog.Level, as logrus.Level, format string, v []any) {
	if at >= a.level {
		a.to.Logf(as, format, v...)
	}
}

// The rest is btclog.Logger, method by method.

func (a btcdLogger) Trace(v ...any)    { a.log(btclog.LevelTrace, logrus.TraceLevel, v) }
func (a btcdLogger) Debug(v ...any)    { a.log(btclog.LevelDebug, logrus.DebugLevel, v) }
func (a btcdLogger) Info(v ...any)     { a.log(btclog.LevelInfo, logrus.InfoLevel, v) }
func (a btcdLogger) Warn(v ...any)     { a.log(btclog.LevelWarn, logrus.WarnLevel, v) }
func (a btcdLogger) Error(v ...any)    { a.log(btclog.LevelError, logrus.ErrorLevel, v) }
func (a btcdLogger) Critical(v ...any) { a.log(btclog.LevelCritical, logrus.ErrorLevel, v) }

func (a btcdLogger) Tracef(f string, v ...any) { a.logf(btclog.LevelTrace, logrus.TraceLevel, f, v) }
func (a btcdLogger) Debugf(f string, v ...any) { a.logf(btclog.LevelDebug, logrus.DebugLevel, f, v) }
func (a btcdLogger) Infof(f string, v ...any)  { a.logf(btclog.LevelInfo, logrus.InfoLevel, f, v) }
func (a btcdLogger) Warnf(f string, v ...any)  { a.logf(btclog.LevelWarn, logrus.WarnLevel, f, v) }
func (a btcdLogger) Errorf(f string, v ...any) { a.logf(btclog.LevelError, logrus.ErrorLevel, f, v) }
func (a btcdLogger) Criticalf(f string, v ...any) {
	a.logf(btclog.LevelCritical, logrus.ErrorLevel, f, v)
}
