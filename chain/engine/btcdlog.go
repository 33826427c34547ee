package engine

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btclog"

	"acyclic/internal/actor"
)

// btcdLog passes what btcd's blockchain logs on to the engine that was opened
// last. btcd has one logger for the whole process.
type btcdLog struct{}

var (
	logOnce sync.Once
	logTo   atomic.Pointer[func(actor.Level, string)]
)

func takeBtcdLog(to func(actor.Level, string)) {
	logTo.Store(&to)
	logOnce.Do(func() { blockchain.UseLogger(btcdLog{}) })
}

func (btcdLog) log(level actor.Level, msg string) {
	if to := logTo.Load(); to != nil {
		(*to)(level, msg)
	}
}

// btcd's Info is our Debug: chain and netsync say the same in fewer words.
func (l btcdLog) Infof(f string, v ...any)     { l.log(actor.Debug, fmt.Sprintf(f, v...)) }
func (l btcdLog) Info(v ...any)                { l.log(actor.Debug, fmt.Sprint(v...)) }
func (l btcdLog) Warnf(f string, v ...any)     { l.log(actor.Warn, fmt.Sprintf(f, v...)) }
func (l btcdLog) Warn(v ...any)                { l.log(actor.Warn, fmt.Sprint(v...)) }
func (l btcdLog) Errorf(f string, v ...any)    { l.log(actor.Error, fmt.Sprintf(f, v...)) }
func (l btcdLog) Error(v ...any)               { l.log(actor.Error, fmt.Sprint(v...)) }
func (l btcdLog) Criticalf(f string, v ...any) { l.Errorf(f, v...) }
func (l btcdLog) Critical(v ...any)            { l.Error(v...) }

// What is finer than that is about every block and transaction.
func (btcdLog) Debugf(string, ...any) {}
func (btcdLog) Debug(...any)          {}
func (btcdLog) Tracef(string, ...any) {}
func (btcdLog) Trace(...any)          {}
func (btcdLog) Level() btclog.Level   { return btclog.LevelInfo }
func (btcdLog) SetLevel(btclog.Level) {}
