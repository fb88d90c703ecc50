package validation

import (
	"fmt"
	"strings"
)

// Household checks the borrowers of one process against each other. Paths begin with «borrowers[i].».
func (c *Checker) Household(members []BorrowerFacts) Report { return c.weighed(household(members)) }

func household(members []BorrowerFacts) (r []Problem) {
	add := func(code Code, i int, path string) { r = append(r, problem(code, member(i)+path)) }
	taxIDs, documents := map[string]bool{"": false}, map[string]bool{"": false}
	key := -1
	for i, b := range members {
		taxID, document := b.identity()
		if taxIDs[taxID] {
			add(BorrowerDuplicate, i, pathTaxID)
		}
		if documents[document] {
			add(DocumentDuplicate, i, pathDocument)
		}
		taxIDs[taxID], documents[document] = taxID != "", document != ""
		switch {
		case b.Key && key >= 0:
			add(KeyBorrowerUnique, i, pathType)
		case b.Key:
			key = i
		}
	}
	if key < 0 {
		if len(members) > 0 {
			add(KeyBorrowerMissing, 0, pathType)
		}
		return r
	}
	for i, b := range members {
		if i != key && b.Relation == SpouseRelation && differentRegimes(b, members[key]) {
			add(SpouseRegime, max(i, key), pathRegime)
		}
	}
	return r
}

// Joining checks a new borrower against the borrowers of a process. It reports only problems that the new borrower causes,
// with the paths of that borrower's fields.
func (c *Checker) Joining(newcomer BorrowerFacts, members []BorrowerFacts) Report {
	var own []Problem
	prefix := member(len(members))
	for _, p := range household(append(members[:len(members):len(members)], newcomer)) {
		if path, theirs := strings.CutPrefix(p.Path, prefix); theirs {
			p.Path = path
			own = append(own, p)
		}
	}
	return c.weighed(own)
}

func member(i int) string { return fmt.Sprintf("borrowers[%d].", i) }

func differentRegimes(a, b BorrowerFacts) bool {
	return a.Marital == Married && b.Marital == Married && a.RegimeID != 0 && b.RegimeID != 0 && a.RegimeID != b.RegimeID
}
