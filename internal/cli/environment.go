package cli

import (
	"fmt"

	"github.com/docker/cli/opts"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// environment is -e and --env-file, in docker's own syntax.
type environment struct {
	vars  []string
	files []string
}

func (e *environment) install(cmd *cobra.Command, f *pflag.FlagSet) {
	f.VarP(opts.NewListOptsRef(&e.vars, opts.ValidateEnv), "env", "e", "Set environment variables")
	f.Var(opts.NewListOptsRef(&e.files, nil), "env-file", "Read in a file of environment variables")
	_ = cmd.RegisterFlagCompletionFunc("env-file", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveDefault
	})
}

// read gives the variables. A name without a value takes it from this
// process's environment, and is left out where it is not set here either.
func (e *environment) read() (map[string]string, error) {
	list, err := opts.ReadKVEnvStrings(e.files, e.vars)
	if err != nil {
		return nil, fmt.Errorf("environment: %w", err)
	}
	env := map[string]string{}
	for k, v := range opts.ConvertKVStringsToMapWithNil(list) {
		if v != nil {
			env[k] = *v
		}
	}
	return env, nil
}
