package engine

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The engine's multiplexed stream: frames of one stream byte, three zero
// bytes, a four byte big-endian length, and that many bytes.
const (
	streamStdin  = 0
	streamStdout = 1
	streamStderr = 2
	streamSystem = 3
	frameHeader  = 8
)

// maxNotice bounds an error text of the engine.
const maxNotice = 4 << 10

// demux takes a multiplexed stream apart without copying more than once.
type demux struct {
	r      *bufio.Reader
	stream byte
	left   uint32 // of the current frame
}

// next waits for bytes and says which stream they belong to; io.EOF between
// frames.
func (d *demux) next() (byte, error) {
	for d.left == 0 {
		var h [frameHeader]byte
		if _, err := io.ReadFull(d.r, h[:]); err != nil {
			return 0, err
		}
		d.stream, d.left = h[0], binary.BigEndian.Uint32(h[4:])
		switch d.stream {
		case streamStdin:
			d.stream = streamStdout
		case streamStdout, streamStderr:
		case streamSystem:
			return 0, d.systemError()
		default:
			return 0, fmt.Errorf("the engine's stream is damaged: unknown stream %d", d.stream)
		}
	}
	return d.stream, nil
}

func (d *demux) systemError() error {
	b := make([]byte, min(d.left, maxNotice))
	n, _ := io.ReadFull(d.r, b)
	return errors.New(string(b[:n]))
}

// read gives what is there of the current frame, after next.
func (d *demux) read(p []byte) (int, error) {
	if uint32(len(p)) > d.left {
		p = p[:d.left]
	}
	n, err := d.r.Read(p)
	d.left -= uint32(n)
	return n, err
}

// peek looks at the beginning of the current frame.
func (d *demux) peek(most int) []byte {
	b, _ := d.r.Peek(min(most, int(d.left)))
	return b
}
