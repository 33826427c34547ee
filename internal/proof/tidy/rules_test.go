package tidy

import (
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"
)

// TestRulesCatch runs all rules over code that breaks each of them: where a
// comment says "want" something must be found, and nothing elsewhere. The
// packages there have the names of ours.
func TestRulesCatch(t *testing.T) {
	all := &analysis.Analyzer{
		Name: "all", Doc: "all rules", Requires: []*analysis.Analyzer{verdicts},
		Run: func(pass *analysis.Pass) (any, error) {
			for _, a := range Analyzers {
				if _, err := a.Run(pass); err != nil {
					return nil, err
				}
			}
			return nil, nil
		},
	}
	analysistest.Run(t, analysistest.TestData(), all, "acyclic/...")
}
