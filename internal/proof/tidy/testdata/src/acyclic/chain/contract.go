package chain

type Tips struct{ Height int }

// Limit is a variable that nobody may change.
var Limit = 1
