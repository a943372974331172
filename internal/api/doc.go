// Package api holds the wire types of spaced's REST and WebSocket API: what
// goes over the socket, and nothing that acts. It imports the standard library
// only, so that every client can link it.
//
// Units: sizes are bytes, times are RFC 3339 in UTC, durations are Go duration
// strings ("90s") unless a field's name ends in Ms.
package api
