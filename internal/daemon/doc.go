// Package daemon is spaced as a process: its configuration, how the parts are
// wired, its listeners and its end.
package daemon
