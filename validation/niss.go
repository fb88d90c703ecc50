package validation

// NISSHolder is the kind of holder of a social security number.
type NISSHolder int

// The holders of social security numbers.
const (
	NISSPerson NISSHolder = iota + 1
	NISSEntity
)

// NISS reads a Portuguese social security number and returns its eleven digits and the kind of its holder. Spaces, full stops
// and hyphens are dropped. It fails with [NISSFormat], [NISSLength], [NISSLegacyLength] for nine digits, [NISSFirstDigit] or
// [NISSCheckDigit]; the last three return the digits all the same.
func NISS(s string) (norm string, holder NISSHolder, err error) {
	if len(s) > longest {
		return "", 0, NISSLength
	}
	s = without(s, ".-")
	switch {
	case !digits(s):
		return "", 0, NISSFormat
	case len(s) == 9:
		return s, 0, NISSLegacyLength
	case len(s) != 11:
		return "", 0, NISSLength
	case s[0] != '1' && s[0] != '2':
		return s, 0, NISSFirstDigit
	case int(s[10]-'0') != 9-weighted(s, 29, 23, 19, 17, 13, 11, 7, 5, 3, 2)%10:
		return s, 0, NISSCheckDigit
	}
	return s, NISSHolder(s[0] - '0'), nil
}
