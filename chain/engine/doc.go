// Package engine is the only caller of btcd's blockchain.
package engine
