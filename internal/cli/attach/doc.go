// Package attach connects this process's terminal or pipes to a command that
// runs in a space, until the command ends, the user detaches or gives up.
package attach
