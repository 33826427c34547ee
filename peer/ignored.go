package peer

// onIgnored is where messages end that no component reads:
//
//   - what comes before the handshake has ended and is no part of it.
//   - an inv or notfound in which there is nothing for us, and a feefilter that is
//     no amount of money.
//
// They are counted, by command too. A peer that sends them is not silent.
func (m *Machine) onIgnored() { m.ignored++ }
