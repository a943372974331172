package daemon

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/docker-space/docker-space/internal/store"
)

// newKeyCommand works on the store beside a running daemon, which sees the
// change at the key's next use and closes a revoked key's sockets.
func newKeyCommand(src source) *cobra.Command {
	cmd := &cobra.Command{Use: "key", Short: "Manage the API's keys", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(newKeyCreateCommand(src), newKeyListCommand(src), newKeyRevokeCommand(src))
	return cmd
}

func newKeyCreateCommand(src source) *cobra.Command {
	var scope string
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Make a key and print it; it cannot be shown again", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd.Context(), src, func(s *store.Store) error {
				text, err := s.CreateKey(cmd.Context(), args[0], scope)
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), text)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&scope, "scope", "exec", "what it may do: read, exec (and read) or admin (all)")
	return cmd
}

func newKeyListCommand(src source) *cobra.Command {
	return &cobra.Command{
		Use: "ls", Aliases: []string{"list"}, Short: "List the keys", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd.Context(), src, func(s *store.Store) error {
				keys, err := s.Keys(cmd.Context())
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 3, ' ', 0)
				fmt.Fprintln(w, "ID\tNAME\tSCOPE\tCREATED")
				for _, k := range keys {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", k.ID, k.Name, k.Scope, k.Created.Format(time.RFC3339))
				}
				return w.Flush()
			})
		},
	}
}

func newKeyRevokeCommand(src source) *cobra.Command {
	return &cobra.Command{
		Use: "revoke NAME|ID", Short: "Revoke a key; its open connections end within a second", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd.Context(), src, func(s *store.Store) error { return s.RevokeKey(cmd.Context(), args[0]) })
		},
	}
}

func withStore(ctx context.Context, src source, f func(*store.Store) error) error {
	cfg, err := src.load()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.StateDir, 0o700); err != nil {
		return fmt.Errorf("cannot make the state folder: %w; choose another with --state-dir", err)
	}
	s, err := store.Open(ctx, cfg.StateDir)
	if err != nil {
		return err
	}
	defer s.Close()
	return f(s)
}
