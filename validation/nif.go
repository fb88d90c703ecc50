package validation

import "strings"

// NIFKind is the kind of holder of a tax number.
type NIFKind int

// The holders of tax numbers.
const (
	NIFPerson     NIFKind = iota + 1 // a natural person, resident or not
	NIFCollective                    // a company, public body, inheritance, fund, condominium…
	NIFSoleTrader                    // an obsolete series that natural persons traded under
)

var nifKinds = map[string]NIFKind{
	"1": NIFPerson, "2": NIFPerson, "3": NIFPerson, "45": NIFPerson,
	"5": NIFCollective, "6": NIFCollective, "8": NIFSoleTrader,
	"70": NIFCollective, "71": NIFCollective, "72": NIFCollective, "74": NIFCollective, "75": NIFCollective,
	"77": NIFCollective, "78": NIFCollective, "79": NIFCollective,
	"90": NIFCollective, "91": NIFCollective, "98": NIFCollective, "99": NIFCollective,
}

// NIF reads a Portuguese tax number (NIF or NIPC) and returns its nine digits and the kind of its holder. Spaces, full stops,
// hyphens and one leading «PT» are dropped. It fails with [NIFFormat], [NIFLength], [NIFCheckDigit] or [NIFPrefix]; the last two
// return the digits all the same.
//
// The check digit is that of Decree-Law 14/2013; the prefixes are those that the tax authority is known to have allocated.
func NIF(s string) (norm string, kind NIFKind, err error) {
	if len(s) > longest {
		return "", 0, NIFLength
	}
	s = without(s, ".-")
	if len(s) > 2 && strings.EqualFold(s[:2], "PT") {
		s = s[2:]
	}
	switch {
	case !digits(s):
		return "", 0, NIFFormat
	case len(s) != 9:
		return "", 0, NIFLength
	}
	kind = max(nifKinds[s[:1]], nifKinds[s[:2]])
	switch {
	case control11(s) != s[8]:
		return s, 0, NIFCheckDigit
	case kind == 0:
		return s, 0, NIFPrefix
	}
	return s, kind, nil
}

// control11 is the ninth digit that the first eight digits of a tax or civil identification number ask for.
func control11(s string) byte {
	if c := 11 - weighted(s, 9, 8, 7, 6, 5, 4, 3, 2)%11; c < 10 {
		return byte('0' + c)
	}
	return '0'
}
