package engine

import (
	"archive/tar"
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
)

// maxUserFile bounds /etc/passwd and /etc/group, which an image made.
const maxUserFile = 1 << 20

// ids is a resolved user.
type ids struct{ uid, gid int }

func (i ids) String() string { return fmt.Sprintf("%d:%d", i.uid, i.gid) }

// resolve turns name|uid[:group|gid] into numbers as the engine does, with the
// user files of a never started container. They are read only where needed.
func (c *Client) resolve(ctx context.Context, id, user string) (ids, error) {
	name, group, hasGroup := strings.Cut(user, ":")
	uid, errUID := strconv.Atoi(name)
	gid, errGID := strconv.Atoi(group)
	if errUID == nil && hasGroup && errGID == nil {
		return ids{uid, gid}, nil
	}
	if errUID != nil || !hasGroup {
		line, err := c.userLine(ctx, id, "/etc/passwd", name)
		if err != nil {
			return ids{}, err
		}
		switch {
		case line != nil:
			uid, gid = number(line, 2), either(hasGroup, gid, number(line, 3))
		case errUID != nil:
			return ids{}, errdefs.ErrInvalidArgument.WithMessage(fmt.Sprintf("the image has no user %q: give a name of its /etc/passwd, or uid:gid", name))
		default:
			gid = 0 // as the engine does for a number that has no entry
		}
	}
	if hasGroup && errGID != nil {
		line, err := c.userLine(ctx, id, "/etc/group", group)
		if err != nil {
			return ids{}, err
		}
		if line == nil {
			return ids{}, errdefs.ErrInvalidArgument.WithMessage(fmt.Sprintf("the image has no group %q: give a name of its /etc/group, or uid:gid", group))
		}
		gid = number(line, 2)
	}
	return ids{uid, gid}, nil
}

// userLine finds the entry of a name or number in a user file; nil where the
// file or the entry is absent.
func (c *Client) userLine(ctx context.Context, id, path, key string) ([]string, error) {
	text, err := c.readUserFile(ctx, id, path)
	if errdefs.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return findLine(text, key), nil
}

// readUserFile follows one symlink, which some images have there.
func (c *Client) readUserFile(ctx context.Context, id, path string) (string, error) {
	for range 2 {
		f, h, err := c.openIn(ctx, id, path)
		if err != nil {
			return "", err
		}
		if h.Typeflag == tar.TypeSymlink && strings.HasPrefix(h.Linkname, "/") {
			f.Close()
			path = h.Linkname
			continue
		}
		b, err := io.ReadAll(io.LimitReader(f, maxUserFile))
		f.Close()
		return string(b), c.explain(ctx, "read "+path, err)
	}
	return "", errdefs.ErrNotFound.WithMessage(path + " is a chain of symlinks")
}

func findLine(text, key string) []string {
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		f := strings.Split(lines.Text(), ":")
		if len(f) >= 3 && (f[0] == key || f[2] == key) {
			return f
		}
	}
	return nil
}

func number(fields []string, at int) int {
	if at >= len(fields) {
		return 0
	}
	n, _ := strconv.Atoi(fields[at])
	return n
}

func either[T any](first bool, a, b T) T {
	if first {
		return a
	}
	return b
}
