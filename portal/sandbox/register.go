package sandbox

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
)

// Each file of operations registers what it serves, in its init function. The reasons for which it refuses, with their
// codes and texts, are registered in package portal beside the client's method, which has to understand them. What it
// stores is in a [table].

// handler answers a call with what becomes the JSON of the reply, or with a *refusal.
type handler func(*Bank, *call) (any, error)

var (
	handlers = map[portal.OperationID]handler{}
	codes    = map[portal.OperationID]string{} // of success
)

// allHandlers are those of all operations: those that are registered, and of the taxonomies that the profile has.
var allHandlers = sync.OnceValue(func() map[portal.OperationID]handler {
	for _, key := range portal.Taxonomies() {
		serve(key.Operation(), taxonomy(key))
	}
	return handlers
})

// serve registers the handler of an operation. It panics if the operation has one.
func serve(id portal.OperationID, handle handler) {
	if handlers[id] != nil {
		panic(fmt.Sprintf("sandbox: operation %q is registered twice", id))
	}
	handlers[id] = handle
}

// serveWrite registers the handler of an operation that changes something, and the code of its success. The text is in
// the translation files, under the operation's id.
func serveWrite(id portal.OperationID, code string, handle handler) {
	serve(id, handle)
	codes[id] = code
}

// Operations lists the operations that a bank serves, in no order.
func Operations() []portal.OperationID { return slices.Collect(maps.Keys(allHandlers())) }

//go:embed words
var texts embed.FS

var book = words.Tree(texts, "words") // a folder for each file that has texts

// success returns the status of a write that succeeded.
func success(c *call, args map[string]any) operationStatus {
	return operationStatus{codes[c.operation], book.Say(c.lang.Lang, string(c.operation), args)}
}

// written is the reply to a write that returns nothing else. The shape is confirmed; of the code, the bank's example and
// its table of production codes disagree, and the table's is sent.
type written struct {
	Status operationStatus `json:"operationStatus"`
}

func done(c *call) written { return written{success(c, nil)} }
