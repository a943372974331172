package space

import (
	"testing"

	"gotest.tools/v3/assert"

	"github.com/docker-space/docker-space/internal/spec"
)

func TestAListingDoesNotBringBackWhatIsGone(t *testing.T) {
	tab := newTable()
	c, v := Container{ID: "1", Spec: spec.Space{Name: "dev"}}, Volume{Space: "dev"}
	tab.change("dev", func(e *entry) { e.container, e.volume = &c, &v })
	mark := tab.mark()
	tab.change("dev", func(e *entry) { *e = entry{} })
	_, ok := tab.get("dev")
	assert.Assert(t, !ok)
	tab.replace(mark, []Container{c}, []Volume{v})
	_, ok = tab.get("dev")
	assert.Assert(t, !ok)
	assert.Equal(t, len(tab.all()), 0)
	tab.replace(tab.mark(), nil, nil)
	assert.Equal(t, len(tab.entries), 0, "an emptied entry goes with the next listing")
}

func TestWhatWasReadBeforeAChangeDoesNotUndoIt(t *testing.T) {
	tab := newTable()
	old, now := Container{ID: "1", State: Running}, Container{ID: "1", State: Paused}
	mark := tab.mark()
	tab.change("dev", func(e *entry) { e.container = &now })
	assert.Assert(t, !tab.changeSince(mark, "dev", func(e *entry) { e.container = &old }))
	e, _ := tab.get("dev")
	assert.Equal(t, e.container.State, Paused)
	assert.Assert(t, tab.changeSince(tab.mark(), "dev", func(e *entry) { e.container = &old }))
}
