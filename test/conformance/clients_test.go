package conformance

import (
	"bufio"
	"strings"
	"testing"
)

// transports returns how clients reach the program: its address, or the program and its arguments.
func transports(t *testing.T, setting string, args ...string) map[string][]string {
	t.Helper()
	return map[string][]string{"http": {serve(t, setting, args...)}, "stdio": append(program(t), args...)}
}

func TestTheTypeScriptClientsWorkInNode(t *testing.T) {
	t.Parallel()
	node := install(t)
	for _, setting := range []string{"", trusting} {
		for transport, server := range transports(t, setting) {
			for _, client := range [][]string{{"sdk", Legacy}, {"client", Legacy}, {"client", Modern}} {
				name := strings.TrimSpace(strings.Join(append(client, transport, setting), " "))
				steps, _ := node.run(t, setting, append(append([]string{"clients.mjs"}, client...), server...)...)
				for lines := bufio.NewScanner(strings.NewReader(steps)); lines.Scan(); {
					outcome, step, _ := strings.Cut(lines.Text(), " ")
					if t.Log(outcome, name+":", step); outcome != "ok" {
						t.Fail()
					}
				}
				if !strings.Contains(steps, "ok close") {
					t.Errorf("FAIL %s: it did not end", name)
				}
			}
		}
	}
}

func TestTheInspectorFindsNothingInNode(t *testing.T) {
	t.Parallel()
	node := install(t)
	inspect := func(era, transport string, server []string, args ...string) {
		t.Helper()
		call := append([]string{"node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js", "--cli", "--protocol-era", era}, args...)
		if transport == "http" {
			call = append(call, "--transport", "http", "--server-url", server[0])
		} else {
			call = append(append(call, "--"), server...)
		}
		out, said := node.run(t, "", call...)
		name := strings.Join(append([]string{"inspector", era, transport}, args...), " ")
		if transport == "stdio" {
			said = "" // it has what the program logs
		}
		if said != "" || !strings.HasPrefix(out, "{") {
			t.Errorf("FAIL %s: %s%s", name, out, said)
			return
		}
		t.Log("ok", name)
	}
	for _, offered := range []string{"core", "all"} {
		for transport, server := range transports(t, "", "-tools", offered) {
			for _, era := range []string{"legacy", "modern"} {
				inspect(era, transport, server, "--method", "tools/list", "--strict")
				if offered == "all" {
					continue
				}
				inspect(era, transport, server, "--method", "prompts/list")
				inspect(era, transport, server, "--method", "resources/templates/list")
				inspect(era, transport, server, "--method", "resources/read", "--uri", "balcao://processes/1043")
				inspect(era, transport, server, "--method", "tools/call", "--tool-name", "get_process", "--tool-arg", "process=1043")
			}
		}
	}
}
