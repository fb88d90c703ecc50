package sandbox_test

import (
	"net/http"
	"testing"

	"github.com/balcao/balcao/portal/sandbox"
)

func simulationPath(number int) string {
	return "/v1/simulations/" + sandbox.SampleSimulation(number).String()
}

func TestASampleSimulationOfEachProcessResolves(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	for _, number := range []int{sandbox.SampleOpen, sandbox.SampleCouple, sandbox.SampleFirst, sandbox.SampleClosed} {
		process := d.get(t, processPath(number)).object(t)
		got := d.get(t, "/v1/simulations/"+process["simulationUniqueID"].(string))
		if got.status != http.StatusOK {
			t.Fatalf("%d: %d %s", number, got.status, got.body)
		}
		detail := got.object(t)
		if detail["simulationNumber"] != process["simulationNumber"] || detail["processUniqueID"] != process["processUniqueID"] ||
			detail["loanData"].(map[string]any)["loanAmount"] != process["loanAmount"] {
			t.Errorf("process %d: got %v", number, detail)
		}
	}
}
