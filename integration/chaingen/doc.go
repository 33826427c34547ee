// Package chaingen makes valid regtest chains without a node: coinbases with
// their height (BIP34), merkle roots, witness commitments (BIP141), proof of
// work, and transactions that spend what earlier blocks paid, with real
// signatures. The same seed, start and wallet give the same chain.
package chaingen
