package sandbox

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// values are the lists of a bank with a profile, and what the items of its lists mean.
type values struct {
	profile *profile.Profile
	lists   map[portal.TaxonomyKey]map[int32]item
	key     int32 // the borrower type of which a process has exactly one
}

func valuesOf(p *profile.Profile) values {
	v := values{profile: p, lists: listsOf(p)}
	v.key = *v.same("borrowerTypes", id(keyBorrower))
	return v
}

// meaning returns what an item of a list means to a profile, "" if it does not say.
func (v values) meaning(p *profile.Profile, key portal.TaxonomyKey, id int32, it item) string {
	return cmp.Or(p.MeaningIn(string(key), id, it.Portuguese), p.MeaningIn(string(key), id, it.English))
}

// same returns the id of the bank's item that means the same as an item of ours: the lowest one. It is the id of ours if
// the bank has our list, or has no such item.
func (v values) same(key portal.TaxonomyKey, ours *int32) *int32 {
	if ours == nil || maps.Equal(v.lists[key], taxonomies()[key]) {
		return ours
	}
	wanted := v.meaning(profile.Builtin(), key, *ours, taxonomies()[key][*ours])
	for _, id := range slices.Sorted(maps.Keys(v.lists[key])) {
		if wanted != "" && v.meaning(v.profile, key, id, v.lists[key][id]) == wanted {
			return &id
		}
	}
	return ours
}

// ofBank gives the choices of a sample the ids that the bank has for them.
func (v values) ofBank(b portal.BorrowerRequest) portal.BorrowerRequest {
	b.BorrowerTypeID = *v.same("borrowerTypes", &b.BorrowerTypeID)
	b.KeyBorrowerRelationID = v.same("keyBorrowerRelations", b.KeyBorrowerRelationID)
	if p := b.Personal; p != nil {
		p.NationalityID, p.CountryID = v.same("countries", p.NationalityID), v.same("countries", p.CountryID)
		p.IdentificationDocumentTypeID = v.same("identificationDocuments", p.IdentificationDocumentTypeID)
		p.MaritalStatusID = v.same("maritalStatuses", p.MaritalStatusID)
		p.ResidenceTypeID = v.same("residenceTypes", p.ResidenceTypeID)
	}
	if w := b.Professional; w != nil {
		w.EmploymentSituationID = v.same("employmentSituations", w.EmploymentSituationID)
	}
	return b
}

// isKey reports whether a borrower is the key borrower.
func (v values) isKey(known borrower) bool { return known.data.BorrowerTypeID == v.key }

// check returns the problems of a borrower, without regard to the other borrowers.
func (v values) check(data portal.BorrowerRequest, now time.Time) []problem {
	return (&checker{now: now, rules: v.profile.Rules, lists: v.lists}).check(data)
}
