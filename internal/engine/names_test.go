package engine

import (
	"testing"

	"gotest.tools/v3/assert"
)

// The system's space u1-x and user 1's space x have one engine name; the label
// tells whose it is.
func TestInstancesOfOneEngineNameStayApart(t *testing.T) {
	system, user := newNames(""), newNames("u1")
	name := system.of("u1-x")
	assert.Equal(t, name, user.of("x"))
	theirs := user.spaceLabels("x", "token")
	assert.Assert(t, user.isSpace(name, theirs))
	assert.Assert(t, !system.isSpace(name, theirs))
	assert.ErrorContains(t, system.taken("container", name, theirs, "choose another name"), `belongs to instance "u1"`)
	// An image can carry labels of ours; the engine's name cannot come from it.
	assert.Assert(t, !user.isSpace("innocent", theirs))
}
