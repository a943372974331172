package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/docker-space/docker-space/internal/client"
	"github.com/docker/cli/cli"
	"github.com/docker/cli/opts"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type createOptions struct {
	image, template  string
	memory, cpus     string
	gpus             string
	env              environment
	network, runtime string
	labels           opts.ListOpts
	readOnly         bool
	user, workdir    string
	shmSize, pull    string
	quiet            bool
	progress         string
}

func newCreateCommand(a *app) *cobra.Command {
	var o createOptions
	cmd := &cobra.Command{
		Use:   "create [OPTIONS] NAME",
		Short: "Create a space and start it",
		Long: "Create a space and start it. If a workspace of that name was kept from an earlier\n" +
			"space, the new one takes it over with all its files.",
		Example:           "  docker space create dev\n  docker space create --image python:3.13 -m 4g --cpus 2 data",
		Args:              cli.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCreate(cmd.Context(), a, args[0], o)
		},
	}
	o.install(cmd, cmd.Flags())
	return cmd
}

func (o *createOptions) install(cmd *cobra.Command, f *pflag.FlagSet) {
	o.labels = opts.NewListOpts(opts.ValidateLabel)
	o.env.install(cmd, f)
	f.StringVar(&o.image, "image", "", "Image to make the space from (default: the daemon's)")
	f.StringVarP(&o.memory, "memory", "m", "", "Memory limit (2g, 512m)")
	f.StringVar(&o.cpus, "cpus", "", "Number of CPUs (1.5)")
	f.StringVar(&o.network, "network", "", "Network: internet, lan or none (default internet)")
	f.VarP(&o.labels, "label", "l", "Set a label on the space (KEY=VALUE)")
	f.BoolVar(&o.readOnly, "read-only", false, "Mount the root filesystem as read only")
	f.StringVar(&o.runtime, "runtime", "", "Runtime to use (runsc, where the engine has it)")
	f.StringVarP(&o.user, "user", "u", "", `Username or UID that commands run as (format: "<name|uid>[:<group|gid>]")`)
	f.StringVarP(&o.workdir, "workdir", "w", "", "Working directory that commands start in")
	f.StringVar(&o.shmSize, "shm-size", "", "Size of /dev/shm (64m)")
	f.StringVar(&o.pull, "pull", "", `Pull the image: "always", "missing" or "never" (default missing)`)
	f.BoolVarP(&o.quiet, "quiet", "q", false, "Do not show progress")
	f.StringVar(&o.progress, "progress", "auto", "Show progress as auto, tty, plain, json or quiet")
	f.StringVar(&o.template, "template", "", "Template to make the space from")
	f.StringVar(&o.gpus, "gpus", "", "GPU devices to give to the space")
	_ = f.MarkHidden("template")
	_ = f.MarkHidden("gpus")
	complete(cmd, "network", "internet", "lan", "none")
	complete(cmd, "pull", "always", "missing", "never")
	complete(cmd, "progress", progressModes...)
}

func (o *createOptions) request(name string) (api.CreateRequest, error) {
	if o.template != "" && o.template != "default" {
		return api.CreateRequest{}, notYet("--template "+o.template, "give --image, --memory and --cpus instead")
	}
	if o.gpus != "" {
		return api.CreateRequest{}, notYet("--gpus", "create the space without it")
	}
	env, err := o.env.read()
	if err != nil {
		return api.CreateRequest{}, err
	}
	return api.CreateRequest{
		Name: name, Image: o.image, Template: o.template,
		Memory: api.Text(o.memory), CPUs: api.Text(o.cpus), ShmSize: api.Text(o.shmSize),
		Env: env, Labels: opts.ConvertKVStringsToMap(o.labels.GetSlice()),
		Network: o.network, ReadOnly: o.readOnly, Runtime: o.runtime,
		User: o.user, Workdir: o.workdir, Pull: o.pull,
	}, nil
}

func runCreate(ctx context.Context, a *app, name string, o createOptions) error {
	p, err := newProgress(a.docker.Err(), o.progress, o.quiet)
	if err != nil {
		return err
	}
	req, err := o.request(name)
	if err != nil {
		return err
	}
	c, err := a.finder.Connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := create(ctx, a, c, req, rand.Text(), p)
	if err != nil {
		return err
	}
	fmt.Fprintln(a.docker.Out(), s.Name)
	return nil
}

// create makes the space and shows how it goes. The key lets the daemon tell a
// request that was sent twice from two requests.
func create(ctx context.Context, a *app, c *client.Client, req api.CreateRequest, key string, p progress) (api.Space, error) {
	s, err := c.Create(ctx, req, key, p.show)
	p.done()
	if errors.Is(err, context.Canceled) {
		fmt.Fprintf(a.docker.Err(), "No longer waiting; spaced may still finish creating %s. See: docker space ls\n", req.Name)
	}
	return s, err
}
