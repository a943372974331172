package server

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// The rates. They are far above what people and scripts do, and far below what
// a flood does.
const (
	addressRate, addressBurst = 200, 2000
	keyRate, keyBurst         = 500, 4000
	// Failed authentications of one address.
	failureRate, failureBurst = 5, 100
	// limiterKeys bounds the memory of one generation.
	limiterKeys = 4096
)

// limiter holds a token bucket per key. Two generations bound it without a
// sweeper: when the young one is full it becomes the old one, and keys in use
// move over.
type limiter struct {
	every rate.Limit
	burst int

	mu         sync.Mutex
	young, old map[string]*rate.Limiter
}

func newLimiter(perSecond float64, burst int) *limiter {
	return &limiter{every: rate.Limit(perSecond), burst: burst, young: map[string]*rate.Limiter{}}
}

// allow takes a token of key, or says how long until there is one.
func (l *limiter) allow(key string) (wait time.Duration, ok bool) {
	r := l.bucket(key).Reserve()
	if wait = r.Delay(); wait > 0 {
		r.Cancel()
		return wait, false
	}
	return 0, true
}

func (l *limiter) bucket(key string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.young[key]
	if b != nil {
		return b
	}
	if b = l.old[key]; b == nil {
		b = rate.NewLimiter(l.every, l.burst)
	}
	if len(l.young) >= limiterKeys {
		l.old, l.young = l.young, map[string]*rate.Limiter{}
	}
	l.young[key] = b
	return b
}

// address is what rates count by: an IPv4 address, or the /64 of an IPv6 one,
// which one host has to itself.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if ip = ip.Unmap(); ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}
