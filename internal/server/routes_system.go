package server

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docker-space/docker-space/internal/api"
)

// answer is a JSON body of status 200.
type answer[T any] struct{ Body T }

type none struct{}

func (s *Server) systemRoutes() {
	add(s, huma.Operation{
		OperationID: "health", Method: http.MethodGet, Path: "/api/health", Tags: []string{"system"},
		Summary: "Tell that this daemon is alive; needs no key",
	}, func(ctx context.Context, _ *none) (*answer[api.Health], error) {
		return &answer[api.Health]{s.cfg.System.Health(ctx)}, nil
	})
	add(s, huma.Operation{
		OperationID: "system", Method: http.MethodGet, Path: "/api/system", Tags: []string{"system"},
		Summary: "Describe this node and its engine",
	}, func(ctx context.Context, _ *none) (*answer[api.System], error) {
		v, err := s.cfg.System.System(ctx)
		return &answer[api.System]{v}, err
	})
	add(s, huma.Operation{
		OperationID: "capabilities", Method: http.MethodGet, Path: "/api/system/capabilities", Tags: []string{"system"},
		Summary: "Tell what this node can do",
	}, func(ctx context.Context, _ *none) (*answer[api.CapabilityReport], error) {
		v, err := s.cfg.System.Capabilities(ctx)
		return &answer[api.CapabilityReport]{v}, err
	})
}
