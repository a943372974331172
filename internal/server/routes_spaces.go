package server

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docker-space/docker-space/internal/api"
)

// SpacePath is exported because huma looks into exported fields only, embedded
// ones included.
type SpacePath struct {
	Name string `path:"name" doc:"the space"`
}

type (
	listInput struct {
		All bool `query:"all" doc:"also kept workspaces, with status missing"`
	}
	patchInput struct {
		SpacePath
		Body api.PatchRequest
	}
	deleteInput struct {
		SpacePath
		RemoveVolume bool `query:"removeVolume" doc:"also delete the workspace and all files in it"`
	}
)

func (s *Server) spaceRoutes() {
	add(s, operation("list-spaces", http.MethodGet, "", "List the spaces"), s.listSpaces)
	add(s, operation("get-space", http.MethodGet, "/{name}", "Describe a space in detail"), s.getSpace)
	add(s, operation("patch-space", http.MethodPatch, "/{name}", "Change a space's limits while it runs"), s.patchSpace)
	add(s, operation("delete-space", http.MethodDelete, "/{name}", "Destroy a space; its workspace is kept unless asked otherwise"), s.deleteSpace)
	add(s, operation("start-space", http.MethodPost, "/{name}/start", "Wake or start a space"),
		s.lifecycle(s.cfg.Spaces.Start, "Space %s is running"))
	add(s, operation("stop-space", http.MethodPost, "/{name}/stop", "Put a space to sleep; its memory is kept"),
		s.lifecycle(s.cfg.Spaces.Stop, "Space %s is paused"))
	add(s, operation("restart-space", http.MethodPost, "/{name}/restart", "Stop a space and start it anew"),
		s.lifecycle(s.cfg.Spaces.Restart, "Space %s was restarted"))
	s.createRoute()
}

func operation(id, method, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: "/api/spaces" + path, Summary: summary, Tags: []string{"spaces"}}
}

func (s *Server) listSpaces(ctx context.Context, in *listInput) (*answer[api.SpaceList], error) {
	list, err := s.cfg.Spaces.List(ctx, in.All)
	if list == nil {
		list = []api.Space{}
	}
	return &answer[api.SpaceList]{api.SpaceList{Spaces: list}}, err
}

func (s *Server) getSpace(ctx context.Context, in *SpacePath) (*answer[api.SpaceBody], error) {
	sp, err := s.cfg.Spaces.Get(ctx, in.Name)
	return &answer[api.SpaceBody]{api.SpaceBody{Space: sp}}, err
}

func (s *Server) patchSpace(ctx context.Context, in *patchInput) (*answer[api.SpaceBody], error) {
	ctx, cancel := detached(ctx, changeTime)
	defer cancel()
	sp, err := s.cfg.Spaces.Patch(ctx, in.Name, in.Body)
	return &answer[api.SpaceBody]{api.SpaceBody{Space: sp}}, err
}

func (s *Server) deleteSpace(ctx context.Context, in *deleteInput) (*answer[api.Message], error) {
	ctx, cancel := detached(ctx, changeTime)
	defer cancel()
	freed, err := s.cfg.Spaces.Destroy(ctx, in.Name, in.RemoveVolume)
	text := "Space %s was destroyed; its workspace is kept"
	if in.RemoveVolume {
		text = "Space %s and its workspace were destroyed"
	}
	return &answer[api.Message]{api.Message{Message: fmt.Sprintf(text, in.Name), FreedBytes: freed}}, err
}

func (s *Server) lifecycle(do func(context.Context, string) error, done string) func(context.Context, *SpacePath) (*answer[api.Message], error) {
	return func(ctx context.Context, in *SpacePath) (*answer[api.Message], error) {
		ctx, cancel := detached(ctx, changeTime)
		defer cancel()
		return &answer[api.Message]{api.Message{Message: fmt.Sprintf(done, in.Name)}}, do(ctx, in.Name)
	}
}
