package tidy

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// note is a comment in the code that makes an exception.
type note struct {
	pos    token.Pos
	line   int // where the comment ends
	kind   string
	reason string
	used   bool
}

// notes are those of one file.
type notes struct {
	fset *token.FileSet
	list []*note
}

func notesOf(fset *token.FileSet, f *ast.File) *notes {
	n := &notes{fset: fset}
	for _, g := range f.Comments {
		for _, c := range g.List {
			if text, ok := strings.CutPrefix(c.Text, "//tidy:"); ok {
				kind, reason, _ := strings.Cut(text, " ")
				n.list = append(n.list, &note{pos: c.Pos(), line: fset.Position(g.End()).Line, kind: kind, reason: strings.TrimSpace(reason)})
			}
		}
	}
	return n
}

// except says whether a note of this kind excepts what is at pos: it ends on that
// line or on the line above.
func (n *notes) except(kind string, pos token.Pos) bool {
	line := n.fset.Position(pos).Line
	for _, x := range n.list {
		if x.kind == kind && x.reason != "" && (x.line == line || x.line == line-1) {
			x.used = true
			return true
		}
	}
	return false
}

// reportIdle flags the notes that except nothing, or give no reason.
func (n *notes) reportIdle(pass *analysis.Pass) {
	for _, x := range n.list {
		switch {
		case !slices.Contains([]string{"order", "outside"}, x.kind):
			pass.Reportf(x.pos, "there is no //tidy:%s", x.kind)
		case x.reason == "":
			pass.Reportf(x.pos, "//tidy:%s without a reason", x.kind)
		case !x.used:
			pass.Reportf(x.pos, "//tidy:%s excepts nothing", x.kind)
		}
	}
}

// sources are the files of the package that are not tests.
func sources(pass *analysis.Pass) []*ast.File {
	return slices.DeleteFunc(slices.Clone(pass.Files), func(f *ast.File) bool {
		return strings.HasSuffix(pass.Fset.Position(f.Package).Filename, "_test.go")
	})
}
