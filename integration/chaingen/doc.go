// Package chaingen makes valid chains without a node. They have coinbases with
// their height (BIP34), merkle roots, witness commitments (BIP141), proof of
// work, and transactions with real signatures that spend earlier outputs. The
// same seed, start and wallet give the same chain.
package chaingen
