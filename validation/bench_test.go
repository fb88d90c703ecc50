package validation_test

import (
	"testing"

	"github.com/balcao/balcao/validation"
)

func BenchmarkAWholeBorrowerInOrder(b *testing.B) {
	checks, a, facts := checker(b), applicant(), keyBorrower()
	b.ReportAllocs()
	for b.Loop() {
		if r := checks.Struct(a).With(checks.Borrower(facts)); r != nil {
			b.Fatal(findings(r))
		}
	}
}

func BenchmarkAWholeBorrowerWithEveryFieldWrong(b *testing.B) {
	checks, a := checker(b), application{Personal: everywhere("!")}
	facts := factsOf(a.Personal)
	b.ReportAllocs()
	for b.Loop() {
		if r := checks.Struct(a).With(checks.Borrower(facts)); !r.HasErrors() {
			b.Fatal("nothing is wrong")
		}
	}
}

func BenchmarkNormalise(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		a := applicant()
		validation.Normalise(&a)
	}
}
