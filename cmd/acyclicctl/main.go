// Acyclicctl asks a running node, as bitcoin-cli does:
//
//	acyclicctl --regtest getblockhash 1
//	acyclicctl --help
//
// It prints strings bare and everything else as indented JSON. Its exit status is 0, or
// 1 if it could not ask (one line on standard error says why), or the absolute value of
// the node's error code.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
