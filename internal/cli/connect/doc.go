// Package connect finds the daemon that the plugin talks to, and starts one in
// the background where none answers.
package connect
