// Package deps keeps the modules in go.mod while the packages that need them
// are being written.
package deps

import (
	_ "github.com/btcsuite/btcd/address/v2"
	_ "github.com/btcsuite/btcd/addrmgr"
	_ "github.com/btcsuite/btcd/blockchain"
	_ "github.com/btcsuite/btcd/btcec/v2"
	_ "github.com/btcsuite/btcd/btcjson"
	_ "github.com/btcsuite/btcd/btcutil/v2"
	_ "github.com/btcsuite/btcd/chaincfg/v2"
	_ "github.com/btcsuite/btcd/database/ffldb"
	_ "github.com/btcsuite/btcd/rpcclient"
	_ "github.com/btcsuite/btcd/txscript/v2"
	_ "github.com/btcsuite/btclog"
	_ "github.com/jessevdk/go-flags"
	_ "github.com/sirupsen/logrus"
	_ "go.uber.org/goleak"
	_ "golang.org/x/sync/errgroup"
	_ "golang.org/x/term"
)
