// Package rpc is the adapter that serves JSON-RPC over HTTP as Bitcoin Core does,
// so that bitcoin-cli and everything written for it can talk to this node.
//
//	request ─► http.go   is the password right, is a handler free
//	           request.go   JSON-RPC 1.0, 1.1 or 2.0; one call or a batch, of bounded size
//	           commands     the table of commands, which the client shares
//	           params.go    arguments are checked
//	           chaincmds.go, netcmds.go, mining.go, control.go, waitgraph.go
//	                        questions to components, answers in Core's shapes
//	reply   ◄─ reply.go     results and errors with Core's codes and statuses
//
// GET /health and /ready (health.go) say whether the process lives and whether
// the node works; they need no password and tell no secrets. GET /metrics, for
// Prometheus, needs it.
//
// A handler owns one [adapter.Asker] while it works, and asks components through
// its ports: each question ends by answer, timeout or the target's death, and
// becomes a result or an error that says which component did not answer. There
// are as many handlers as askers; further requests wait in a bounded queue with
// a deadline, then they are turned away with status 503. A client, with or
// without a password, has a time to send a request and to take its reply, then
// it loses its connection: there are few of them.
//
// Numbers (codes, statuses, limits, orders of fields) are those of Bitcoin Core
// 29. Where this node cannot know a value the field is left out, as Core leaves
// out optional ones.
package rpc
