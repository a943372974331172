package engine

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	"github.com/docker-space/docker-space/internal/space"
)

// watched are the actions that change a space. Exec's and health's are left
// out: they are many, and carry the command in their name.
var watched = []events.Action{
	events.ActionCreate, events.ActionStart, events.ActionRestart, events.ActionStop,
	events.ActionPause, events.ActionUnPause, events.ActionUpdate, events.ActionRename,
	events.ActionDie, events.ActionOOM, events.ActionDestroy,
}

// Watch calls seen for each change of one of our containers until ctx ends or
// the stream breaks, and ready once the stream stands. It never returns nil.
func (c *Client) Watch(ctx context.Context, ready func(), seen func(space.Event)) error {
	stream, cancel := context.WithCancel(ctx)
	stands := make(chan struct{})
	told := func(r *http.Response) {
		// The version may be negotiated under the same context.
		if r.StatusCode == http.StatusOK && strings.HasSuffix(r.Request.URL.Path, "/events") {
			close(stands)
		}
	}
	r := c.api.Events(context.WithValue(stream, answerKey{}, told), client.EventsListOptions{Filters: c.eventFilter()})
	// The client's goroutine ends with the stream; Err is closed by it.
	defer func() {
		cancel()
		for range r.Err {
		}
	}()
	select {
	case <-stands:
		ready()
	case err := <-r.Err:
		return c.explain(ctx, "watch the engine's events", orElse(err, errStreamEnd))
	}
	for {
		select {
		case m := <-r.Messages:
			c.cache.stale(m.Actor.ID)
			seen(space.Event{Action: string(m.Action), Container: m.Actor.ID, Space: m.Actor.Attributes[LabelName]})
		case err := <-r.Err:
			return c.explain(ctx, "watch the engine's events", orElse(err, errStreamEnd))
		}
	}
}

var errStreamEnd = errors.New("the stream ended")

func orElse(err, other error) error {
	if err == nil {
		return other
	}
	return err
}

func (c *Client) eventFilter() client.Filters {
	f := c.spaceFilter().Add("type", string(events.ContainerEventType))
	for _, a := range watched {
		f.Add("event", string(a))
	}
	return f
}
