package server

import "fmt"

// Scope is what a route asks for and a key gives; each holds the ones below.
type Scope int

// The scopes. Public routes need no key.
const (
	Public Scope = iota
	Read
	Exec
	Admin
)

func (s Scope) String() string {
	return [...]string{"public", "read", "exec", "admin"}[s]
}

// ParseScope reads a scope that a key can have.
func ParseScope(s string) (Scope, error) {
	for _, known := range []Scope{Read, Exec, Admin} {
		if known.String() == s {
			return known, nil
		}
	}
	return 0, fmt.Errorf("invalid scope %q: use read, exec or admin", s)
}

// scopes declares every route. New refuses a route that is not here, and an
// entry without its route.
var scopes = map[string]Scope{
	"GET /api/health":       Public,
	"GET /api/openapi.json": Public,

	"GET /api/system":              Read,
	"GET /api/system/capabilities": Read,
	"GET /api/spaces":              Read,
	"GET /api/spaces/{name}":       Read,

	"POST /api/spaces/{name}/start":      Exec,
	"POST /api/spaces/{name}/stop":       Exec,
	"POST /api/spaces/{name}/restart":    Exec,
	"POST /api/spaces/{name}/exec":       Exec,
	"GET /api/spaces/{name}/exec/stream": Exec,

	"POST /api/spaces":          Admin,
	"PATCH /api/spaces/{name}":  Admin,
	"DELETE /api/spaces/{name}": Admin,
}

// checkScopes compares the routes with their declaration.
func checkScopes(routes []string) error {
	seen := map[string]bool{}
	for _, route := range routes {
		if _, ok := scopes[route]; !ok {
			return fmt.Errorf("route %q has no declared scope: add it to the table in scope.go", route)
		}
		seen[route] = true
	}
	for route := range scopes {
		if !seen[route] {
			return fmt.Errorf("scope declared for %q, which is no route: remove it from the table in scope.go", route)
		}
	}
	return nil
}
