package chain

type Tips struct{ Height int }

// Limit is a variable that no package may change.
var Limit = 1
