package engine

import (
	"archive/tar"
	"bytes"
	"context"
	"io"

	"github.com/moby/moby/client"
)

// The engine's copy is used only on containers that never ran: with a running
// one, a symlink swapped at the right moment leads out of it.

// file is the content of one file in a container.
type file struct {
	io.Reader
	close func()
}

func (f file) Close() { f.close() }

// openIn opens a file of a never started container.
func (c *Client) openIn(ctx context.Context, id, path string) (file, *tar.Header, error) {
	ctx, cancel := bounded(ctx, answerIn)
	r, err := c.api.CopyFromContainer(ctx, id, client.CopyFromContainerOptions{SourcePath: path})
	if err != nil {
		defer cancel()
		return file{}, nil, c.explain(ctx, "read "+path+" of container "+short(id), err)
	}
	closeAll := func() { _ = r.Content.Close(); cancel() }
	t := tar.NewReader(r.Content)
	h, err := t.Next()
	if err != nil {
		defer closeAll()
		return file{}, nil, c.explain(ctx, "read "+path+" of container "+short(id), err)
	}
	return file{Reader: t, close: closeAll}, h, nil
}

// putIn unpacks a tar into a folder of a never started container.
func (c *Client) putIn(ctx context.Context, id, dir string, content io.Reader) error {
	_, err := call(ctx, c, "write to "+dir+" of container "+short(id), func(ctx context.Context) (client.CopyToContainerResult, error) {
		return c.api.CopyToContainer(ctx, id, client.CopyToContainerOptions{DestinationPath: dir, Content: content})
	})
	return err
}

// entry of a tar; the size is set from data.
type entry struct {
	header tar.Header
	data   []byte
}

func tarOf(entries ...entry) (io.Reader, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		e.header.Size = int64(len(e.data))
		if err := w.WriteHeader(&e.header); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.data); err != nil {
			return nil, err
		}
	}
	return &buf, w.Close()
}
