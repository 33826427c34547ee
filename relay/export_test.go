package relay

// ConfigOfTests lets the tests outside the package see what those inside run with.
func ConfigOfTests() Config { return testConfig() }
