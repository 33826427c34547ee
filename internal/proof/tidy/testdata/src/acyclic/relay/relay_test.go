package relay

import "time"

// Tests are held to nothing.
func now() { go time.Now() }
