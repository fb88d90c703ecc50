package doctor

import (
	"context"
	"errors"

	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/internal/issuer"
)

// issuerCodes are the codes of what can be wrong with an issuer.
var issuerCodes = []struct {
	err  error
	code string
}{
	{issuer.ErrOtherIssuer, "issuer.other_issuer"}, {issuer.ErrNoMetadata, "issuer.no_metadata"}, {issuer.ErrNoKeys, "issuer.no_keys"},
}

// NewIssuer returns the part that checks the issuer of access tokens, none if the settings have none: whether it answers, calls
// itself as the setting does, and publishes keys that can be used.
func NewIssuer(setup Setup) []Part {
	if setup.Settings.MCPIssuer == "" {
		return nil
	}
	return []Part{{Name: "issuer", Blocked: setup.Blocked("MCP_ISSUER"), Checks: []finding.Check{
		{Subject: "MCP_ISSUER", AtStart: true, Timeout: bankTimeout, Run: func(ctx context.Context) []finding.Finding {
			keys, err := issuer.Examine(ctx, setup.Settings.MCPIssuer)
			if err == nil {
				return finding.One(finding.OK, "issuer.usable", "count", keys)
			}
			for _, known := range issuerCodes {
				if errors.Is(err, known.err) {
					return finding.One(finding.Fail, known.code)
				}
			}
			return finding.One(finding.Fail, "issuer.unreachable")
		}},
	}}}
}
