package server

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/space"
)

type execInput struct {
	SpacePath
	Body api.ExecRequest
}

func (s *Server) execRoutes() {
	op := operation("exec", http.MethodPost, "/{name}/exec", "Run a command and wait for its end; output is capped at 8 MiB per stream")
	op.MaxBodyBytes = maxExecBody
	add(s, op, s.exec)

	const path = "/api/spaces/{name}/exec/stream"
	s.handle("GET "+path, s.execStream)
	s.api.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "exec-stream", Method: http.MethodGet, Path: path, Tags: []string{"spaces"},
		Summary: "Run a command over a WebSocket",
		Description: "The first text frame is an ExecRequest. Binary frames carry a stream byte (0 stdin, 1 stdout, 2 stderr) and bytes; " +
			"text frames are controls: resize, signal, eof and ping from the client; started, pong, exit and error from the daemon. " +
			"The space is found and woken before the upgrade, so failures of that are ordinary JSON errors.",
		Parameters: []*huma.Param{{Name: "name", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}},
		Responses:  map[string]*huma.Response{"101": {Description: "Switching to the WebSocket protocol"}},
	})
}

// exec runs a buffered command; it is killed when the client goes away.
func (s *Server) exec(ctx context.Context, in *execInput) (*answer[api.ExecResult], error) {
	req := in.Body
	stdin, err := bufferedStdin(req)
	if err != nil {
		return nil, err
	}
	req.Interactive, req.Stdin, req.StdinBase64 = stdin != nil, "", ""
	run, err := s.cfg.Spaces.Acquire(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	defer run.Release()
	stdout, stderr := &capture{total: &s.capture}, &capture{total: &s.capture}
	defer stdout.free()
	defer stderr.free()
	exit, err := run.Exec(ctx, req, space.Streams{Stdin: stdin, Stdout: stdout, Stderr: stderr})
	if err != nil {
		return nil, err
	}
	res, err := result(exit, stdout, stderr)
	return &answer[api.ExecResult]{res}, err
}

// bufferedStdin checks what only the buffered form has. The request itself is
// checked by the rules, before anything wakes.
func bufferedStdin(req api.ExecRequest) (io.Reader, error) {
	if _, err := req.Command.Args(); err != nil {
		return nil, api.Invalid("command", "%v", err)
	}
	if req.TTY {
		return nil, api.Invalid("tty", "a terminal needs the streaming exec: GET /api/spaces/{name}/exec/stream")
	}
	switch {
	case req.Stdin != "" && req.StdinBase64 != "":
		return nil, api.Invalid("stdinBase64", "give either stdin or stdinBase64, not both")
	case req.StdinBase64 != "":
		b, err := base64.StdEncoding.DecodeString(req.StdinBase64)
		if err != nil {
			return nil, api.Invalid("stdinBase64", "stdinBase64 is not standard base64 with padding: %v", err)
		}
		return strings.NewReader(string(b)), nil
	case req.Stdin != "":
		return strings.NewReader(req.Stdin), nil
	}
	return nil, nil
}

// timedOutCode is what coreutils' timeout exits with.
const timedOutCode = 124

func result(exit space.Exit, stdout, stderr *capture) (api.ExecResult, error) {
	res := api.ExecResult{
		Signal: exit.Signal, TimedOut: exit.TimedOut, OOMKilled: exit.OOMKilled,
		Truncated: stdout.cut || stderr.cut,
	}
	res.Stdout, res.StdoutBase64 = text(stdout.buf.Bytes())
	res.Stderr, res.StderrBase64 = text(stderr.buf.Bytes())
	switch {
	case exit.Code != nil:
		res.ExitCode = *exit.Code
	case exit.Gone:
		return res, api.Errorf(api.CodeExitUnknown, "the space was stopped or destroyed while the command ran (space_gone); how it ended is not known")
	case exit.TimedOut:
		res.ExitCode = timedOutCode
	default:
		return res, api.Errorf(api.CodeExitUnknown, "the command's exit status is not known: it may have run; check before running it again")
	}
	return res, nil
}

// text gives output as JSON can carry it, with the exact bytes beside it where
// it is not UTF-8.
func text(b []byte) (s, exact string) {
	if utf8.Valid(b) {
		return string(b), ""
	}
	return strings.ToValidUTF8(string(b), "\uFFFD"), base64.StdEncoding.EncodeToString(b)
}
