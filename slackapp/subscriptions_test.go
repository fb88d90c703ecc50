package slackapp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

// destinations stores the settings of destinations.
type destinations struct{ *conversations.Store }

func (p destinations) Settings(ctx context.Context, id string) (destination.Settings, error) {
	return p.Destination(ctx, id)
}

func (p destinations) Change(ctx context.Context, id string, change func(*destination.Settings) error) (destination.Settings, error) {
	return p.ChangeDestination(ctx, id, change)
}

func (p destinations) Announce(ctx context.Context, dest string, change tools.SettingsChange) error {
	data, err := json.Marshal(change)
	if err != nil {
		return err
	}
	return p.Put(ctx, "settings-change", dest, data, time.Hour)
}

func (p destinations) LastChange(ctx context.Context, dest string) (change tools.SettingsChange, ok bool, err error) {
	data, ok, err := p.Get(ctx, "settings-change", dest)
	if ok {
		err = json.Unmarshal(data, &change)
	}
	return change, ok, err
}

func (p destinations) ChangeOwner(ctx context.Context, change tools.OwnerChange) (bool, error) {
	_, changed, err := p.Store.ChangeOwner(ctx, change.Process, change.To, change.By.ID, func(owner string) bool {
		return change.OnlyFrom == "" || owner == change.OnlyFrom
	})
	return changed, err
}

// updateList is a list of recent changes.
type updateList []tools.ProcessChange

func (r updateList) Horizon(context.Context) (tools.Horizon, error) {
	return tools.Horizon{From: time.Unix(0, 0)}, nil
}

func (r updateList) Since(context.Context, time.Time, int, words.Lang, map[int32]string) ([]tools.ProcessChange, error) {
	return r, nil
}

const (
	teamChannel = "slack:" + slacksim.TeamChannel
	anaDirect   = "slack:" + slacksim.Ana
)

// subscriptions describes what a destination follows.
func (h *harness) subscriptions(id string) string {
	h.t.Helper()
	settings, err := h.replica.store.Destination(h.ctx(), id)
	must(h.t, err)
	var kinds []string
	for _, w := range settings.Subscriptions {
		kinds = append(kinds, strings.TrimSpace(string(w.Kind)+" "+w.Name))
	}
	return strings.Join(kinds, ", ")
}

func TestAChannelIsSubscribedInOneLineAndUnsubscribedByAButton(t *testing.T) {
	t.Parallel()
	for _, way := range []transport{overHTTP, overSocket} {
		t.Run(string(way), func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, way)
			ana := h.ana()
			ana.types("/balcao follow 1042")
			card := ana.reads("A seguir nesta conversa", "o processo 1042", "/balcao parar")
			if got := h.subscriptions(teamChannel); got != "process 1042" {
				t.Errorf("the channel follows %q", got)
			}
			ana.pressesIn(card, "step:a")
			ana.reads("Deixou de seguir")
			if got := h.subscriptions(teamChannel) + h.subscriptions(anaDirect); got != "" {
				t.Errorf("%q is still followed", got)
			}
			h.checkNoRefusals()
		})
	}
}

func TestFollowingInAChannelNotifiesThePersonAlone(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana := h.ana()
	ana.types("/balcao notify 1042")
	ana.reads("A seguir por mensagem direta", "o processo 1042", "/balcao parar 1042")
	if channel, own := h.subscriptions(teamChannel), h.subscriptions(anaDirect); channel != "" || own != "process 1042" {
		t.Errorf("the channel follows %q, and she %q", channel, own)
	}
	h.checkNoRefusals()
}

func TestAWordForAYesNoFieldActsAtOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana, tom := h.ana(), h.user(slacksim.Tom)
	ana.types("/balcao follow tudo")
	ana.reads("todos os processos e simulações")
	tom.types("/balcao follow MINE")
	tom.reads("your processes")
	if got := h.subscriptions(teamChannel); got != "all, person" {
		t.Errorf("the channel follows %q", got)
	}
	settings, err := h.replica.store.Destination(h.ctx(), teamChannel)
	must(t, err)
	if tomsID := "slack:" + slacksim.TeamID + "/" + slacksim.Tom; settings.Subscriptions[1].Value != tomsID || settings.Lang != words.Portuguese {
		t.Errorf("it is kept as %+v", settings)
	}
}

func TestAFormForASubscriptionAppliesToTheChannelWhereItBegan(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	tom := h.user(slacksim.Tom)
	tom.types("/balcao follow")
	view := tom.sees("Follow processes", "What to follow")
	if view.Submit != "Save" {
		t.Errorf("the button says %q", view.Submit)
	}
	if done := tom.submits(slacksim.Values{}); len(done.Errors) == 0 {
		t.Errorf("nothing is accepted: %+v", done)
	}
	tom.submits(slacksim.Values{"phaseId": "2"})
	tom.sees("Followed here", "Decision")
	if got := h.subscriptions(teamChannel); got != "phase Decision" {
		t.Errorf("the channel follows %q", got)
	}
	if got := h.subscriptions("slack:" + slacksim.Tom); got != "" {
		t.Errorf("Tom follows %q", got)
	}
	h.checkNoRefusals()
}

func TestInTheirDirectMessagesAPersonSubscribesThose(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana := h.ana()
	must(t, ana.Command(h.ctx(), ana.DM(), "/balcao follow 1042"))
	ana.readsIn(ana.DM(), "A seguir nesta conversa")
	if got := h.subscriptions(anaDirect); got != "process 1042" {
		t.Errorf("Ana follows %q", got)
	}
}

