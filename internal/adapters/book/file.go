package book

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/btcsuite/btcd/addrmgr"
)

// The files in the data directory. addrmgr overwrites its file, every ten minutes and at
// the end. If the disk is full then, or the process is killed, the old contents are lost
// and the new ones are incomplete.
const (
	peersFile = "peers.json"
	// copyExt is of the copy that each start makes of a good book.
	copyExt = ".bak"
	// corruptExt is of a file that could not be read.
	corruptExt = ".corrupt"
)

// load starts a manager with what there is in dir: its file, the copy of it, or nothing.
// The warning, if not empty, says in one line that it had to do without its file.
func load(dir string) (mgr *addrmgr.AddrManager, warning string) {
	path := filepath.Join(dir, peersFile)
	content, readErr := os.ReadFile(path)
	mgr = addrmgr.New(dir, noLookup)
	switch {
	case readErr != nil: // there is none
		mgr.Start()
		return mgr, ""
	case !started(mgr, path):
		return reload(mgr, path, content)
	case mgr.NumAddresses() == 0:
		return mgr, "" // the copy may have more
	}
	if err := replace(path+copyExt, content); err != nil {
		warning = "no copy of the address book was made, in case it is damaged: " + err.Error()
	}
	return mgr, warning
}

// reload starts another manager after one has failed to read its file.
func reload(failed *addrmgr.AddrManager, path string, content []byte) (mgr *addrmgr.AddrManager, warning string) {
	// A manager that failed half-way keeps wrong counts. Its Stop does not wait if
	// Start has panicked.
	_ = failed.Stop()
	warning = "the address book " + path + " could not be read"
	if aside := path + corruptExt; os.WriteFile(aside, content, 0o600) == nil {
		warning += " (it is kept as " + aside + ")"
	}
	mgr, of, err := restore(path)
	switch {
	case err == nil:
		return mgr, warning + "; going on with its copy of " + of.UTC().Format(time.DateTime)
	case !errors.Is(err, os.ErrNotExist):
		warning += "; nor could its copy: " + err.Error()
	}
	os.Remove(path)
	mgr = addrmgr.New(filepath.Dir(path), noLookup)
	mgr.Start()
	return mgr, warning + "; starting with an empty one"
}

// restore starts a manager with the copy. of is when that was made.
func restore(path string) (mgr *addrmgr.AddrManager, of time.Time, err error) {
	info, err := os.Stat(path + copyExt)
	if err != nil {
		return nil, of, err
	}
	content, err := os.ReadFile(path + copyExt)
	if err == nil {
		err = replace(path, content)
	}
	if err != nil {
		return nil, of, err
	}
	mgr = addrmgr.New(filepath.Dir(path), noLookup)
	if !started(mgr, path) {
		_ = mgr.Stop()
		return nil, of, fmt.Errorf("%s is damaged too", path+copyExt)
	}
	return mgr, info.ModTime(), nil
}

// replace writes a file whole or not at all, whatever ends the process or the
// machine.
//
// correctness: waits for the disk during the start, when no cell runs yet.
func replace(path string, content []byte) error {
	beside := path + ".tmp"
	f, err := os.OpenFile(beside, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(beside, path)
	}
	if err != nil {
		os.Remove(beside)
	}
	return err
}

// started starts a manager and says whether it could read its file. The manager removes a
// file that it cannot read, and some broken files make it panic.
func started(mgr *addrmgr.AddrManager, path string) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	mgr.Start()
	_, err := os.Stat(path)
	return err == nil
}
