// Package client is the typed client of spaced's API: JSON over HTTP and the
// exec stream over a WebSocket, on a unix socket or on TCP.
//
// Every answer that is not 2xx comes back as an *api.Error that carries its
// HTTP status; every other error means that the daemon was not reached or broke
// the protocol.
package client
