package config

// options are the flags and the keys of the ini file as they are written, with
// btcd's names. Values stay strings until the check that their want tag names
// (check.go) has looked at them, so that check.go words all complaints.
type options struct {
	NetworkFlags

	DataDir    string `short:"b" long:"datadir" want:"dir" value-name:"DIR" description:"Directory to store data, one below it per network (default: ~/.acyclic/data)"`
	LogDir     string `long:"logdir" want:"dir" value-name:"DIR" description:"Directory to log output, one below it per network (default: ~/.acyclic/logs)"`
	ConfigFile string `short:"C" long:"configfile" want:"said the path of an ini file" value-name:"FILE" no-ini:"true" description:"Path to the configuration file (default: ~/.acyclic/acyclic.conf, which --regtest, --simnet and --signet do not read)"`

	Listen    []string `long:"listen" want:"listen" value-name:"ADDR" description:"Listen for peers on this address; may be given more than once (default: all interfaces, the network's port)"`
	NoListen  bool     `long:"nolisten" description:"Do not listen for peers. Also the effect of --connect without --listen"`
	Connect   []string `long:"connect" want:"host" value-name:"ADDR" description:"Connect to this peer and to no others; may be given more than once"`
	AddPeer   []string `short:"a" long:"addpeer" want:"host" value-name:"ADDR" description:"Connect to this peer and keep the connection; may be given more than once"`
	MaxPeers  string   `long:"maxpeers" want:"number 1 10000" value-name:"N" default:"125" description:"Max number of inbound and outbound peers"`
	NoDNSSeed bool     `long:"nodnsseed" description:"Do not ask DNS seeds for peers. Also the effect of --connect"`
	UAComment []string `long:"uacomment" want:"comment" value-name:"TEXT" description:"Comment to add to the user agent, see BIP14; may be given more than once"`

	NoCheckpoints    bool     `long:"nocheckpoints" description:"Do not use checkpoints, added ones neither: every script is run, which is slow"`
	AddCheckpoint    []string `long:"addcheckpoint" want:"checkpoint" value-name:"HEIGHT:HASH" description:"Add a checkpoint; may be given more than once"`
	UtxoCacheMaxSize string   `long:"utxocachemaxsize" want:"number 0 1048576" value-name:"MIB" default:"250" description:"Max size of the cache of unspent outputs"`
	Prune            string   `long:"prune" want:"prune" value-name:"MIB" default:"0" description:"Delete old blocks so that about this much is kept: 0 (keep all) or at least 1536"`

	MaxMempool     string `long:"maxmempool" want:"number 5 1048576" value-name:"MB" default:"300" description:"Max size of the pool of transactions in memory, in millions of bytes"`
	MinRelayTxFee  string `long:"minrelaytxfee" want:"feerate" value-name:"BTC" default:"0.00001" description:"The lowest fee of a transaction that is taken and relayed, in BTC for 1,000 virtual bytes"`
	MempoolExpiry  string `long:"mempoolexpiry" want:"number 1 87600" value-name:"HOURS" default:"336" description:"How long a transaction may stay in the pool"`
	PersistMempool string `long:"persistmempool" want:"switch" value-name:"0|1" optional:"true" optional-value:"1" default:"1" description:"Keep the pool in mempool.dat between runs. --nopersistmempool is --persistmempool=0"`
	BlocksOnly     bool   `long:"blocksonly" description:"Ask peers for no transactions and relay none but those sent by RPC"`

	DebugLevel string `short:"d" long:"debuglevel" want:"levels" value-name:"LEVEL" default:"info" description:"Log level: trace, debug, info, warn, error or critical, or subsystem=level,...; show lists the subsystems"`
	LogFormat  string `long:"logformat" want:"format" value-name:"FORMAT" default:"text" description:"Format of log lines: text or json"`

	RPCListen []string `long:"rpclisten" want:"listen" value-name:"ADDR" description:"Listen for RPC on this address; may be given more than once. An address that is not loopback needs --rpcuser and --rpcpass (default: 127.0.0.1 and ::1, the network's port)"`
	RPCUser   string   `short:"u" long:"rpcuser" want:"user" value-name:"NAME" description:"User name for RPC. Without it clients read the .cookie file in the network's data directory"`
	RPCPass   string   `short:"P" long:"rpcpass" want:"said a password" value-name:"PASSWORD" default-mask:"-" description:"Password for RPC"`
	NoRPC     bool     `long:"norpc" description:"Do not serve RPC, whatever the other RPC options say"`

	Profile string `long:"profile" want:"number 1024 65535" value-name:"PORT" description:"Serve HTTP profiling on 127.0.0.1 at this port, 1024 to 65535"`
	Version bool   `short:"V" long:"version" no-ini:"true" description:"Print the version and exit"`
}
