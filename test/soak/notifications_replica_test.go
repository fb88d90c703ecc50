package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/balcao/balcao/tools/catalogue"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/telemetry"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/notifications"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/slackapp"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/validation"
)

// replicaVariable is the environment variable that makes the test binary run as a replica. It holds a replicaConfig as JSON.
const replicaVariable = "SOAK_REPLICA"

// replicaConfig configures a replica that posts changes to the team.
type replicaConfig struct {
	Redis, Key, Bank, Slack      string
	Callbacks, Token             string // where the bank sends them
	Lease, Debounce, MinInterval time.Duration
	ReconcileInterval            time.Duration
}

const teamDestination = "slack:" + slacksim.TeamChannel

// runReplica is the main function of a replica.
func runReplica(given string) (code int) {
	log := telemetry.NewLogger(os.Stderr, slog.LevelInfo)
	slog.SetDefault(log)
	var n replicaConfig
	err := json.Unmarshal([]byte(given), &n)
	if err == nil {
		err = n.run(context.Background(), log)
	}
	if err != nil {
		log.Error("stopped", "error", err)
		return 1
	}
	return 0
}

func (n replicaConfig) run(ctx context.Context, log *slog.Logger) error {
	config, client, err := n.config(ctx, log)
	if err != nil {
		return err
	}
	app, err := slackapp.New(slackapp.Config{
		Runner: tools.NewRunner(tools.Config{
			Catalogue: catalogue.New(), Bank: client, People: tools.Team{"": {Login: ana}}, Checks: validation.New(validation.Options{}),
			Journal: config.Store, AuditLog: config.Store, Fingerprint: config.Fingerprint, Index: config.Store, Log: log,
		}),
		Store: config.Store, BotToken: slacksim.DefaultBotToken, AppToken: slacksim.DefaultAppToken, APIURL: n.Slack, Log: log,
	})
	if err != nil {
		return err
	}
	config.Poster = app
	news, err := notifications.Start(ctx, config)
	if err != nil {
		return err
	}
	defer news.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: news.Handler(), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // returns when the test process ends
		_ = server.Close()
	}()
	fmt.Printf("http://%s\n", listener.Addr())
	return server.Serve(listener)
}

var ana = portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[0]}

// config returns the configuration of notifications without a poster.
func (n replicaConfig) config(ctx context.Context, log *slog.Logger) (notifications.Config, *portal.Client, error) {
	sealing, err := keys.Parse(n.Key)
	if err != nil {
		return notifications.Config{}, nil, err
	}
	store, err := conversations.Open(ctx, n.Redis, sealing, conversations.WithTeam(teamDestination, words.English))
	if err != nil {
		return notifications.Config{}, nil, err
	}
	client, err := portal.New(portal.Config{
		BaseURL: n.Bank, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret,
		PartnerUID: sandbox.BrokerA.Partner, MaxPerSecond: 10_000, OpenFor: 500 * time.Millisecond, Log: log,
	})
	return notifications.Config{
		Store: store, Bank: client.As(ana, "en"), Fingerprint: sealing.Fingerprint, Log: log,
		Lang: words.English, URL: n.Callbacks, Tokens: []string{n.Token},
		Lease: n.Lease, Debounce: n.Debounce, MinInterval: n.MinInterval, ReconcileInterval: n.ReconcileInterval, PageInterval: time.Millisecond,
	}, client, err
}
