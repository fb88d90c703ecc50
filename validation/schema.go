package validation

import (
	"maps"
	"strconv"
	"strings"
)

// JSONSchema says in the keywords of JSON Schema what a validate tag ("required,nif_person") asks of the input. It
// says less than the tag does: what [Normalise] makes right must pass the schema too.
func JSONSchema(tag string) map[string]any {
	schema := map[string]any{}
	for part := range strings.SplitSeq(tag, ",") {
		name, param, _ := strings.Cut(part, "=")
		maps.Copy(schema, rules[name].schema)
		if limit, err := strconv.Atoi(param); err == nil && name == "text" {
			schema["maxLength"] = limit
		}
	}
	return schema
}
