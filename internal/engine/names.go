package engine

import (
	"fmt"

	"github.com/containerd/errdefs"

	"github.com/docker-space/docker-space/internal/spec"
)

// DefaultInstance is the system daemon's.
const DefaultInstance = "default"

// Labels on containers, volumes and networks.
const (
	// LabelInstance says whose a thing is.
	LabelInstance = spec.LabelPrefix + "instance"
	// LabelName is the space's name; only spaces' containers and workspaces
	// have it.
	LabelName = spec.LabelPrefix + "name"
	// LabelSpec is the part of the spec that the configuration does not hold.
	LabelSpec = spec.LabelPrefix + "spec"
	// LabelToken marks what one create made.
	LabelToken = spec.LabelPrefix + "token"
	// LabelNoGuest is why a space has no guest.
	LabelNoGuest = spec.LabelPrefix + "no-guest"
	// LabelRole tells our other things: roleGuest, roleHelper, roleNetwork.
	LabelRole = spec.LabelPrefix + "role"
	// LabelOwner on an image is the uid:gid that its /workspace belongs to.
	LabelOwner = spec.LabelPrefix + "workspace-owner"
)

const (
	roleGuest   = "guest"
	roleHelper  = "helper"
	roleNetwork = "network"
)

// names makes the names and labels of one instance.
type names struct{ instance string }

func newNames(instance string) names {
	if instance == "" {
		instance = DefaultInstance
	}
	return names{instance: instance}
}

// of is the engine's name of a space's container and volume.
func (n names) of(space string) string {
	if n.instance == DefaultInstance {
		return "space-" + space
	}
	return "space-" + n.instance + "-" + space
}

// guest is the name of the guest's volume and its helper; spec refuses a space
// of that name.
func (n names) guest() string { return n.of("guest") }

func (n names) network() string {
	if n.instance == DefaultInstance {
		return "docker-space"
	}
	return "docker-space-" + n.instance
}

func (n names) spaceLabels(space, token string) map[string]string {
	return map[string]string{LabelInstance: n.instance, LabelName: space, LabelToken: token}
}

func (n names) roleLabels(role string) map[string]string {
	return map[string]string{LabelInstance: n.instance, LabelRole: role}
}

// isSpace tells whether labels and engine name are those of one of our spaces.
// The name counts too, because an image can carry any label.
func (n names) isSpace(name string, labels map[string]string) bool {
	space := labels[LabelName]
	return labels[LabelInstance] == n.instance && space != "" && name == n.of(space)
}

func (n names) isRole(role string, labels map[string]string) bool {
	return labels[LabelInstance] == n.instance && labels[LabelRole] == role
}

// taken is the error for a thing with one of our names that is not ours.
func (n names) taken(kind, name string, labels map[string]string, remedy string) error {
	whose := "it was not made by docker space"
	if other := labels[LabelInstance]; other != "" {
		whose = fmt.Sprintf("it belongs to instance %q", other)
	}
	return errdefs.ErrConflict.WithMessage(fmt.Sprintf("the engine has a %s %s that is not of instance %q: %s: %s",
		kind, name, n.instance, whose, remedy))
}
