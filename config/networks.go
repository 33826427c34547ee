package config

import (
	"strconv"

	"github.com/btcsuite/btcd/chaincfg/v2"
)

// Network is one of the networks that the node knows.
type Network struct {
	Flag    string // the option that chooses it
	Dir     string // its directory below the data and log directories, as btcd calls it
	RPCPort uint16 // Bitcoin Core's; for simnet, which Core does not know, btcd's
	Params  *chaincfg.Params
}

// Port is where the network's peers listen.
func (n Network) Port() uint16 {
	port, err := strconv.ParseUint(n.Params.DefaultPort, 10, 16)
	if err != nil {
		panic(err) // btcd's table is wrong
	}
	return uint16(port)
}

// Networks lists the networks, the default first.
var Networks = []Network{
	{"testnet", "testnet", 18332, &chaincfg.TestNet3Params},
	{"testnet4", "testnet4", 48332, &chaincfg.TestNet4Params},
	{"signet", "signet", 38332, &chaincfg.SigNetParams},
	{"simnet", "simnet", 18556, &chaincfg.SimNetParams},
	{"regtest", "regtest", 18443, &chaincfg.RegressionNetParams},
	{"mainnet", "mainnet", 8332, &chaincfg.MainNetParams},
}

// NetworkFlags is a group of options that choose a network. The client embeds
// it too. The fields are in the order of Networks.
type NetworkFlags struct {
	TestNet3 bool `long:"testnet" description:"Use the test network, version 3 (the default)"`
	TestNet4 bool `long:"testnet4" description:"Use the test network, version 4"`
	SigNet   bool `long:"signet" description:"Use the signet test network"`
	SimNet   bool `long:"simnet" description:"Use the simulation test network"`
	RegTest  bool `long:"regtest" description:"Use the regression test network"`
	MainNet  bool `long:"mainnet" description:"Use the main network"`
}

// Network returns the network that was chosen, the default one if none was. Two of
// them are an error.
func (f NetworkFlags) Network() (Network, error) {
	found := Networks[:0:0]
	for i, yes := range [...]bool{f.TestNet3, f.TestNet4, f.SigNet, f.SimNet, f.RegTest, f.MainNet} {
		if yes {
			found = append(found, Networks[i])
		}
	}
	if len(found) > 1 {
		return Network{}, usage("--%s and --%s: want one network only", found[0].Flag, found[1].Flag)
	}
	return append(found, Networks[0])[0], nil
}
