package live

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// calls waits for what is not of this program, and does not say why it may.
func calls(ctx context.Context, l net.Listener, c net.Conn, tcp *net.TCPConn, r io.Reader, w io.Writer, once *sync.Once) {
	l.Accept()                                     // want "calls .net.Listener..Accept"
	c.Read(nil)                                    // want "calls .net.Conn..Read"
	c.Write(nil)                                   // want "calls .net.Conn..Write"
	tcp.ReadFrom(r)                                // want "calls .*net.TCPConn..ReadFrom"
	net.Dial("tcp", "")                            // want "calls net.Dial"
	net.DefaultResolver.LookupNetIP(ctx, "ip", "") // want "calls .*net.Resolver..LookupNetIP"
	(&net.Dialer{}).DialContext(ctx, "tcp", "")    // want "calls .*net.Dialer..DialContext"
	io.Copy(w, r)                                  // want "calls io.Copy"
	io.Copy(io.Discard, r)                         // want "calls io.Copy"
	io.ReadAll(r)                                  // want "calls io.ReadAll"
	fmt.Fprintln(w)                                // want "calls fmt.Fprintln"
	fmt.Println()                                  // want "calls fmt.Println"
	bufio.NewWriter(w).Flush()                     // want "calls .*bufio.Writer..Flush"
	http.Get("")                                   // want "calls net/http.Get"
	(&http.Server{}).Shutdown(ctx)                 // want "calls .*http.Server..Shutdown"
	(&http.Server{}).Serve(l)                      // want "calls .*http.Server..Serve"
	http.DefaultClient.Do(nil)                     // want "calls .*http.Client..Do"
	exec.Command("x").Run()                        // want "calls .*exec.Cmd..Run"
	os.Stderr.Write(nil)                           // want "calls .*os.File..Write"
	once.Do(func() {})                             // want "calls .*sync.Once..Do"
	read := c.Read                                 // want "calls .net.Conn..Read"
	_ = read
}

// memory reads and writes without a wait.
func memory(v any, h http.Header) {
	var b bytes.Buffer
	var s strings.Builder
	fmt.Fprintln(&b, v)
	fmt.Fprintln(&s, v)
	b.WriteTo(&s)
	io.Copy(&b, strings.NewReader("x"))
	io.Copy(io.Discard, &b)
	fnv.New64a().Write(nil)
	h.Get("x")
}
