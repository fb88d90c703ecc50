package tools

import (
	"context"
	"slices"
	"strings"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/profile"
)

// turns are the values of a field of the kind [Turn], each with a text turn.<value> and one more that people say for it,
// turn.<value>.also.
var turns = []profile.Turn{profile.Partner, profile.Bank}

// turnChoices are who may act next.
type turnChoices struct{}

// List implements [Choices].
func (turnChoices) List(_ context.Context, call *Call, _ Field, query string, _ map[string]string) ([]Option, error) {
	var options []Option
	for _, turn := range turns {
		if option := turnOption(call.Actor.Lang, turn); strings.Contains(Fold(option.Text), Fold(query)) {
			options = append(options, option)
		}
	}
	return options, nil
}

// Find implements [Choices].
func (turnChoices) Find(_ context.Context, call *Call, _ Field, value string, _ map[string]string) (Option, bool) {
	turn, ok := parseTurn(value)
	if !ok {
		return Option{}, false
	}
	return turnOption(call.Actor.Lang, profile.Turn(turn.(string))), true
}

func turnOption(lang words.Lang, turn profile.Turn) Option {
	return Option{Value: string(turn), Text: TurnName(lang, turn)}
}

// TurnName says who acts next.
func TurnName(lang words.Lang, turn profile.Turn) string {
	return engineWords.Say(lang, "turn."+string(turn), nil)
}

// parseTurn reads a value, its name in either language, or what people say for it.
func parseTurn(text string) (any, bool) {
	for _, turn := range turns {
		names := []string{string(turn)}
		for _, lang := range words.Langs {
			also := strings.Split(engineWords.Say(lang, "turn."+string(turn)+".also", nil), ",")
			names = append(append(names, TurnName(lang, turn)), also...)
		}
		if slices.ContainsFunc(names, func(name string) bool { return Fold(name) == Fold(text) }) {
			return string(turn), true
		}
	}
	return "", false
}
