// Package rpc is the adapter that serves JSON-RPC over HTTP as Bitcoin Core does,
// so that bitcoin-cli and similar programs can talk to this node.
//
//	request ─► http.go   checks the password and waits for a handler
//	           request.go   JSON-RPC 1.0, 1.1 or 2.0; one call or a batch, of bounded size
//	           commands     the table of commands, which the client shares
//	           params.go    arguments are checked
//	           chaincmds.go, netcmds.go, poolcmds.go, submittx.go, template.go ...
//	                        questions to components, answers in Core's shapes
//	reply   ◄─ reply.go     results and errors with Core's codes and statuses
//
// GET /health and /ready (health.go) say whether the process lives and whether the
// node works. They need no password and tell no secrets. GET /metrics, for
// Prometheus, needs the password.
//
// A handler owns one [adapter.Asker] while it works, and asks components through
// its ports. Each question ends by answer, timeout or the target's death. It becomes
// a result, or an error that says which component did not answer. There are as many
// handlers as askers. Further requests wait in a bounded queue with a deadline, and
// are then refused with status 503. Every client has a limited time to send a request
// and to take its reply. Then it loses its connection, because connections are few.
//
// Codes, statuses, limits and the order of fields are those of Bitcoin Core 29. A
// field whose value this node cannot know is left out.
package rpc
