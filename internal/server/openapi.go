package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/docker-space/docker-space/internal/api"
)

// describe makes the huma API on a mux of its own.
func (s *Server) describe() {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	registry.RegisterTypeAlias(reflect.TypeFor[api.Text](), reflect.TypeFor[textSchema]())
	registry.RegisterTypeAlias(reflect.TypeFor[api.Command](), reflect.TypeFor[commandSchema]())
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal}
	s.api = humago.New(recorder{s}, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:       "docker space",
				Version:     strconv.Itoa(api.Protocol),
				Description: "Isolated execution environments on machines you own. Errors are {\"error\",\"code\",\"field\"}.",
			},
			Components: &huma.Components{Schemas: registry, SecuritySchemes: map[string]*huma.SecurityScheme{
				"bearer": {Type: "http", Scheme: "bearer"},
				"query":  {Type: "apiKey", In: "query", Name: "key"},
			}},
			Security: []map[string][]string{{"bearer": {}}, {"query": {}}},
		},
		Formats:       map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat: "application/json",
	})
	s.handle("GET /api/openapi.json", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.api.OpenAPI()) })
}

// OpenAPI gives the description as indented JSON, the same for the same build.
func (s *Server) OpenAPI() ([]byte, error) {
	b, err := json.MarshalIndent(s.api.OpenAPI(), "", "  ")
	return append(b, '\n'), err
}

// handle registers a route by hand and remembers it for the scope check.
func (s *Server) handle(pattern string, h http.HandlerFunc) {
	s.routes = append(s.routes, pattern)
	s.mux.HandleFunc(pattern, h)
}

// recorder is the mux as huma sees it.
type recorder struct{ s *Server }

func (m recorder) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	m.s.handle(pattern, h)
}
func (m recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.s.mux.ServeHTTP(w, r) }

// add registers a JSON route. What its handler returns as an error goes
// through public.
func add[I, O any](s *Server, op huma.Operation, h func(context.Context, *I) (*O, error)) {
	if op.MaxBodyBytes == 0 {
		op.MaxBodyBytes = maxBody
	}
	op.MaxBodyBytes++       // huma refuses a body that reaches its limit; ours is the largest accepted
	op.BodyReadTimeout = -1 // guardBody has the deadline
	if scopes[op.Method+" "+op.Path] == Public {
		op.Security = []map[string][]string{}
	}
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, s.public(ctx, err)
		}
		return out, nil
	})
}

// unmarshal words the one error that gets past the schema: a number that does
// not fit.
func unmarshal(data []byte, v any) error {
	err := json.Unmarshal(data, v)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return errors.New(wrong.Field + ": " + wrong.Value + " does not fit")
	}
	return err
}

// textSchema and commandSchema describe api types that take two JSON forms.
type (
	textSchema    struct{}
	commandSchema struct{}
)

// Schema is called by huma.
func (textSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{{Type: huma.TypeString}, {Type: huma.TypeNumber}}}
}

// Schema is called by huma.
func (commandSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Description: "a string is run by sh -c, an array as it is",
		AnyOf:       []*huma.Schema{{Type: huma.TypeString}, {Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}}},
	}
}
