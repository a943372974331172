package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/errdefs"
)

// sessionLife is how long the dashboard stays signed in; a revoked key ends it
// at once.
const sessionLife = 30 * 24 * time.Hour

// A session cookie is "KEYID.EXPIRY.MAC". It is not the key itself, because
// cookies ignore ports: any other service on this host name sees them.
func (s *Server) sessionCookie(k Key, secure bool) *http.Cookie {
	body := k.ID + "." + strconv.FormatInt(time.Now().Add(sessionLife).Unix(), 10)
	return &http.Cookie{
		Name: s.cfg.cookieName(), Value: body + "." + s.mac(body), Path: "/",
		MaxAge: int(sessionLife.Seconds()), HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: secure,
	}
}

// sessionKey gives the key that a cookie stands for; NotFound for one that is
// forged, expired or of a revoked key.
func (s *Server) sessionKey(ctx context.Context, value string) (Key, error) {
	i := strings.LastIndexByte(value, '.')
	if i < 0 || !hmac.Equal([]byte(value[i+1:]), []byte(s.mac(value[:i]))) {
		return Key{}, errSession
	}
	id, expiry, _ := strings.Cut(value[:i], ".")
	if at, err := strconv.ParseInt(expiry, 10, 64); err != nil || time.Now().Unix() > at {
		return Key{}, errSession
	}
	return s.cfg.Keys.KeyByID(ctx, id)
}

var errSession = fmt.Errorf("the session is not valid: %w", errdefs.ErrNotFound)

func (s *Server) mac(body string) string {
	h := hmac.New(sha256.New, s.cfg.SessionSecret)
	h.Write([]byte("session:" + body))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// cookieName tells daemons on one host name apart, since cookies do not know
// ports.
func (c Config) cookieName() string { return "spaced_" + c.NodeID[:min(8, len(c.NodeID))] }
