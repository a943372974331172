package server

import (
	"context"
	"os/user"
	"strconv"
)

// The ways in.
const (
	ViaSocket = "socket"
	ViaKey    = "key"
	ViaCookie = "cookie"
	// ViaOpen is a daemon that was told to ask for no key.
	ViaOpen = "open"
)

// Actor is who asks.
type Actor struct {
	// Name is a key's name or a local login name (uid:N where there is none).
	Name string
	Via  string
}

// caller is an actor with what the checks need to know.
type caller struct {
	Actor
	keyID string // empty without a key
	scope Scope
}

type callerKey struct{}

func withCaller(ctx context.Context, c caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

func callerFrom(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// ActorFrom gives who made a request; the zero Actor on public routes.
func ActorFrom(ctx context.Context) Actor { return callerFrom(ctx).Actor }

func localActor(uid uint32) Actor {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil && u.Username != "" {
		return Actor{Name: u.Username, Via: ViaSocket}
	}
	return Actor{Name: "uid:" + id, Via: ViaSocket}
}
