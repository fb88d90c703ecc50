package validation

// AskAll returns rules that ask about everything that depends on the bank.
func AskAll() Rules {
	rules := Rules{}
	for _, code := range uncertain {
		rules[code] = Ask
	}
	return rules
}
