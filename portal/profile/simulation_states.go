package profile

import (
	"maps"
	"slices"
)

// SimulationStates says what the states of a simulation mean. A state is known by its id, or else by words of its description.
type SimulationStates struct {
	Meanings map[string]SimulationMeaning `json:"meanings"` // by name
	// IDs are the names of meanings by the id of a state; "" is a state that means none of them.
	IDs map[string]string `json:"ids"`
}

// SimulationMeaning is what a state of a simulation means. That of an unknown state is the zero SimulationMeaning.
type SimulationMeaning struct {
	Name        string   `json:"-"`
	Turn        Turn     `json:"turn"`
	Ends        bool     `json:"ends"`        // the simulation has ended
	Editable    bool     `json:"editable"`    // it can be changed
	Cancelable  bool     `json:"cancelable"`  // it can be cancelled
	Convertible bool     `json:"convertible"` // a process can be made of it
	Words       []string `json:"words"`       // phrases that say it
}

// SimulationMeaning returns what a state of a simulation means: by its id, or else by the first of its descriptions that means
// something. It is not known if neither does.
func (p *Profile) SimulationMeaning(id int32, descriptions ...string) (m SimulationMeaning, known bool) {
	own := States{
		Meanings: make(map[string]Meaning, len(p.SimulationStates.Meanings)), IDs: p.SimulationStates.IDs,
		Negations: p.States.Negations, Breaks: p.States.Breaks,
	}
	for name, meaning := range p.SimulationStates.Meanings {
		of := Meaning{Turn: meaning.Turn, Words: meaning.Words}
		if meaning.Ends {
			of.Ends = Cancelled
		}
		own.Meanings[name] = of
	}
	found, known := own.Meaning(id, descriptions...)
	m = p.SimulationStates.Meanings[found.Name]
	m.Name = found.Name
	return m, known
}

// simulationStates finds states of simulations with a meaning that does not exist.
func (c *checker) simulationStates() {
	known := slices.Sorted(maps.Keys(c.p.SimulationStates.Meanings))
	for _, id := range slices.Sorted(maps.Keys(c.p.SimulationStates.IDs)) {
		if name := c.p.SimulationStates.IDs[id]; name != "" && !slices.Contains(known, name) {
			c.suggest("meaning", name, known, []string{"simulation_states", "ids", id})
		}
	}
}
