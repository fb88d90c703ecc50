package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/user"
	"strings"
	"time"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/internal/app"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/tools"
)

// auditTimeout is the longest that a command on the audit log may take.
const auditTimeout = 10 * time.Minute

// auditLog runs the commands on the audit log.
type auditLog struct {
	store *conversations.Store
	out   io.Writer
	say   translator
}

// auditCommand returns the command for arguments such as «audit verify», or nil if there is none.
func auditCommand(args []string) func(context.Context, auditLog) error {
	if len(args) < 2 || args[0] != "audit" {
		return nil
	}
	switch rest := args[2:]; {
	case args[1] == "verify":
		known, ok := parseKnown(rest)
		if !ok {
			return nil
		}
		return func(ctx context.Context, a auditLog) error { return a.verify(ctx, known) }
	case args[1] == "list" && len(rest) == 1:
		return func(ctx context.Context, a auditLog) error { return a.list(ctx, conversations.Month(rest[0])) }
	case args[1] == "erase" && len(rest) == 1:
		return func(ctx context.Context, a auditLog) error { return a.erase(ctx, rest[0]) }
	}
	return nil
}

// parseKnown returns the hashes that an earlier verification printed, and false if one is none.
func parseKnown(args []string) (known []conversations.Known, ok bool) {
	for _, arg := range args {
		one, ok := conversations.ParseKnown(arg)
		if !ok {
			return nil, false
		}
		known = append(known, one)
	}
	return known, true
}

// withAudit runs a command on the audit log. Bots may run at the same time.
func withAudit(ctx context.Context, s settings.Settings, log *slog.Logger, out io.Writer, say translator, do func(context.Context, auditLog) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, auditTimeout)
	defer cancel()
	store, err := app.OpenStore(ctx, s, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return do(ctx, auditLog{store, out, say})
}

// verify verifies all chains, and that they have the entries with the known hashes, and prints where one is broken.
func (a auditLog) verify(ctx context.Context, known []conversations.Known) error {
	found, err := a.store.Verify(ctx, known...)
	if broken, is := errors.AsType[*conversations.BrokenError](err); is {
		why := a.say("audit.break." + string(broken.Break))
		if broken.ID == "" {
			fmt.Fprintln(a.out, a.say("audit.broken.end", "chain", broken.Chain, "month", broken.Month, "why", why))
		} else {
			fmt.Fprintln(a.out, a.say("audit.broken", "chain", broken.Chain, "month", broken.Month, "entry", broken.ID, "at", stamp(broken.At), "why", why))
		}
		fmt.Fprintln(a.out, a.say("audit.before", "count", found.Entries))
	}
	if err != nil {
		return err
	}
	for _, gone := range found.Gone {
		if gone.ByEntry != "" {
			fmt.Fprintln(a.out, a.say("audit.erased", "entry", gone.ID, "at", stamp(gone.At), "by", gone.ByEntry))
		} else {
			fmt.Fprintln(a.out, a.say("audit.missing", "entry", gone.ID, "at", stamp(gone.At)))
		}
	}
	if len(found.Chains) == 0 {
		fmt.Fprintln(a.out, a.say("audit.empty"))
		return nil
	}
	for _, chain := range found.Chains {
		if chain.Before != "" {
			fmt.Fprintln(a.out, a.say("audit.older", "chain", chain.Chain, "hash", chain.Before))
		}
	}
	fmt.Fprintln(a.out, a.say("audit.whole", "count", found.Entries, "first", stamp(found.First), "hash", joined(found.Known())))
	return nil
}

// joined returns the hashes as arguments of the command.
func joined(known []conversations.Known) string {
	var texts []string
	for _, one := range known {
		texts = append(texts, string(one))
	}
	return strings.Join(texts, " ")
}

// list prints each entry of a month, and the text that belongs to it.
func (a auditLog) list(ctx context.Context, month conversations.Month) error {
	for entry, err := range a.store.AuditEntries(ctx, month) {
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "%s  %s\n", entry.ID, entry.Entry)
		text, err := a.store.Text(ctx, entry)
		switch {
		case errors.Is(err, conversations.ErrGone):
			text = a.say("audit.gone")
		case err != nil:
			return err
		}
		if text != "" {
			fmt.Fprintf(a.out, "    %q\n", text)
		}
	}
	return nil
}

// erase erases the text that belongs to an entry.
func (a auditLog) erase(ctx context.Context, id string) error {
	by := "operator"
	if current, err := user.Current(); err == nil {
		by += ":" + current.Username
	}
	err := a.store.EraseText(ctx, id, tools.Erasure(time.Now(), by, id))
	if errors.Is(err, conversations.ErrGone) {
		fmt.Fprintln(a.out, a.say("audit.nothing", "entry", id))
	}
	if err == nil {
		fmt.Fprintln(a.out, a.say("audit.done", "entry", id))
	}
	return err
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }
