package link

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"gotest.tools/v3/assert"

	"github.com/docker-space/docker-space/internal/space"
)

// hostile is a guest that repeats its bytes without end and reads nothing.
type hostile struct{ says []byte }

func (h hostile) Dial(context.Context, string, string, []string) (io.ReadWriteCloser, error) {
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		for {
			if _, err := theirs.Write(h.says); err != nil {
				return
			}
		}
	}()
	return ours, nil
}

func TestAHostileGuestEndsItsOwnChannelOnly(t *testing.T) {
	ping := []byte{0, muxPing, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7}
	for name, says := range map[string][]byte{
		"pings":   ping,
		"garbage": []byte("HTTP/1.1 200 OK\r\n\r\n"),
		"zeros":   make([]byte, 4096), // data of no stream
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			_, err := newPool(t, hostile{says}).Exec(ctx, "c", sh("true"), space.Streams{})
			assert.Assert(t, err != nil)
			if name != "zeros" { // those are a guest that never answers
				assert.NilError(t, ctx.Err(), "it was found out at once")
			}
		})
	}
}

func TestTheScreenFollowsFramesHoweverTheyAreCut(t *testing.T) {
	data := append([]byte{0, muxData, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3}, 0, muxPing, 0)
	window := []byte{0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9}
	ping := []byte{0, muxPing, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7}
	good := append(append([]byte{}, data...), window...)
	for step := 1; step <= len(good); step++ {
		s := &screen{}
		for b := good; len(b) > 0; b = b[min(step, len(b)):] {
			assert.Assert(t, s.pass(b[:min(step, len(b))]), "step %d", step)
		}
		assert.Assert(t, s.pass(ping[:5]))
		assert.Assert(t, !s.pass(ping[5:]))
	}
}
