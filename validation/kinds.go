package validation

import "slices"

// The bank names a borrower's choices by the ids of items of its lists, and the rules need to know what an item means. These
// kinds are the meanings that the rules use, by their names. The zero value of each is «not known», for which no rule reports
// a problem.
type (
	DocumentKind  string
	MaritalKind   string
	SituationKind string
	ResidenceKind string
	RelationKind  string
	CountryKind   string
	typeKind      string
	// FileKind is the kind of a document of a process, and FileStatus what the bank says of it.
	FileKind    string
	FileStatus  string
	RateKind    int
	PurposeKind int
)

// The documents.
const (
	CitizenCardDocument     DocumentKind = "citizen_card"
	PassportDocument        DocumentKind = "passport"
	ResidencePermitDocument DocumentKind = "residence_permit"
	IdentityCardDocument    DocumentKind = "identity_card" // the old one, Bilhete de Identidade
	OtherKindOfDocument     DocumentKind = "other"
)

// The documents of a process.
const (
	CitizenCardCopy FileKind = "citizen_card" // or one of any identification: it may be of a citizen card
	PassportCopy    FileKind = "passport"     // or a residence permit
	CopyConsent     FileKind = "consent"      // to copy a document
	OtherFile       FileKind = "other"
)

// What the bank says of a document of a process.
const (
	FileRequested FileStatus = "requested" // the bank asks for it
	FileReceived  FileStatus = "received"
	FileRefused   FileStatus = "refused"
	FileAccepted  FileStatus = "accepted"
)

// The marital statuses.
const (
	Single       MaritalKind = "single"
	DeFactoUnion MaritalKind = "de_facto_union"
	Married      MaritalKind = "married"
	Divorced     MaritalKind = "divorced"
	Widowed      MaritalKind = "widowed"
	Separated    MaritalKind = "separated"
)

// The employment situations.
const (
	Employee      SituationKind = "employee"
	SelfEmployed  SituationKind = "self_employed"
	BusinessOwner SituationKind = "business_owner"
	Retired       SituationKind = "retired"
	Unemployed    SituationKind = "unemployed"
	Student       SituationKind = "student"
)

// The residences.
const (
	OwnHome             ResidenceKind = "own"
	OwnHomeWithMortgage ResidenceKind = "own_with_mortgage"
	SomebodyElsesHome   ResidenceKind = "other"
)

// The relations to the key borrower.
const (
	NoRelation      RelationKind = "none"
	SpouseRelation  RelationKind = "spouse"
	PartnerRelation RelationKind = "partner"
	OtherRelation   RelationKind = "other"
)

// The countries, also as nationalities.
const (
	Portugal     CountryKind = "portugal"
	Brazil       CountryKind = "brazil"
	OtherCountry CountryKind = "other"
)

// The types of borrowers.
const (
	keyBorrower     typeKind = "key_borrower"
	anotherBorrower typeKind = "borrower"
)

// The kinds of interest rate.
const (
	VariableRate RateKind = iota + 1
	MixedRate             // fixed for some years, then variable
	FixedRate
)

// The purposes of a loan.
const (
	OwnHomePurpose     PurposeKind = iota + 1 // the borrowers' own permanent home
	OtherPurpose                              // a second home, letting
	LenderOwnedPurpose                        // property that the lender owns; known from settings only
)

// Meanings finds what an item of a list of the bank's means, by its id and the bank's description of it. It returns the
// name of one of [Kinds], or "" if that is not known.
type Meanings func(list string, id int32, description string) string

// The lists of which items have a meaning.
const (
	listTypes      = "borrowerTypes"
	listRelations  = "keyBorrowerRelations"
	listDocuments  = "identificationDocuments"
	listMarital    = "maritalStatuses"
	listResidences = "residenceTypes"
	listSituations = "employmentSituations"
	listCountries  = "countries"

	listFiles        = "documentTypes"
	listFileStatuses = "documentStatuses"
)

