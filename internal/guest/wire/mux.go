package wire

import (
	"io"
	"time"

	"github.com/hashicorp/yamux"
)

const (
	// forever is longer than any pause of a space: a write that waits for a
	// frozen peer is not an error.
	forever = 100 * 365 * 24 * time.Hour
	// streamClose bounds how long a closed stream is remembered whose peer never
	// closed its side. Only that stream falls, never the session.
	streamClose = 10 * time.Minute
)

// Mux configures the multiplexed channel for both sides: nothing in it breaks
// a session because the other side is frozen.
func Mux() *yamux.Config {
	c := yamux.DefaultConfig()
	c.EnableKeepAlive = false
	c.ConnectionWriteTimeout = forever
	c.StreamOpenTimeout = 0
	c.StreamCloseTimeout = streamClose
	c.LogOutput = io.Discard
	return c
}
