package link

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/docker-space/docker-space/internal/guest/wire"
	"github.com/docker-space/docker-space/internal/space"
)

// maxUnknown frames of unknown types are left alone; more is not our protocol.
const maxUnknown = 64

// head reads what stands before the frames.
type head func(io.Reader) (*bufio.Reader, error)

func readPlain(r io.Reader) (*bufio.Reader, error) { return bufio.NewReader(r), nil }

func readUpgrade(r io.Reader) (*bufio.Reader, error) {
	resp, buffered, err := readHead(r)
	if err != nil {
		return nil, err
	}
	// A 101 has no body to close, and any other answer ends the stream.
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("the guest answers %d instead of switching to %s", resp.StatusCode, wire.Upgrade)
	}
	return buffered, nil
}

// read follows the guest's frames until the command's end. The error is an
// *api.Error where nothing was run.
func (r *running) read(head head) (space.Exit, error) {
	buffered, err := head(r.rw)
	if err != nil {
		return space.Exit{}, err
	}
	frames, unknown := wire.NewReader(buffered), 0
	for {
		f, err := frames.Read()
		if err != nil {
			return space.Exit{}, err
		}
		switch f.Type {
		case wire.Exit:
			return exit(f.Data)
		case wire.Failed:
			return space.Exit{}, failed(f.Data)
		case wire.Stdout:
			r.pass(r.s.Stdout, f.Data)
		case wire.Stderr:
			r.pass(r.s.Stderr, f.Data)
		case wire.Started:
			r.started()
		case wire.Taken:
			err = r.taken(f.Data)
		default:
			unknown++
		}
		if err != nil {
			return space.Exit{}, err
		}
		if unknown > maxUnknown {
			return space.Exit{}, fmt.Errorf("the guest sends frames of unknown type %d", f.Type)
		}
	}
}

func (r *running) started() {
	if r.s.Started != nil {
		r.s.Started()
		r.s.Started = nil
	}
}

func (r *running) taken(data []byte) error {
	n, err := wire.ParseCount(data)
	if err == nil {
		r.credit.give(n)
	}
	return err
}

// pass hands output on, until the caller is gone or does not take it.
func (r *running) pass(w io.Writer, data []byte) {
	if w == nil || r.ctx.Err() != nil {
		return
	}
	if _, err := w.Write(data); err != nil {
		r.cancel(fmt.Errorf("cannot pass on the command's output: %w", err))
	}
}

func exit(data []byte) (space.Exit, error) {
	var s wire.Status
	if err := json.Unmarshal(data, &s); err != nil {
		return space.Exit{}, fmt.Errorf("cannot read the guest's exit status: %w", err)
	}
	if s.Code < 0 || s.Code > 255 {
		return space.Exit{}, fmt.Errorf("the guest gives exit status %d", s.Code)
	}
	return space.Exit{Code: &s.Code, Signal: bounded(s.Signal), OOMKilled: s.OOMKilled}, nil
}

func failed(data []byte) error {
	var f wire.Failure
	if err := json.Unmarshal(data, &f); err != nil {
		return fmt.Errorf("cannot read the guest's refusal: %w", err)
	}
	return refused(f)
}
