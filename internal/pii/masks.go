package pii

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const hidden = "••••••"

type (
	name     struct{}
	tail     struct{}
	checks   struct{}
	birth    struct{}
	date     struct{}
	email    struct{}
	phone    struct{}
	address  struct{}
	postal   struct{}
	locality struct{}
	private  struct{}
	title    struct{}
	free     struct{}
)

func (name) class() Class     { return Contact }
func (tail) class() Class     { return ID }
func (checks) class() Class   { return ID }
func (birth) class() Class    { return ID }
func (date) class() Class     { return ID }
func (email) class() Class    { return Contact }
func (phone) class() Class    { return Contact }
func (address) class() Class  { return Contact }
func (postal) class() Class   { return Contact }
func (locality) class() Class { return Contact }
func (private) class() Class  { return SpecialCare }
func (title) class() Class    { return Contact }
func (free) class() Class     { return Contact }

// mask keeps the first name and the initial of the last: «Maria E.».
func (name) mask(s string) string {
	words := strings.Fields(s)
	if len(words) < 2 {
		return hidden // a single word may be a family name
	}
	initial, _ := utf8.DecodeRuneInString(words[len(words)-1])
	return words[0] + " " + string(initial) + "."
}

// mask keeps the last three characters of a number long enough to spare them.
func (tail) mask(s string) string {
	if n := utf8.RuneCountInString(s); n > 5 {
		return hidden + string([]rune(s)[n-3:])
	}
	return hidden
}

func (checks) mask(string) string { return hidden }

func (date) mask(string) string { return hidden }

// mask returns the age in full years.
func (birth) mask(s string) string {
	born, err := time.Parse(time.DateOnly, s)
	now := time.Now()
	if err != nil || born.After(now) {
		return hidden
	}
	age := now.Year() - born.Year()
	if now.Month() < born.Month() || now.Month() == born.Month() && now.Day() < born.Day() {
		age--
	}
	return strconv.Itoa(age)
}

// mask keeps the first letter and the domain: «m•••@example.com».
func (email) mask(s string) string {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || strings.Contains(domain, "@") {
		return hidden
	}
	first, _ := utf8.DecodeRuneInString(local)
	return string(first) + "•••@" + domain
}

// mask keeps the country code of Portugal and the last three digits.
func (phone) mask(s string) string {
	if n := utf8.RuneCountInString(s); n > 8 {
		return strings.TrimSpace(portugal(s) + " ••• ••• " + string([]rune(s)[n-3:]))
	}
	return hidden
}

func portugal(s string) string {
	if strings.HasPrefix(s, "+351") {
		return "+351"
	}
	return ""
}

func (address) mask(string) string { return hidden }

// mask keeps the four digits of the postal area.
func (postal) mask(s string) string {
	area, _, ok := strings.Cut(s, "-")
	if !ok || len(area) != 4 {
		return hidden
	}
	return area + "-•••"
}

func (locality) mask(s string) string { return s }

func (private) mask(string) string { return hidden }

func (title) mask(string) string { return hidden }

func (free) mask(string) string { return hidden }
