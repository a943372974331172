package api

// Version is the release of this build, set by the linker:
// -X github.com/docker-space/docker-space/internal/api.Version=v1.2.3.
var Version = "dev"

// Commit is the source revision of this build, set by the linker like Version.
var Commit = ""

// Protocol is the version of the API's own additions to the original's
// (frames, fields). A client refuses a daemon whose Protocol is lower than
// the one it needs.
const Protocol = 1
