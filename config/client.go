package config

import "acyclic/config/hostport"

// Client is what a client reads in the node's configuration file.
type Client struct {
	Network          Network
	DataDir          string          // "" if the file does not say
	RPCListen        []hostport.Addr // where the node serves RPC; none if the file does not say
	RPCUser, RPCPass string          // both or none
}

// LoadClient reads the file that a node reads with the same options: network and
// configFile, "" for the default file. The error is one line for the user.
func LoadClient(network NetworkFlags, configFile string) (c Client, err error) {
	o := &options{NetworkFlags: network, ConfigFile: configFile}
	if _, err = readFile(newParser(o), o, HomeDir()); err != nil {
		return c, err
	}
	if c.Network, err = o.Network(); err != nil {
		return c, err
	}
	c.DataDir = o.DataDir
	for _, s := range o.RPCListen {
		addr, _ := hostport.ParseListen(s, c.Network.RPCPort) // it has been checked
		c.RPCListen = append(c.RPCListen, addr)
	}
	if o.RPCUser != "" && o.RPCPass != "" {
		c.RPCUser, c.RPCPass = o.RPCUser, o.RPCPass
	}
	return c, nil
}