// Kinds returns the names of all kinds that an item can have, by list.
func Kinds() map[string][]string {
	return map[string][]string{
		listTypes:      names(keyBorrower, anotherBorrower),
		listRelations:  names(NoRelation, SpouseRelation, PartnerRelation, OtherRelation),
		listDocuments:  names(CitizenCardDocument, PassportDocument, ResidencePermitDocument, IdentityCardDocument, OtherKindOfDocument),
		listMarital:    names(Single, DeFactoUnion, Married, Divorced, Widowed, Separated),
		listResidences: names(OwnHome, OwnHomeWithMortgage, SomebodyElsesHome),
		listSituations: names(Employee, SelfEmployed, BusinessOwner, Retired, Unemployed, Student),
		listCountries:  names(Portugal, Brazil, OtherCountry),

		listFiles:        names(CitizenCardCopy, PassportCopy, CopyConsent, OtherFile),
		listFileStatuses: names(FileRequested, FileReceived, FileRefused, FileAccepted),
	}
}

func names[K ~string](kinds ...K) (names []string) {
	for _, kind := range kinds {
		names = append(names, string(kind))
	}
	return names
}

// Item is an item of one of the bank's lists.
type Item struct {
	ID          *int32 // nil if there is none
	Description string // the bank's, "" if it does not say
}

// Document returns the kind of a document, OtherKindOfDocument if it is none of the others.
func (c *Checker) Document(item Item) DocumentKind {
	return meaning(c, listDocuments, item, OtherKindOfDocument)
}

// File returns the kind of a document of a process, OtherFile if it is none of the others.
func (c *Checker) File(item Item) FileKind { return meaning(c, listFiles, item, OtherFile) }

// FileStatus returns what a status of a document means, "" if that is not known. The bank may give no ids.
func (c *Checker) FileStatus(item Item) FileStatus {
	if item.ID == nil && item.Description != "" {
		item.ID = new(int32)
	}
	return meaning[FileStatus](c, listFileStatuses, item, "")
}

// MaritalStatus returns the kind of a marital status.
func (c *Checker) MaritalStatus(item Item) MaritalKind {
	return meaning[MaritalKind](c, listMarital, item, "")
}

// Situation returns the kind of an employment situation.
func (c *Checker) Situation(item Item) SituationKind {
	return meaning[SituationKind](c, listSituations, item, "")
}

// Residence returns the kind of a residence, SomebodyElsesHome if it is none of the others.
func (c *Checker) Residence(item Item) ResidenceKind {
	return meaning(c, listResidences, item, SomebodyElsesHome)
}

// Relation returns the kind of a relation to the key borrower, OtherRelation if it is none of the others.
func (c *Checker) Relation(item Item) RelationKind {
	return meaning(c, listRelations, item, OtherRelation)
}

// Country returns the kind of a country or nationality, OtherCountry if it is none of the others.
func (c *Checker) Country(item Item) CountryKind {
	return meaning(c, listCountries, item, OtherCountry)
}

// KeyBorrower reports whether a borrower type is that of the key borrower.
func (c *Checker) KeyBorrower(item Item) bool {
	return meaning[typeKind](c, listTypes, item, "") == keyBorrower
}

// MeansNamed reports whether an item of a list means what a person calls it. It is false where either meaning is not known.
func (c *Checker) MeansNamed(list string, item Item, text string) bool {
	if c.options.Named == nil || c.options.Meanings == nil || item.ID == nil {
		return false
	}
	named := c.options.Named(list, text)
	return named != "" && c.options.Meanings(list, *item.ID, item.Description) == named
}

// NoItem reports whether an id that the bank does not describe stands for no item of a list.
func (c *Checker) NoItem(id int32) bool { return slices.Contains(c.options.None, id) }

// meaning returns the kind of an item, or rest if it is not known. That of no item is not known.
func meaning[K ~string](c *Checker, list string, item Item, rest K) K {
	if item.ID == nil || c.options.Meanings == nil {
		return ""
	}
	if kind := c.options.Meanings(list, *item.ID, item.Description); kind != "" {
		return K(kind)
	}
	if item.Description == "" && c.NoItem(*item.ID) {
		return ""
	}
	return rest
}
