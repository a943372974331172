package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// yamux's header: version, type, two bytes of flags, stream, length.
const (
	muxHeader = 12
	muxData   = 0
	muxPing   = 2
)

var errPing = errors.New("the guest sends pings, which no guest of ours does")

// screen ends a session whose guest pings. Keepalive is off on both sides, and
// yamux answers each ping from a goroutine of its own: a hostile guest that
// pings on and reads no answer would fill the daemon's memory.
type screen struct {
	io.ReadWriteCloser
	head [muxHeader]byte
	have int
	body uint32 // left of a data frame
	// why reading ended other than by a plain end, which yamux's streams do not
	// tell.
	why atomic.Value
}

func (s *screen) Read(p []byte) (int, error) {
	n, err := s.ReadWriteCloser.Read(p)
	if !s.pass(p[:n]) {
		n, err = 0, errPing
	}
	if err != nil && !errors.Is(err, io.EOF) {
		s.why.CompareAndSwap(nil, fmt.Errorf("%w", err)) // one concrete type
	}
	return n, err
}

// pass follows the frames; false at a ping.
func (s *screen) pass(b []byte) bool {
	for len(b) > 0 {
		if s.body > 0 {
			n := min(len(b), int(s.body))
			s.body -= uint32(n)
			b = b[n:]
			continue
		}
		n := copy(s.head[s.have:], b)
		s.have += n
		b = b[n:]
		if s.have < muxHeader {
			return true
		}
		s.have = 0
		switch s.head[1] {
		case muxPing:
			return false
		case muxData:
			s.body = binary.BigEndian.Uint32(s.head[8:])
		}
	}
	return true
}
