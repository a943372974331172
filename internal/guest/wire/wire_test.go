package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"gotest.tools/v3/assert"
)

func TestFramesComeBackAsTheyWereSent(t *testing.T) {
	var b bytes.Buffer
	assert.NilError(t, Write(&b, Stdout, []byte("out")))
	assert.NilError(t, Write(&b, StdinEOF, nil))
	assert.NilError(t, WriteJSON(&b, Exit, Status{Code: 143, Signal: "TERM"}))

	r := NewReader(iotest.OneByteReader(&b))
	f, err := r.Read()
	assert.NilError(t, err)
	assert.Equal(t, f.Type, Stdout)
	assert.Equal(t, string(f.Data), "out")
	f, err = r.Read()
	assert.NilError(t, err)
	assert.Equal(t, f.Type, StdinEOF)
	assert.Equal(t, len(f.Data), 0)
	f, err = r.Read()
	assert.NilError(t, err)
	var s Status
	assert.NilError(t, json.Unmarshal(f.Data, &s))
	assert.DeepEqual(t, s, Status{Code: 143, Signal: "TERM"})
	_, err = r.Read()
	assert.Assert(t, errors.Is(err, io.EOF))
}

func TestWriteSplitsWhatIsLongerThanAFrame(t *testing.T) {
	var b bytes.Buffer
	data := bytes.Repeat([]byte("x"), 2*MaxFrame+7)
	assert.NilError(t, Write(&b, Stdout, data))
	r, got := NewReader(&b), 0
	for range 3 {
		f, err := r.Read()
		assert.NilError(t, err)
		assert.Assert(t, len(f.Data) <= MaxFrame)
		got += len(f.Data)
	}
	assert.Equal(t, got, len(data))
	assert.Equal(t, b.Len(), 0)
}

func TestAFrameOverTheBoundIsRefusedUnread(t *testing.T) {
	_, err := NewReader(bytes.NewReader([]byte{1, 0xff, 0xff, 0xff, 0xff, 'x'})).Read()
	assert.ErrorIs(t, err, ErrTooLong)
	assert.ErrorContains(t, err, "4294967295 bytes of type 1")
}

func TestACutFrameIsNotACleanEnd(t *testing.T) {
	whole := Append(nil, Stdout, []byte("hello"))
	for cut := 1; cut < len(whole); cut++ {
		_, err := NewReader(bytes.NewReader(whole[:cut])).Read()
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF, "cut after %d bytes", cut)
	}
}

func TestCountsOfStdin(t *testing.T) {
	n, err := ParseCount(Count(Window))
	assert.NilError(t, err)
	assert.Equal(t, n, Window)
	_, err = ParseCount([]byte{1})
	assert.ErrorContains(t, err, "not 1")
}

// FuzzReader feeds arbitrary bytes: no panic, no buffer over the bound, and
// what was read is what a writer would have sent.
func FuzzReader(f *testing.F) {
	f.Add([]byte{})
	f.Add(Append(nil, Stdout, []byte("hello")))
	f.Add(Append(Append(nil, Started, nil), Exit, []byte(`{"code":3}`)))
	f.Add([]byte{2, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, in []byte) {
		r := NewReader(bytes.NewReader(in))
		var again []byte
		for {
			frame, err := r.Read()
			if err != nil {
				break
			}
			again = Append(again, frame.Type, frame.Data)
		}
		if !bytes.HasPrefix(in, again) {
			t.Fatalf("read %x out of %x", again, in)
		}
		if cap(r.buf) > MaxFrame {
			t.Fatalf("buffer of %d bytes", cap(r.buf))
		}
	})
}
