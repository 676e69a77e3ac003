package hooks

import (
	"fmt"
	"os"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/ops"
	"gatehouse/hooks/schema"
)

// examineIdentity is what doctor says about sign-ins: nothing here stops the
// portal, so each line is ok or a warning with what to do.
func (h *House) examineIdentity() ([]string, error) {
	var lines []string
	supers, err := h.App.FindCachedCollectionByNameOrId(core.CollectionNameSuperusers)
	if err != nil {
		return nil, fmt.Errorf("find superusers: %w", err)
	}
	n, err := h.App.CountRecords(supers)
	if err != nil {
		return nil, fmt.Errorf("count superusers: %w", err)
	}
	if n > 0 && !supers.MFA.Enabled {
		lines = append(lines, "warn  superusers sign in with a password alone. Turn on one-time codes and multi-factor authentication in the dashboard: the collection _superusers, Options.")
	}
	if n > 0 && len(h.App.Settings().SuperuserIPs) == 0 {
		lines = append(lines, "warn  superusers may sign in from everywhere. List their addresses in the dashboard: Settings, Application, Superuser IPs.")
	}
	for _, table := range []string{schema.Users, schema.Staff} {
		var twice []string
		err := h.App.DB().NewQuery(`SELECT lower(email) FROM ` + table + ` WHERE email != '' GROUP BY lower(email) HAVING COUNT(*) > 1`).Column(&twice)
		if err != nil {
			return nil, fmt.Errorf("look for addresses that are there twice: %w", err)
		}
		for _, email := range twice {
			lines = append(lines, "warn  two accounts in "+table+" have the address "+email+". Ask whose they are, and change the address of one.")
		}
	}
	lines = append(lines, h.examineProxies()...)
	var without int
	err = h.App.DB().NewQuery(`SELECT COUNT(*) FROM staff s WHERE s.active = 1 AND s.maker = '' AND NOT EXISTS (SELECT 1 FROM second_factors f WHERE f.principal = s.id AND f.confirmed != '')
		AND NOT EXISTS (SELECT 1 FROM passkeys p WHERE p.principal = s.id)`).Row(&without)
	if err != nil {
		return nil, fmt.Errorf("count staff without an app: %w", err)
	}
	if without > 0 && !access.StaffFactorOptional() && !h.App.Settings().SMTP.Enabled {
		lines = append(lines, fmt.Sprintf("warn  %d of the staff have neither an authenticator app nor a passkey, and no mail can bring them a code: they set an app up at their next sign-in.", without))
	}
	return lines, nil
}

func (h *House) examineProxies() []string {
	if _, err := ops.Proxies(); err != nil {
		return []string{"warn  " + err.Error() + ". The server does not start with it."}
	}
	if headers := h.App.Settings().TrustedProxy.Headers; len(headers) > 0 && os.Getenv("GATEHOUSE_TRUSTED_PROXIES") == "" {
		return []string{fmt.Sprintf("ok    %s is believed of proxies on this machine only; name others in GATEHOUSE_TRUSTED_PROXIES", headers[0])}
	}
	return nil
}