func TestFromTheHomeTabAPersonSubscribesTheirDirectMessages(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana := h.ana()
	must(t, ana.OpenHome(h.ctx()))
	home, err := ana.WaitHome(h.ctx(), func(v slacksim.View) bool { return says(v.Text(), []string{"Seguir processos"}) })
	must(t, err)
	for _, raw := range home.Blocks {
		var row struct {
			ID     string                 `json:"block_id"`
			Button struct{ Value string } `json:"accessory"`
		}
		must(t, json.Unmarshal(raw, &row))
		if strings.Contains(row.Button.Value, "follow_processes") {
			must(t, ana.ClickHome(h.ctx(), row.ID))
		}
	}
	ana.sees("Seguir processos", "O que seguir")
	ana.submits(slacksim.Values{"everything": "true"})
	ana.sees("A seguir nesta conversa")
	if got := h.subscriptions(anaDirect); got != "all" {
		t.Errorf("Ana follows %q", got)
	}
}

func TestTheSubcommandsAreListedForWhoAsks(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	tom := h.user(slacksim.Tom)
	for line, want := range map[string][]string{
		"/balcao":             {"Process updates", "/balcao follow [process]", "/balcao digest"},
		"/balcao help":        {"Process updates", "/balcao mute"},
		"/balcao nonsense":    {"There is no such command", "/balcao own"},
		"/balcao follow help": {"Follow processes", "/balcao follow [process]"},
		"/balcao  SHOW  ":     {"Followed here"},
		"/balcao quiet 20-8":  {"20:00–08:00"},
		"/balcao digest 9h":   {"09:00, Monday to Friday"},
		"/balcao mute 1043":   {"Process 1043 is muted", "until it is unmuted"},
		"/balcao mute help":   {"/balcao mute [process] [until]"},
		"/balcao own 1042":    {"You now own process 1042"},
		"/balcao quiet never": {"two different times"},
	} {
		tom.types(line)
		answer := tom.reads(want...)
		if strings.Contains(answer.FullText(), "/borrowers") {
			t.Errorf("%s lists other commands too: %s", line, answer.FullText())
		}
	}
}

func TestAProcessIsMutedUntilADayInOneLine(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana := h.ana()
	day := time.Now().AddDate(0, 0, 30)
	ana.types("/balcao mute 1042  " + day.Format(time.DateOnly))
	ana.reads("Processo 1042 silenciado", "até "+day.Format("02/01/2006"))
	settings, err := h.replica.store.Destination(h.ctx(), teamChannel)
	must(t, err)
	if until := settings.Mutes[sandbox.SampleProcess(1042)]; until.In(time.UTC).Sub(day).Abs() > 48*time.Hour {
		t.Errorf("it is muted until %s", until)
	}
	ana.types("/balcao mute 1042 amanhã")
	ana.reads("Há dados a corrigir", "Até:")
	h.checkNoRefusals()
}

func TestUpdatesAreListedInTheChannel(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	h.updates = updateList{
		{Subject: tools.Subject{Process: sandbox.SampleProcess(1042)}, Number: 1042, At: time.Now(), What: []string{"Status: In Creation → Decision"}},
		{Subject: tools.Subject{Process: uuid.New()}, Number: 7777, At: time.Now(), What: []string{"somebody else's"}},
	}
	h.replica.stop()
	h.replica = h.startReplica()
	tom := h.user(slacksim.Tom)
	tom.types("/balcao updates")
	if seen := tom.reads("Recent changes", "1042", "In Creation → Decision").FullText(); strings.Contains(seen, "7777") {
		t.Errorf("it shows others' processes: %s", seen)
	}
}

func TestAPersonIsCachedWithoutTheirDestination(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana := h.ana()
	ana.types("/balcao follow 1042")
	ana.reads("A seguir nesta conversa")
	must(t, ana.Command(h.ctx(), slacksim.GeneralChannel, "/balcao follow 1043"))
	ana.readsIn(slacksim.GeneralChannel, "A seguir nesta conversa")
	if got := fmt.Sprint(h.subscriptions(teamChannel), "; ", h.subscriptions("slack:"+slacksim.GeneralChannel)); got != "process 1042; process 1043" {
		t.Errorf("the channels are notified of %s", got)
	}
}

func TestASimulationIsFollowedInOneLineInEitherLanguage(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana := h.ana()
	for _, line := range []string{"/balcao seguir simulação 2102", "/balcao follow simulation 2102", "/balcao seguir simulacao  2102"} {
		ana.types(line)
		card := ana.reads("a simulação 2102", "/balcao parar")
		h.wait("the simulation to be followed after "+line, func() bool { return h.subscriptions(teamChannel) == "simulation 2102" })
		ana.pressesIn(card, "step:a")
		h.wait("it to be followed no more", func() bool { return h.subscriptions(teamChannel) == "" })
	}
	ana.types("/balcao avisar simulação 2102")
	ana.reads("A seguir por mensagem direta", "a simulação 2102", "/balcao parar simulação 2102")
	day := time.Now().AddDate(0, 0, 30)
	ana.types("/balcao silenciar simulação 2102 " + day.Format(time.DateOnly))
	ana.reads("Simulação 2102 silenciada", "até "+day.Format("02/01/2006"))
	ana.types("/balcao silenciar")
	ana.sees("Processo ou simulação", "Até")
	ana.submits(slacksim.Values{"simulation": sandbox.SampleSimulation(sandbox.SampleWithESIS).String()})
	ana.sees("Simulação 2103 silenciada")
	ana.types("/balcao seguir processo 1042")
	ana.reads("o processo 1042")
	if own, here := h.subscriptions(anaDirect), h.subscriptions(teamChannel); own != "simulation 2102" || here != "process 1042" {
		t.Errorf("she follows %q, the channel %q", own, here)
	}
	h.checkNoRefusals()
}
