package engine

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// headerFile is headers.dat. It has the accepted headers that are ahead of the
// blocks, which btcd does not store. It is a plain sequence of headers of 80 bytes,
// each after its parent. New headers are appended. Open drops the headers whose
// blocks have arrived, once they are half of the file. All of testnet3's 4.9
// million headers take 390 MB as long as no block is there.
//
// The file only saves time. A crash loses the last headers message at most, and a
// damaged file is put aside.
type headerFile struct {
	path string
	f    *os.File
	w    *bufio.Writer
	log  func(actor.Level, string)
}

const (
	headerSize = wire.MaxBlockHeaderPayload // 80

	fileBuffer = 64 << 10 // 819 headers for each call of the system
)

// openHeaderFile opens the file for appending.
func openHeaderFile(path string, log func(actor.Level, string)) (*headerFile, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the headers file: %w", err)
	}
	return &headerFile{path: path, f: f, w: bufio.NewWriterSize(f, fileBuffer), log: log}, nil
}

// append adds a header. flush writes it.
func (hf *headerFile) append(h *wire.BlockHeader) {
	if hf.f != nil {
		hf.check(h.Serialize(hf.w))
	}
}

// flush writes what has been appended.
//
// correctness: for the disk. Only the worker calls it.
func (hf *headerFile) flush() {
	if hf.f != nil {
		hf.check(hf.w.Flush())
	}
}

func (hf *headerFile) close() {
	if hf == nil || hf.f == nil {
		return
	}
	hf.flush()
	if hf.f != nil {
		hf.check(hf.f.Close())
		hf.f = nil
	}
}

// check stops the writing at the first error. A file that ends early is still good.
func (hf *headerFile) check(err error) {
	if err != nil && hf.f != nil {
		hf.log(actor.Warn, fmt.Sprintf("headers are no longer kept in %s: %v", hf.path, err))
		_ = hf.f.Close()
		hf.f = nil
	}
}

// replayed counts what became of the headers of the file.
type replayed struct {
	total int64
	good  int64 // before the first damaged one
	known int64 // of no more use: the index has their blocks
	added int64
	bad   error // what is wrong with the first damaged one
}

// loadHeaders replays headers.dat and opens it for appending.
func (e *Engine) loadHeaders() error {
	path := filepath.Join(e.cfg.DataDir, "headers.dat")
	r, err := e.replayFile(path)
	if err != nil {
		return err
	}
	if r.added > 0 {
		e.cfg.Log(actor.Info, fmt.Sprintf("%d headers ahead of the blocks loaded", r.added))
	}
	switch {
	case r.bad != nil:
		aside := path + ".bad"
		e.cfg.Log(actor.Warn, fmt.Sprintf("%s is damaged at header %d of %d (%v): moved to %s, what is missing is downloaded again",
			path, r.good, r.total, r.bad, aside))
		if err := os.Rename(path, aside); err != nil {
			return fmt.Errorf("cannot put the damaged headers file aside: %w", err)
		}
		err = e.rewrite(aside, path, r.good)
	case r.known > 0 && r.known >= r.added:
		err = e.rewrite(path, path, r.total)
	}
	if err != nil {
		return err
	}
	e.file, err = openHeaderFile(path, e.cfg.Log)
	return err
}

// replayFile gives the headers in the file to btcd. It cuts off a torn tail.
func (e *Engine) replayFile(path string) (r replayed, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("cannot open the headers file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return r, fmt.Errorf("cannot read the headers file: %w", err)
	}
	r.total = info.Size() / headerSize
	if torn := info.Size() % headerSize; torn != 0 {
		if err := f.Truncate(r.total * headerSize); err != nil {
			return r, fmt.Errorf("cannot repair the headers file: %w", err)
		}
	}
	return r, e.replay(f, &r)
}

func (e *Engine) replay(f io.Reader, r *replayed) error {
	report := newReport(e.cfg.Progress, "checking stored headers")
	var last node
	skipped := false
	err := eachHeader(f, r.total, func(h *wire.BlockHeader) (bool, error) {
		if r.good%1000 == 0 {
			report.done(r.good, r.total)
			if e.interrupted() {
				return false, ErrInterrupted
			}
		}
		n, isNew, refused := e.acceptHeader(h, last)
		switch {
		case e.fatal != "":
			return false, errors.New(e.fatal)
		case refused == nil && isNew:
			r.added++
			last = n
		case refused == nil:
			r.known++
			last = n
		case refused.code == chain.Invalid && refused.rule != rules[blockchain.ErrKnownInvalidBlock]:
			r.bad = errors.New(refused.detail)
			return false, nil
		case refused.code == chain.Orphan && !skipped:
			r.bad = errors.New("its parent is not there; perhaps it is of another network")
			return false, nil
		default:
			// It descends from a block that is now known to be invalid, or it
			// contradicts a new checkpoint, or our clock is wrong. It is left
			// out with those after it.
			skipped = true
		}
		r.good++
		return true, nil
	})
	return err
}

// eachHeader reads total headers, or fewer if f wants no more.
//
// correctness: for the disk; nobody waits for an engine that is not open.
func eachHeader(file io.Reader, total int64, f func(*wire.BlockHeader) (more bool, err error)) error {
	in := bufio.NewReaderSize(file, fileBuffer)
	var raw [headerSize]byte
	for range total {
		if _, err := io.ReadFull(in, raw[:]); err != nil {
			return fmt.Errorf("cannot read the headers file: %w", err)
		}
		h := new(wire.BlockHeader)
		if err := h.Deserialize(bytes.NewReader(raw[:])); err != nil {
			return fmt.Errorf("cannot read the headers file: %w", err)
		}
		if more, err := f(h); err != nil || !more {
			return err
		}
	}
	return nil
}

// rewrite copies the first total headers of a file, leaves out those whose blocks
// are stored, and puts the copy in its place.
func (e *Engine) rewrite(from, to string, total int64) error {
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("cannot rewrite the headers file: %w", err)
	}
	defer in.Close()
	temp := to + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("cannot rewrite the headers file: %w", err)
	}
	out, err := openHeaderFile(temp, e.cfg.Log)
	if err != nil {
		return err
	}
	report := newReport(e.cfg.Progress, "tidying stored headers")
	var done int64
	err = eachHeader(in, total, func(h *wire.BlockHeader) (bool, error) {
		done++
		report.done(done, total)
		if done%1000 == 0 && e.interrupted() {
			return false, ErrInterrupted
		}
		hash := h.BlockHash()
		if have, err := e.chain.HaveBlock(&hash); err == nil && !have {
			out.append(h)
		}
		return true, nil
	})
	failed := out.f == nil
	out.close()
	if err != nil || failed {
		return errors.Join(err, os.Remove(temp))
	}
	if err := os.Rename(temp, to); err != nil {
		return fmt.Errorf("cannot rewrite the headers file: %w", err)
	}
	return nil
}
