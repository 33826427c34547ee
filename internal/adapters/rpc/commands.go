package rpc

import "acyclic/internal/adapters/rpc/commands"

// command is a command and what carries it out.
type command struct {
	*commands.Command
	run run
}

type run func(*call, arguments) (any, error)

// table has all commands, by name.
var table = join(map[string]run{
	"getbestblockhash":      getBestBlockHash,
	"getblock":              getBlock,
	"getblockchaininfo":     getBlockchainInfo,
	"getblockcount":         getBlockCount,
	"getblockhash":          getBlockHash,
	"getblockheader":        getBlockHeader,
	"getmempoolancestors":   getMempoolAncestors,
	"getmempooldescendants": getMempoolDescendants,
	"getmempoolentry":       getMempoolEntry,
	"getmempoolinfo":        getMempoolInfo,
	"getrawmempool":         getRawMempool,
	"gettxout":              getTxOut,
	"gettxspendingprevout":  getTxSpendingPrevout,
	"savemempool":           saveMempool,
	"generateblock":         generateBlock,
	"getblocktemplate":      getBlockTemplate,
	"prioritisetransaction": prioritiseTransaction,
	"decoderawtransaction":  decodeRawTransaction,
	"decodescript":          decodeScript,
	"getrawtransaction":     getRawTransaction,
	"sendrawtransaction":    sendRawTransaction,
	"testmempoolaccept":     testMempoolAccept,
	"help":                  help,
	"stop":                  stop,
	"uptime":                uptime,
	"generatetoaddress":     generateToAddress,
	"submitblock":           submitBlock,
	"addnode":               addNode,
	"disconnectnode":        disconnectNode,
	"getconnectioncount":    getConnectionCount,
	"getnetworkinfo":        getNetworkInfo,
	"getpeerinfo":           getPeerInfo,
	"getmailboxes":          getMailboxes,
	"getwaitgraph":          getWaitGraph,
	"getstatus":             getStatus,
})

func join(runs map[string]run) map[string]command {
	all := map[string]command{}
	for i, c := range commands.All {
		if runs[c.Name] == nil {
			panic("rpc: nothing carries out " + c.Name)
		}
		all[c.Name] = command{&commands.All[i], runs[c.Name]}
	}
	return all
}
