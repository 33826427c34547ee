package config

// Client is what a client reads in the node's configuration file.
type Client struct {
	NetworkFlags
	DataDir          string   // "" if the file does not say
	RPCListen        []string // where the node serves RPC; none if the file does not say
	RPCUser, RPCPass string   // both or none
}

// LoadClient reads the file that a node reads with the same options: flags and
// configFile, "" for the default file. The error is one line for the user.
func LoadClient(flags NetworkFlags, configFile string) (Client, error) {
	c := Client{NetworkFlags: flags}
	path, contents, err := readFile(&options{NetworkFlags: flags, ConfigFile: configFile}, HomeDir())
	if err != nil || path == "" {
		return c, err
	}
	var said options
	if err := parseFile(path, contents, &said); err != nil {
		return c, err
	}
	if !flags.any() {
		c.NetworkFlags = said.NetworkFlags
	}
	c.DataDir, c.RPCListen = said.DataDir, said.RPCListen
	if said.RPCUser != "" && said.RPCPass != "" {
		c.RPCUser, c.RPCPass = said.RPCUser, said.RPCPass
	}
	return c, nil
}

// The checks of the client's values. Each returns one line, worded as the
// node's are, or nil.

// CheckNumber wants a whole number in a range.
func CheckNumber(option, value string, low, high uint64) error {
	return checkOne(option, value, inRange(low, high))
}

// CheckHost wants a host with or without a port.
func CheckHost(option, value string) error { return checkOne(option, value, isPeerAddr) }

// CheckSaid wants a value that is not empty.
func CheckSaid(option, value, want string) error { return checkOne(option, value, isSaid(want)) }

func checkOne(option, value string, check func(string) error) error {
	if err := check(value); err != nil {
		return usage("--%s=%s: %v", option, quote(value), err)
	}
	return nil
}
