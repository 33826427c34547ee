package rpc

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
)

// cookieUser is the user name that goes with the cookie, as in Core.
const cookieUser = "__cookie__"

// writeCookie makes a random password and leaves it in file as Core does:
// __cookie__:hex, readable by its owner only.
func writeCookie(file string) (password string, err error) {
	var b [32]byte
	rand.Read(b[:])
	password = hex.EncodeToString(b[:])
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", err
	}
	// Written beside and renamed, so that a client never reads half a cookie.
	beside := file + ".tmp"
	if err := os.Remove(beside); err != nil && !os.IsNotExist(err) {
		return "", err
	}
	if err := os.WriteFile(beside, []byte(cookieUser+":"+password), 0o600); err != nil {
		return "", err
	}
	return password, os.Rename(beside, file)
}

// credentials are a user name and password as digests, so that comparing takes
// the same time for all.
type credentials struct{ user, pass [sha256.Size]byte }

func newCredentials(user, pass string) credentials {
	return credentials{sha256.Sum256([]byte(user)), sha256.Sum256([]byte(pass))}
}

// match says whether a request carries the credentials.
func (c credentials) match(r *http.Request) bool {
	user, pass, ok := r.BasicAuth()
	given := newCredentials(user, pass)
	return ok && subtle.ConstantTimeCompare(given.user[:], c.user[:])&subtle.ConstantTimeCompare(given.pass[:], c.pass[:]) == 1
}
