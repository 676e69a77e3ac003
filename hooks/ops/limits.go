package ops

import (
	"fmt"
	"os"
	"reflect"

	"github.com/pocketbase/pocketbase/core"
)

// limits keep a stranger from guessing codes and passwords, and one page from
// using the server up. Counts are per address; superusers are exempt.
var limits = []core.RateLimitRule{
	{Label: "*:auth", MaxRequests: 20, Duration: 60},
	{Label: "*:requestOTP", MaxRequests: 10, Duration: 60},
	{Label: "/api/portal/invitations/accept", MaxRequests: 20, Duration: 60},
	{Label: "/api/portal/invitations/look", MaxRequests: 60, Duration: 60},
	{Label: "/api/portal/passkeys/sign-in", MaxRequests: 20, Duration: 60},
	{Label: "/api/portal/passkeys/sign-in/start", MaxRequests: 60, Duration: 60},
	{Label: "/api/portal/setup", MaxRequests: 20, Duration: 60},
	{Label: "/api/batch", MaxRequests: 10, Duration: 10},
	{Label: "/api/", MaxRequests: 600, Duration: 10},
}

// LimitsOff says whether the environment turns rate limits off, for tests.
func LimitsOff() bool { return os.Getenv("GATEHOUSE_RATE_LIMITS") == "off" }

// Limit turns the rate limits on; PocketBase comes with them off.
func Limit(app core.App) error {
	s := app.Settings()
	if s.RateLimits.Enabled == !LimitsOff() && reflect.DeepEqual(s.RateLimits.Rules, limits) {
		return nil
	}
	s.RateLimits.Enabled, s.RateLimits.Rules = !LimitsOff(), limits
	if err := app.Save(s); err != nil {
		return fmt.Errorf("turn rate limits on: %w", err)
	}
	return nil
}
