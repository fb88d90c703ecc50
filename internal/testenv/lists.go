package testenv

import (
	"testing"

	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/validation"
)

// OtherLists is a bank whose lists have other items than the sandbox's, and what it is taken to be.
type OtherLists struct {
	Name    string
	Bank    *profile.Profile // what it is
	Taken   *profile.Profile // what it is taken to be
	Key     string           // the id of the key borrower's type
	Married string           // the id of a marital status
	Known   bool             // whether what these mean is known
}

// Problems returns what is wrong with a second key borrower who is somebody's spouse, and married without a regime, by
// path and code.
func (o OtherLists) Problems() map[string]validation.Code {
	if !o.Known {
		return map[string]validation.Code{}
	}
	return map[string]validation.Code{
		"borrowerTypeId": validation.KeyBorrowerUnique, "keyBorrowerRelationId": validation.RelationUnexpected,
		"personal.matrimonialRegimeId": validation.RegimeRequired,
	}
}

const (
	holders = `
[taxonomies.lists.borrowerTypes]
items = [{ id = 3, pt = "1.º Titular", en = "1st holder" }, { id = 5, pt = "2.º Titular", en = "2nd holder" }]
[taxonomies.lists.maritalStatuses]
items = [{ id = 7, pt = "Casado(a)", en = "Married" }, { id = 3, pt = "Solteiro(a)", en = "Single" }]
`
	parties = `
[taxonomies.lists.borrowerTypes]
items = [{ id = 1, pt = "Parte B", en = "Party B" }, { id = 3, pt = "Parte A", en = "Party A" }]
[taxonomies.lists.maritalStatuses]
items = [{ id = 7, pt = "C", en = "C" }, { id = 3, pt = "S", en = "S" }]
`
	meanings = `
[meanings]
borrowerTypes.key_borrower.ids = [3]
maritalStatuses.married.ids = [7]
`
)

// BanksWithOtherLists returns such banks: one whose words are understood, and one whose are not, before and after the
// profile says what its items mean.
func BanksWithOtherLists(t testing.TB) []OtherLists {
	t.Helper()
	read := func(file string) *profile.Profile {
		p, err := profile.Read("bank.toml", []byte(file))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	return []OtherLists{
		{"words that are understood", read(holders), read(holders), "3", "7", true},
		{"words that are not", read(parties + meanings), read(parties), "3", "7", false},
		{"ids in the profile", read(parties + meanings), read(parties + meanings), "3", "7", true},
	}
}
