package profile

import (
	"cmp"
	"strconv"
)

// Workflow is what the states of a process mean, with what the bank's lists say of them. The zero value knows nothing.
type Workflow struct {
	states States
	listed map[int32]State
	phases []Phase
}

// Workflow returns the workflow with the bank's lists of states and phases. Both may be empty.
func (s States) Workflow(listed []State, phases []Phase) Workflow {
	w := Workflow{states: s, listed: map[int32]State{}, phases: phases}
	for _, state := range listed {
		w.listed[state.ID] = state
	}
	return w
}

// Meaning returns what a state means: by its id if the profile has it, or else by its description in a reply, or else by that
// in the bank's list.
func (w Workflow) Meaning(id int32, description string) (m Meaning, known bool) {
	return w.states.Meaning(id, description, w.listed[id].Description)
}

// Description returns the description of a state: the one in a reply, or else the one in the bank's list, or else its id.
func (w Workflow) Description(id int32, description string) string {
	if description = cmp.Or(description, w.listed[id].Description); description == "" && id != 0 {
		return strconv.Itoa(int(id))
	}
	return description
}

// Phase returns the bank's phase of a state: that of its id in the profile; or else said, the one that the bank says in the
// same reply; or else the one that the bank's list says; or else the one that its meaning has. ok is false if none is known.
func (w Workflow) Phase(id int32, description string, said Phase) (phase Phase, ok bool) {
	if own := w.states.Phases[strconv.Itoa(int(id))]; own != 0 && id != 0 {
		return w.phase(own), true
	}
	if said.ID != 0 {
		return Phase{said.ID, cmp.Or(said.Description, w.phase(said.ID).Description)}, true
	}
	if listed := w.listed[id].PhaseID; listed != 0 && id != 0 {
		return w.phase(listed), true
	}
	meaning, known := w.Meaning(id, description)
	if !known {
		return Phase{}, false
	}
	return w.around(meaning)
}

// around returns the phase with a meaning, or else the one around it: of several with the same phrase, that which begins with it.
func (w Workflow) around(meaning Meaning) (phase Phase, ok bool) {
	for _, phase := range w.phases {
		if own, known := w.states.inWords(phase.Description); known && own == meaning.Name {
			return phase, true
		}
	}
	for _, phrase := range meaning.Phase {
		first := maxWords
		for _, candidate := range w.phases {
			if before, has := w.states.position(candidate.Description, phrase); has && before < first {
				phase, first = candidate, before
			}
		}
		if first < maxWords {
			return phase, true
		}
	}
	return Phase{}, false
}

// phase returns the phase with an id, without a description if it is not listed.
func (w Workflow) phase(id int32) Phase {
	for _, phase := range w.phases {
		if phase.ID == id {
			return phase
		}
	}
	return Phase{ID: id}
}
