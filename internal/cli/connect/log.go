package connect

import (
	"bytes"
	"io"
	"os"
)

const (
	// maxLog is the size from which a daemon's old log is dropped at its start.
	maxLog   = 10 << 20
	tailSize = 4 << 10
	tailRows = 10
)

// logFile is the log of a daemon that this process starts; start is its size
// before, so that the tail shows only this run.
type logFile struct {
	path  string
	start int64
}

func (l *logFile) open() (*os.File, error) {
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if st, err := os.Stat(l.path); err == nil {
		if l.start = st.Size(); l.start > maxLog {
			l.start = 0
			flags |= os.O_TRUNC
		}
	}
	return os.OpenFile(l.path, flags, 0o600)
}

// tail gives the last lines that this run wrote.
func (l *logFile) tail() string {
	file, err := os.Open(l.path)
	if err != nil {
		return "    (" + err.Error() + ")"
	}
	defer file.Close()
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil || end <= l.start {
		return "    (nothing)"
	}
	b := make([]byte, min(end-l.start, tailSize))
	n, _ := file.ReadAt(b, end-int64(len(b)))
	rows := bytes.Split(bytes.TrimSpace(b[:n]), []byte("\n"))
	rows = rows[max(0, len(rows)-tailRows):]
	return "    " + string(bytes.Join(rows, []byte("\n    ")))
}
