// Streams reads and writes. Some functions wait for a file or for the other end, and
// some only move bytes in memory. The test looks below each function.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
)

func main() {
	screen(os.Stdout)
	both(&bytes.Buffer{})
	both(os.Stderr)
	(&keeper{r: os.Stdin, w: &counted{os.Stderr}}).copies()
	(&keeper{w: &counted{os.Stderr}}).prints()
	(&memory{w: &bytes.Buffer{}}).keeps()
	copies()
	reads()
	flushes()
	prints()
	calls(reflect.ValueOf(main))
	calculates()
	codec(os.Stdout, 1)
	encodes()
	served(nil)
	discards()
	mixed(own{})
	mixed(os.Stdout)
	mixed(&bytes.Buffer{})
}

// writer is this program's own interface. One type behind it is not its own.
type writer interface{ Write([]byte) (int, error) }

type own struct{}

func (own) Write(b []byte) (int, error) { return len(b), nil }

func mixed(w writer) { w.Write(nil) }

func screen(w io.Writer) { fmt.Fprintln(w, "x") }

func both(w io.Writer) { io.WriteString(w, "x") }

// keeper has the way out in a field, and behind a type of this program.
type keeper struct {
	r io.Reader
	w io.Writer
}

func (k *keeper) copies() { k.w.Write(nil) }

func (k *keeper) prints() { fmt.Fprintln(k.w, "x") }

type counted struct{ w io.Writer }

func (c *counted) Write(b []byte) (int, error) { return c.w.Write(b) }

type memory struct{ w io.Writer }

func (m *memory) keeps() { fmt.Fprint(m.w, "x") }

func copies() { io.Copy(os.Stderr, os.Stdin) }

func reads() {
	var b [4]byte
	io.ReadFull(bufio.NewReader(os.Stdin), b[:])
}

func flushes() { bufio.NewWriter(os.Stdout).Flush() }

func prints() { fmt.Println("x") }

func calls(f reflect.Value) { f.Call(nil) }

func discards() { io.Copy(io.Discard, strings.NewReader("x")) }

// codec is given a file by main, and memory by encodes.
func codec(w io.Writer, n uint32) { binary.Write(w, binary.LittleEndian, n) }

func encodes() { codec(&bytes.Buffer{}, 1) }

// served is given its writer by no caller that is seen.
func served(given map[string]io.Writer) { fmt.Fprintln(given["x"], "x") }

func calculates() {
	var b bytes.Buffer
	var s strings.Builder
	fmt.Fprintf(&b, "%d", 1)
	fmt.Fprintf(&s, "%d", 1)
	h := sha256.New()
	h.Write(b.Bytes())
	io.Copy(h, bufio.NewReader(strings.NewReader(s.String())))
	w := bufio.NewWriter(&b)
	w.WriteString(fmt.Sprint(1))
	w.Flush()
	_ = fmt.Errorf("x %w", io.EOF)
	binary.Write(&b, binary.LittleEndian, uint32(1))
	io.ReadAll(io.LimitReader(&b, 1))
}
