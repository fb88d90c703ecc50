// Package catalogue lists the toolsets that Balcão offers.
package catalogue

import (
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
	"github.com/balcao/balcao/tools/documents"
	"github.com/balcao/balcao/tools/messages"
	"github.com/balcao/balcao/tools/processes"
	"github.com/balcao/balcao/tools/property"
	"github.com/balcao/balcao/tools/simulations"
	"github.com/balcao/balcao/tools/subscriptions"
	"github.com/balcao/balcao/tools/taxonomies"
)

// New returns the catalogue of all toolsets, in the order in which people see them. It panics if two tools conflict: the
// toolsets are compiled in.
func New() *tools.Catalogue {
	catalogue, err := tools.NewCatalogue(
		processes.Toolset,
		simulations.Toolset,
		borrowers.Toolset,
		documents.Toolset,
		messages.Toolset,
		property.Toolset,
		subscriptions.Toolset,
		taxonomies.Toolset,
	)
	if err != nil {
		panic("catalogue: " + err.Error())
	}
	return catalogue
}
