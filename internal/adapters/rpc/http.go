package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"acyclic/internal/kernel/adapter"
)

// ServeHTTP answers one HTTP request with Core's statuses: 405 for anything but
// POST, 401 without the password, 503 when too much is waiting.
//
// correctness: each connection has a goroutine, for which nothing waits. It waits
// for the client, for a free handler and for answers, each with a deadline. It
// holds its connection and, while it works, one asker. The deadlines for the
// client are the server's (Bind), and those that respond and overloaded set.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.serveHealth(w, r) || s.serveMetrics(w, r) {
		return
	}
	if r.Method != http.MethodPost {
		plain(w, http.StatusMethodNotAllowed, "JSONRPC server handles only POST requests")
		return
	}
	if r.URL.Path != "/" {
		plain(w, http.StatusNotFound, "")
		return
	}
	if !s.authorized(w, r) {
		return
	}
	if doing := s.warmup.Load(); doing != nil {
		s.respond(w, r, func(*request) ([]byte, error) { return nil, fail(codeWarmup, "%s", *doing) })
		return
	}
	node := s.node.Load()
	select {
	case node.queue <- struct{}{}:
		defer func() { <-node.queue }()
	default:
		s.overloaded(w)
		return
	}
	asker := s.acquire(r.Context(), node)
	if asker == nil {
		s.overloaded(w)
		return
	}
	defer func() { node.free <- asker }()
	s.respond(w, r, (&call{Node: &node.Node, ctx: r.Context(), asker: asker, size: node.size, polls: node.polls, log: s.cfg.Log}).execute)
}

// acquire waits for a handler's asker. It returns nil if there was none in time.
//
// correctness: the queue that the request waits in is bounded. The wait ends after
// WaitFor or with the client's connection. The handler that has an asker gives it
// back without waiting for this one.
func (s *Server) acquire(ctx context.Context, n *attached) adapter.Asker {
	timeout := time.NewTimer(s.cfg.WaitFor)
	defer timeout.Stop()
	select {
	case a := <-n.free:
		return a
	case <-timeout.C:
	case <-ctx.Done():
	}
	return nil
}

// authorized checks the password. A wrong one costs the caller time.
//
// correctness: the request is not in the queue yet. Penalty bounds the wait.
func (s *Server) authorized(w http.ResponseWriter, r *http.Request) bool {
	if s.creds.match(r) {
		return true
	}
	if r.Header.Get("Authorization") != "" {
		s.cfg.Log.WithField("from", r.RemoteAddr).Warn("incorrect password for RPC")
		select {
		case <-time.After(s.cfg.Penalty):
		case <-r.Context().Done():
		}
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="jsonrpc"`)
	plain(w, http.StatusUnauthorized, "")
	return false
}

// overloaded refuses a request, perhaps after it has waited in the queue.
func (s *Server) overloaded(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.cfg.IOFor))
	s.cfg.Log.Warn("request rejected because the RPC work queue depth was exceeded")
	plain(w, http.StatusServiceUnavailable, "Work queue depth exceeded")
}

// plain answers in words. A refusal ends the connection too: connections are few,
// and other clients wait for one.
//
// correctness: waits for the client only, no longer than IOFor.
func plain(w http.ResponseWriter, status int, text string) {
	if status >= http.StatusBadRequest {
		w.Header().Set("Connection", "close")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	io.WriteString(w, text)
}

// respond reads the body, carries out its calls one after the other, and replies.
//
// correctness: waits for the client only, at most IOFor each way. It holds one
// handler, and there are others.
func (s *Server) respond(w http.ResponseWriter, r *http.Request, exec executor) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(s.cfg.IOFor))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.cfg.MaxBody))
	if err != nil {
		_ = control.SetWriteDeadline(time.Now().Add(s.cfg.IOFor))
		plain(w, http.StatusRequestEntityTooLarge, "The request is too large or came too slowly")
		return
	}
	// From here on the server reads only to see whether the client has gone.
	_ = control.SetReadDeadline(time.Time{})

	status, answer := answerBody(r.Context(), body, s.cfg.MaxBatch, s.cfg.MaxReply, exec)
	_ = control.SetWriteDeadline(time.Now().Add(s.cfg.IOFor))
	if answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(answer)
}

// executor carries out a call and makes its reply, or fails.
type executor func(*request) ([]byte, error)

// answerBody carries out a body's calls, at most most of them, until their replies
// have full bytes. A nil answer means no content.
func answerBody(ctx context.Context, body []byte, most, full int, exec executor) (status int, answer []byte) {
	single, batch, err := parseBody(body, most)
	switch {
	case err != nil:
		return asRPCError(err).Code.status(), marshal(reply(false, nil, nil, err))
	case single != nil:
		return answerSingle(single, exec)
	}
	return answerBatch(ctx, batch, full, exec)
}

func answerSingle(raw json.RawMessage, exec executor) (status int, answer []byte) {
	r, err := parseRequest(raw)
	if err == nil {
		answer, err = exec(r)
	}
	switch {
	case r.notification():
		return http.StatusNoContent, nil
	case err == nil:
		return http.StatusOK, answer
	case r.v2:
		return http.StatusOK, marshal(reply(true, r.id, nil, err))
	}
	return asRPCError(err).Code.status(), marshal(reply(false, r.id, nil, err))
}

// answerBatch carries out calls one after the other until their replies have full
// bytes. The calls that are left then, and want a reply, fail. So a reply has at
// most these bytes, those of one more call, and the ids that the client sent.
func answerBatch(ctx context.Context, batch []json.RawMessage, full int, exec executor) (status int, answer []byte) {
	answer = []byte{'['}
	for _, raw := range batch {
		if ctx.Err() != nil {
			break // the client has gone
		}
		r, err := parseRequest(raw)
		var one []byte
		switch {
		case err != nil:
		case len(answer) > full && !r.notification():
			err = fail(codeMisc, "not carried out: the replies of this batch have reached %d bytes; ask for less at a time", full)
		default:
			one, err = exec(r)
		}
		if r.notification() {
			continue
		}
		if err != nil {
			one = marshal(reply(r.v2, r.id, nil, err))
		}
		if len(answer) > 1 {
			answer = append(answer, ',')
		}
		answer = append(answer, bytes.TrimSpace(one)...)
	}
	if len(answer) == 1 && len(batch) > 0 {
		return http.StatusNoContent, nil
	}
	return http.StatusOK, append(answer, "]\n"...)
}

// execute carries out one command and makes the reply of its result. A panic is a
// bug of ours, and so is a result that cannot be JSON. The client is told, and the
// node goes on.
func (c *call) execute(r *request) (answer []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			c.log.Errorf("RPC %s panicked: %v\n%s", r.method, p, debug.Stack())
			answer, err = nil, fail(codeInternal, "%s failed: %v (a bug; the log has the stack)", r.method, p)
		}
	}()
	cmd, ok := table[r.method]
	if !ok {
		return nil, fail(codeMethodNotFound, "Method not found")
	}
	args, err := bind(r, cmd.Params, cmd.Help())
	if err != nil {
		return nil, err
	}
	result, err := cmd.run(c, args)
	if err != nil {
		return nil, err
	}
	return marshal(reply(r.v2, r.id, result, nil)), nil
}
