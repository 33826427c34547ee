// Package tidy reads the laws off the source.
package tidy

import "golang.org/x/tools/go/analysis"

// Analyzers are the rules.
var Analyzers []*analysis.Analyzer
