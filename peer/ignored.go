package peer

// onIgnored is where messages end that no component reads:
//
//   - filterload, filteradd, filterclear, merkleblock (BIP37), getcfilters,
//     getcfheaders, getcfcheckpt and their answers (BIP157): we do not say in
//     our services that we offer them.
//   - reject (BIP61): withdrawn.
//   - an inv or notfound in which there is nothing for us, and a feefilter that is
//     no amount of money.
//
// They are counted, by command too. A peer that sends them is not silent.
func (m *Machine) onIgnored() { m.ignored++ }
