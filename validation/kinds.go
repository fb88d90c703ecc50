package validation

import (
	"cmp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The bank names a borrower's choices by taxonomy ids, and the rules need to know what a choice means. These kinds are
// the meanings that the rules use. The zero value of each is «not known», for which no rule reports a problem.
type (
	DocumentKind  int
	MaritalKind   int
	SituationKind int
	ResidenceKind int
	RelationKind  int
	CountryKind   int
	RateKind      int
	PurposeKind   int
)

// The documents.
const (
	CitizenCardDocument DocumentKind = iota + 1
	PassportDocument
	ResidencePermitDocument
	IdentityCardDocument // the old one, Bilhete de Identidade
	OtherKindOfDocument
)

// The marital statuses.
const (
	Single MaritalKind = iota + 1
	DeFactoUnion
	Married
	Divorced
	Widowed
	Separated
)

// The employment situations.
const (
	Employee SituationKind = iota + 1
	SelfEmployed
	BusinessOwner
	Retired
	Unemployed
	Student
)

// The residences.
const (
	OwnHome ResidenceKind = iota + 1
	OwnHomeWithMortgage
	SomebodyElsesHome
)

// The relations to the key borrower.
const (
	NoRelation RelationKind = iota + 1
	SpouseRelation
	PartnerRelation
	OtherRelation
)

// The countries, also as nationalities.
const (
	Portugal CountryKind = iota + 1
	Brazil
	OtherCountry
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

// Kinds maps taxonomy ids to their meanings, for a bank whose ids are known. The meaning of other ids is derived from the
// description of the item, in Portuguese or English, and without a description from the ids of the bank's samples and of the
// sandbox. The zero value is ready to use.
type Kinds struct {
	Documents  map[int32]DocumentKind
	Marital    map[int32]MaritalKind
	Situations map[int32]SituationKind
	Residences map[int32]ResidenceKind
	Relations  map[int32]RelationKind
	Countries  map[int32]CountryKind
	Key        map[int32]bool // borrower types
}

// Document returns the kind of a document, OtherKindOfDocument if it is none of the others.
func (k Kinds) Document(id int32, description string) DocumentKind {
	return other(id, OtherKindOfDocument, meaning(id, description, k.Documents, []phrase[DocumentKind]{
		{"citizen card", CitizenCardDocument}, {"cartao de cidadao", CitizenCardDocument}, {"cartao do cidadao", CitizenCardDocument},
		{"passport", PassportDocument}, {"passaporte", PassportDocument},
		{"residence", ResidencePermitDocument}, {"residencia", ResidencePermitDocument},
		{"eu identity", OtherKindOfDocument}, {"bilhete de identidade ue", OtherKindOfDocument},
		{"foreign", OtherKindOfDocument}, {"estrangeir", OtherKindOfDocument},
		{"identity card", IdentityCardDocument}, {"bilhete de identidade", IdentityCardDocument},
	}, map[int32]DocumentKind{1: CitizenCardDocument, 2: PassportDocument, 3: ResidencePermitDocument}))
}

// MaritalStatus returns the kind of a marital status.
func (k Kinds) MaritalStatus(id int32, description string) MaritalKind {
	return meaning(id, description, k.Marital, []phrase[MaritalKind]{
		{"single", Single}, {"unmarried", Single}, {"solteir", Single},
		{"facto", DeFactoUnion}, {"partner", DeFactoUnion},
		{"married", Married}, {"casad", Married}, {"divorc", Divorced}, {"widow", Widowed}, {"viuv", Widowed}, {"separa", Separated},
	}, map[int32]MaritalKind{1: Single, 2: DeFactoUnion, 3: Married, 4: Divorced, 5: Widowed, 6: Separated})
}

// Situation returns the kind of an employment situation.
func (k Kinds) Situation(id int32, description string) SituationKind {
	return meaning(id, description, k.Situations, []phrase[SituationKind]{
		{"unemploy", Unemployed}, {"desempreg", Unemployed},
		{"self", SelfEmployed}, {"conta propria", SelfEmployed}, {"independente", SelfEmployed},
		{"owner", BusinessOwner}, {"empresari", BusinessOwner}, {"retire", Retired}, {"reformad", Retired},
		{"student", Student}, {"estudante", Student},
		{"employ", Employee}, {"conta de outrem", Employee}, {"civil servant", Employee}, {"funcao publica", Employee},
	}, map[int32]SituationKind{1: SelfEmployed, 2: Employee, 3: Employee, 4: BusinessOwner, 5: Retired, 6: Unemployed, 7: Student})
}

// Residence returns the kind of a residence.
func (k Kinds) Residence(id int32, description string) ResidenceKind {
	return other(id, SomebodyElsesHome, meaning(id, description, k.Residences, []phrase[ResidenceKind]{
		{"mortgage", OwnHomeWithMortgage}, {"com credito", OwnHomeWithMortgage}, {"com encargos", OwnHomeWithMortgage},
		{"own", OwnHome}, {"propria", OwnHome},
	}, map[int32]ResidenceKind{4: OwnHomeWithMortgage, 5: OwnHome}))
}

// Relation returns the kind of a relation to the key borrower. The id 0 is none.
func (k Kinds) Relation(id int32, description string) RelationKind {
	if id == 0 {
		return NoRelation
	}
	return other(id, OtherRelation, meaning(id, description, k.Relations, []phrase[RelationKind]{
		{"spouse", SpouseRelation}, {"conjuge", SpouseRelation}, {"facto", PartnerRelation}, {"partner", PartnerRelation},
	}, map[int32]RelationKind{1: SpouseRelation, 2: PartnerRelation}))
}

// Country returns the kind of a country or nationality.
func (k Kinds) Country(id int32, description string) CountryKind {
	return other(id, OtherCountry, meaning(id, description, k.Countries, []phrase[CountryKind]{
		{"portug", Portugal}, {"bra", Brazil},
	}, map[int32]CountryKind{1: Portugal}))
}

// KeyBorrower reports whether a borrower type is that of the key borrower.
func (k Kinds) KeyBorrower(id int32, description string) bool {
	const key, another = 1, 2
	configured := map[int32]int{}
	for id, isKey := range k.Key {
		configured[id] = another
		if isKey {
			configured[id] = key
		}
	}
	return meaning(id, description, configured, []phrase[int]{
		{"keyborrower", key}, {"key borrower", key}, {"principal", key}, {"borrower", another}, {"proponente", another},
	}, map[int32]int{1: key}) == key
}

type phrase[K any] struct {
	part string // of the description, without capitals, accents and hyphens
	kind K
}

// meaning returns the configured kind of an id, else the kind of the first phrase with which a word of the description
// begins. Without a description, it returns the kind of the id in seeds.
func meaning[K cmp.Ordered](id int32, description string, configured map[int32]K, phrases []phrase[K], seeds map[int32]K) K {
	var unknown K
	if kind, ok := configured[id]; ok {
		return kind
	}
	if description = folded(description); description == "" {
		return seeds[id]
	}
	for _, p := range phrases {
		if beginsAWord(description, p.part) {
			return p.kind
		}
	}
	return unknown
}

func beginsAWord(text, part string) bool {
	return strings.HasPrefix(text, part) || strings.Contains(text, " "+part)
}

// other returns found, or rest if found is unknown and there is an id.
func other[K cmp.Ordered](id int32, rest, found K) K {
	var unknown K
	if found == unknown && id > 0 {
		return rest
	}
	return found
}

// folded returns s in lower case, without accents and with spaces for hyphens, or "" if it is too long.
func folded(s string) string {
	if len(s) > 4*longest {
		return ""
	}
	return strings.ToLower(strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r == '-':
			return ' '
		}
		return r
	}, norm.NFD.String(s)))
}
