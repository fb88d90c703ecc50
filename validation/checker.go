package validation

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-playground/validator/v10"

	"github.com/balcao/balcao/internal/pii"
)

// Options are the settings of a checker.
type Options struct {
	Now    func() time.Time // time.Now when nil
	Rules  Rules            // of the bank, and those that are certain where they are changed
	Limits []Limits         // the earliest first; without any, loans are not checked
	// Meanings are those of the bank's lists. Without it, no item means anything.
	Meanings Meanings
	// Named finds what a person calls an item of a list, as Meanings does what the bank calls it.
	Named func(list, text string) string
	None  []int32 // ids that stand for no item of a list, where the bank does not describe one
}

// Checker checks structs by their tags, and borrowers across their fields. It is safe for concurrent use. Reuse it: it
// caches the struct types.
type Checker struct {
	options Options
	library *validator.Validate
}

// New returns a checker.
func New(o Options) *Checker {
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Checker{o, validator.New(validator.WithRequiredStructEnabled(), validator.WithTagNameFuncBlankOmit())}
	c.library.RegisterTagNameFunc(jsonName)
	c.library.RegisterCustomTypeFunc(clearText, pii.Name{}, pii.TaxID{}, pii.CheckDigits{}, pii.BirthDate{}, pii.ExpiryDate{}, pii.Email{},
		pii.Phone{}, pii.Address{}, pii.PostalCode{}, pii.Locality{}, pii.Money{}, pii.Flag{})
	for tag, rule := range rules {
		finds := func(f validator.FieldLevel) bool {
			return len(c.weighed(rule.check(c, text(f.Field().Interface()), f.Param()))) == 0
		}
		if err := c.library.RegisterValidation(tag, finds); err != nil {
			panic(fmt.Sprintf("validation: tag %s: %v", tag, err))
		}
	}
	return c
}

func (c *Checker) today() Date { return Today(c.options.Now()) }

// jsonName is how paths name a field. An embedded struct has no part in a path, nor in the JSON.
func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	switch {
	case name == "-" || name == "" && f.Anonymous:
		return ""
	case name == "":
		return f.Name
	}
	return name
}

// clearText gives the library the text in a value of package pii. Blank text is absent text.
func clearText(v reflect.Value) any { return strings.TrimSpace(text(v.Interface())) }

// text returns a value as the rules read it, "" if absent.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case interface{ Reveal() string }:
		return v.Reveal()
	case pii.Money:
		if amount, ok := v.Reveal(); ok {
			return amount.String()
		}
		return ""
	case pii.Flag:
		if answer, ok := v.Reveal(); ok {
			return strconv.FormatBool(answer)
		}
		return ""
	}
	return fmt.Sprint(v)
}

// Struct checks a struct, or a pointer to one, by its validate tags and returns every problem it finds. It takes input
// as people type it: check first, then [Normalise]. Struct panics for anything but a struct.
func (c *Checker) Struct(v any) Report {
	err := c.library.Struct(v)
	var failures validator.ValidationErrors
	if err != nil && !errors.As(err, &failures) {
		panic(fmt.Sprintf("validation: cannot check a %T", v))
	}
	var problems []Problem
	for _, failure := range failures {
		root, path, _ := strings.Cut(failure.Namespace(), ".")
		if path == "" {
			path = root // a struct without a name has no root
		}
		for _, p := range c.problems(failure) {
			p.Path = path
			problems = append(problems, p)
		}
	}
	return c.weighed(problems)
}

// Value checks one value alone by the tags of its field ("required,nif_person"), with the problems that [Checker.Struct]
// finds in it, but without a path. It is for a form that checks a field as it is filled in. Value panics for a
// tag that does not exist.
func (c *Checker) Value(tags string, value any) Report {
	var failures validator.ValidationErrors
	errors.As(c.library.Var(value, tags), &failures)
	var problems []Problem
	for _, failure := range failures {
		problems = append(problems, c.problems(failure)...)
	}
	return c.weighed(problems)
}

func (c *Checker) problems(f validator.FieldError) []Problem {
	switch f.Tag() {
	case "required":
		return []Problem{problem(Required, "")}
	case "expected":
		return []Problem{problem(Expected, "")}
	}
	if f.Kind() == reflect.Pointer || f.Kind() == reflect.Invalid { // nil, without omitempty: absent, not wrong
		return nil
	}
	if rule, ours := rules[f.Tag()]; ours {
		return rule.check(c, text(f.Value()), f.Param())
	}
	long := f.Kind() == reflect.String || f.Kind() == reflect.Slice
	switch f.Tag() {
	case "oneof":
		return []Problem{problem(ChoiceUnknown, "")}
	case "max", "lte":
		if long {
			return []Problem{problem(TooLong, "").with("max", f.Param())}
		}
		return []Problem{problem(TooHigh, "").with("max", f.Param())}
	case "min", "gte":
		if !long {
			return []Problem{problem(TooLow, "").with("min", f.Param())}
		}
	}
	return []Problem{problem(Invalid, "")}
}
