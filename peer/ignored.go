package peer

// onIgnored is where messages end that no component reads:
//
//   - tx, and the inv, getdata and notfound entries of transactions, mempool,
//     feefilter (BIP133): transactions come later. When they do, tx and the
//     transaction entries of inv go to relay from here.
//   - filterload, filteradd, filterclear, merkleblock (BIP37), getcfilters,
//     getcfheaders, getcfcheckpt and their answers (BIP157): we do not say in
//     our services that we offer them.
//   - reject (BIP61): withdrawn.
//
// They are counted, by command too. A peer that sends them is not silent.
func (m *Machine) onIgnored() { m.ignored++ }
