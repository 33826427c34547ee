package mailbox

type Box struct{}
