package agent

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"sync"

	"github.com/docker-space/docker-space/internal/guest/wire"
)

// headroom is the space for a frame's head before its data.
const headroom = 5

// frames sends frames of several goroutines to one caller. Once the caller is
// lost everything is dropped: a command must never wait for a reader that will
// not come back.
type frames struct {
	mu   sync.Mutex
	w    io.Writer
	lost bool
}

func (f *frames) send(t wire.Type, data []byte) {
	f.sendBuffer(t, append(make([]byte, headroom, headroom+len(data)), data...))
}

func (f *frames) sendJSON(t wire.Type, v any) {
	b, err := json.Marshal(v)
	if err == nil {
		f.send(t, b)
	}
}

// sendBuffer sends data that stands headroom bytes into b, in one write.
func (f *frames) sendBuffer(t wire.Type, b []byte) {
	b[0] = byte(t)
	binary.BigEndian.PutUint32(b[1:], uint32(len(b)-headroom))
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lost {
		return
	}
	if _, err := f.w.Write(b); err != nil {
		f.lost = true
	}
}
