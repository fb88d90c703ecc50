// Package catalogue lists the toolsets that Balcão offers.
package catalogue

import (
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
	"github.com/balcao/balcao/tools/documents"
	"github.com/balcao/balcao/tools/processes"
	"github.com/balcao/balcao/tools/subscriptions"
	"github.com/balcao/balcao/tools/taxonomies"
)

// New makes the catalogue of all toolsets, in the order in which people meet them. It panics where two tools cannot stand
// beside each other: the toolsets are compiled in.
func New() *tools.Catalogue {
	catalogue, err := tools.NewCatalogue(
		processes.Toolset,
		borrowers.Toolset,
		documents.Toolset,
		subscriptions.Toolset,
		taxonomies.Toolset,
	)
	if err != nil {
		panic("catalogue: " + err.Error())
	}
	return catalogue
}
