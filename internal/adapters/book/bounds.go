package book

import "time"

// The bounds of the book and of the resolver. They depend on nothing, so they are
// constants.
const (
	// maxAttempts is how many attempts without success are counted against
	// one address in one run. addrmgr takes an address with a probability of
	// 1.5^-n after n failures, and goes on, with its lock held, until it has
	// taken one. Where every address has failed thousands of times (a small
	// network, a node left alone for days) one choice takes a tenth of a
	// second and an answer many seconds. 32 failures say all there is to say.
	maxAttempts = 32
	// maxCounted bounds the addresses whose attempts are counted here.
	maxCounted = 10_000
	// maxPick bounds one answer to Pick.
	maxPick = 64
	// maxResolved bounds the addresses of one answer of the resolver.
	maxResolved = 256

	// closeWithin bounds Close: a full book has some megabytes, which a disk
	// that works takes in a tenth of a second.
	closeWithin = 2 * time.Second
	// ResolveTimeout bounds one look-up. The port that asks must allow more.
	ResolveTimeout = 10 * time.Second
)
