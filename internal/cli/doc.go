// Package cli holds the commands of `docker space`, one file each: a private
// options struct, newXCommand and runX. Names and results go to standard
// output, progress and remarks to standard error. Exit codes travel as
// cli.StatusError of docker/cli, so no command ends the process itself.
package cli
