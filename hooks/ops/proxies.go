package ops

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"sync"

	"github.com/pocketbase/pocketbase/core"
)

// Proxies reads from GATEHOUSE_TRUSTED_PROXIES which addresses may say where a
// request comes from: addresses and networks, with commas between. Unset, it is
// this machine alone. What cannot be read is an error, and trusts nobody.
func Proxies() ([]netip.Prefix, error) {
	text := os.Getenv("GATEHOUSE_TRUSTED_PROXIES")
	if text == "" {
		text = "127.0.0.0/8,::1"
	}
	var list []netip.Prefix
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		prefix, err := netip.ParsePrefix(part)
		if err != nil {
			addr, failed := netip.ParseAddr(part)
			if failed != nil {
				return nil, fmt.Errorf("GATEHOUSE_TRUSTED_PROXIES: %q is neither an address nor a network such as 10.0.0.0/8", part)
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		list = append(list, prefix.Masked())
	}
	return list, nil
}

// Provenance takes the headers away by which a proxy says where a request comes
// from, unless one of the proxies sent it: PocketBase believes them of anybody.
// It stands before everything that asks for the address.
func Provenance(proxies []netip.Prefix) func(*core.RequestEvent) error {
	var once sync.Once
	return func(e *core.RequestEvent) error {
		peer, err := netip.ParseAddrPort(e.Request.RemoteAddr)
		if err == nil {
			for _, p := range proxies {
				if p.Contains(peer.Addr().Unmap().WithZone("")) {
					return e.Next()
				}
			}
		}
		for _, name := range e.App.Settings().TrustedProxy.Headers {
			if e.Request.Header.Get(name) == "" {
				continue
			}
			e.Request.Header.Del(name)
			once.Do(func() {
				e.App.Logger().Warn("a header that says where a request comes from was ignored: its sender is no proxy of ours", slog.String("header", name), slog.String("peer", e.RemoteIP()))
			})
		}
		return e.Next()
	}
}
