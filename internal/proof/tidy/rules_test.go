package tidy

import (
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"
)

// TestRulesCatch runs all rules over code that breaks each of them. They must find
// what a comment "want" says, and nothing else. The packages there have the names of
// the project's.
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
