package cli

import (
	"context"
	"slices"
	"time"

	"github.com/docker-space/docker-space/internal/api"
	"github.com/spf13/cobra"
)

// completeTimeout is how long the Tab key may wait.
const completeTimeout = 700 * time.Millisecond

// completeNames completes the names of live spaces that fit, up to max
// arguments (0 is any number). It never starts a daemon.
func (a *app) completeNames(limit int, fit func(api.Space) bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if limit > 0 && len(args) >= limit {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(contextOf(cmd)), completeTimeout)
		defer cancel()
		return a.names(ctx, args, fit), cobra.ShellCompDirectiveNoFileComp
	}
}

// contextOf is the command's context; a completion may run before there is one.
func contextOf(cmd *cobra.Command) context.Context {
	if ctx := cmd.Context(); ctx != nil {
		return ctx
	}
	return context.Background()
}

func (a *app) names(ctx context.Context, taken []string, fit func(api.Space) bool) []string {
	c, err := a.finder.Find(ctx)
	if err != nil {
		return nil
	}
	defer c.Close()
	spaces, err := c.List(ctx, false)
	if err != nil {
		return nil
	}
	var names []string
	for _, s := range spaces {
		if fit(s) && !slices.Contains(taken, s.Name) {
			names = append(names, s.Name)
		}
	}
	return names
}

func anySpace(api.Space) bool { return true }

func asleep(s api.Space) bool { return s.Status != api.StatusRunning }

func awake(s api.Space) bool { return s.Status == api.StatusRunning }

// complete registers the completion of one flag by fixed words.
func complete(cmd *cobra.Command, flag string, words ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}
