package pii

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	firstYear = 1900 // earlier years, and those after lastYear, are not those of a date
	lastYear  = 2199
	oldAfter  = 10 // years after which a date may be a birth date: borrowers are adults, and their processes are recent
)

// Dates with the month in words, in Portuguese and English: «3 de julho de 1985», "July 3rd, 1985".
const month = `(?:jan(?:eiro|uary)?|fev(?:ereiro)?|feb(?:ruary)?|mar(?:\p{L}o|ch)?|abr(?:il)?|apr(?:il)?|mai(?:o)?|may|jun(?:ho|e)?|` +
	`jul(?:ho|y)?|ago(?:sto)?|aug(?:ust)?|sep(?:t(?:ember)?)?|set(?:embro)?|oct(?:ober)?|out(?:ubro)?|nov(?:embro|ember)?|de[cz](?:embro|ember)?)`

var (
	dayMonthYear  = regexp.MustCompile(`(?i)\d{1,2}(?:\.?[ºo]|st|nd|rd|th)?[ ./-]*(?:(?:de|of) +)?` + month + `[ .,/-]*(?:(?:de|do|of) +)?(\d{4})`)
	dayMonthShort = regexp.MustCompile(`(?i)\d{1,2}(?:[ /-]| +de +)` + month + `\.?(?:[ /-]| +de +)(\d{2})\b`) // «3 jul 85»
	monthDayYear  = regexp.MustCompile(`(?i)` + month + `[ .]*\d{1,2}(?:st|nd|rd|th)?[ ,]+(\d{4})`)
)

// dates finds the dates in folded text. old are those that may be birth dates. late are the others, if they are in a form
// that programs write and are not part of a longer number.
func dates(text []byte, now time.Time) (old, late [][]int) {
	isOld := func(year int) bool { return year >= firstYear && year <= now.Year()-oldAfter }
	for i := range text {
		if !isDigit(text, i) || isDigit(text, i-1) {
			continue
		}
		d, ok := dateAt(text, i, now)
		switch {
		case !ok:
		case isOld(d.year):
			old = append(old, []int{i, d.end})
		case d.year > now.Year()-oldAfter && d.year <= lastYear && d.tight && !joins(text, i-1, -1) && !joins(text, d.end, 1):
			late = append(late, []int{i, d.end})
		}
	}
	if !mayHaveMonth(text) {
		return old, late
	}
	for _, written := range []*regexp.Regexp{dayMonthYear, dayMonthShort, monthDayYear} {
		for _, at := range written.FindAllSubmatchIndex(text, -1) {
			year, isHour := number(text[at[2]:at[3]]), false
			if at[3]-at[2] == 2 {
				year, isHour = ofCentury(year, now), bytes.HasPrefix(text[at[1]:], []byte(":")) && isDigit(text, at[1]+1)
			}
			if isOld(year) && !isHour && !isDigit(text, at[1]) {
				old = append(old, at[:2])
			}
		}
	}
	return old, late
}

// writtenDate is a date written in digits.
type writtenDate struct {
	year, end int
	tight     bool // written with four digits for the year and one separator, as in 2026-11-22
}

// dateAt parses a date that begins with the number at i: 1985-07-03, 3/7/1985, 03.07.85, 19850703 or 03071985.
func dateAt(text []byte, i int, now time.Time) (writtenDate, bool) {
	end := numberEnd(text, i)
	if end-i == 8 {
		whole := text[i:end]
		if year := number(whole[:4]); isDay(number(whole[4:6]), number(whole[6:])) && year >= firstYear && year <= lastYear {
			return writtenDate{year: year, end: end}, true
		}
		return writtenDate{year: number(whole[4:]), end: end}, isDay(number(whole[:2]), number(whole[2:4]))
	}
	second, one := separated(text, end)
	secondEnd := numberEnd(text, second)
	third, two := separated(text, secondEnd)
	thirdEnd := numberEnd(text, third)
	if one == "" || two == "" || secondEnd-second > 2 {
		return writtenDate{}, false
	}
	a, b, c := number(text[i:end]), number(text[second:secondEnd]), number(text[third:thirdEnd])
	switch first, last := end-i, thirdEnd-third; {
	case first == 4 && last <= 2:
		return writtenDate{a, thirdEnd, one == two && len(one) == 1 && one != " "}, isDay(b, c)
	case first <= 2 && last == 4:
		return writtenDate{c, thirdEnd, one == two && len(one) == 1 && one != " "}, isDay(a, b)
	case first <= 2 && last == 2 && one == two && (one == "/" || one == "-"):
		return writtenDate{year: ofCentury(c, now), end: thirdEnd}, isDay(a, b)
	}
	return writtenDate{}, false
}

// ofCentury returns the last year, until now, that ends in these two digits.
func ofCentury(year int, now time.Time) int {
	if year += 2000; year > now.Year() {
		year -= 100
	}
	return year
}

// separated skips the separator of a date: up to three dots, slashes, dashes and spaces. It returns "" if no digit follows.
func separated(text []byte, i int) (next int, by string) {
	from := i
	for i < len(text) && i-from < 3 && strings.IndexByte(" ./-", text[i]) >= 0 {
		i++
	}
	if !isDigit(text, i) {
		return i, ""
	}
	return i, string(text[from:i])
}

func numberEnd(text []byte, i int) int {
	for isDigit(text, i) {
		i++
	}
	return i
}

// joins reports whether the character at i joins a date to a digit after it.
func joins(text []byte, i, step int) bool {
	return isDigit(text, i) || i >= 0 && i < len(text) && strings.IndexByte("./-", text[i]) >= 0 && isDigit(text, i+step)
}

// isDay reports whether two numbers are a day and a month, in either order.
func isDay(a, b int) bool { return a >= 1 && b >= 1 && min(a, b) <= 12 && max(a, b) <= 31 }

// number returns the value of a few digits; longer numbers are not part of a date.
func number(digits []byte) int {
	n, err := strconv.Atoi(string(digits))
	if err != nil || len(digits) > 8 {
		return -1
	}
	return n
}
