package settings

import "github.com/balcao/balcao/internal/words"

// Help says what a setting is and how to obtain it.
func Help(lang words.Lang, name string) string { return texts.Say(lang, name, nil) }
