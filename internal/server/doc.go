// Package server is the API over HTTP: who may ask what, the routes, their
// OpenAPI description, the sockets, and the static page. It decides nothing
// about spaces; that is what Spaces is for.
//
// Every request passes, in this order and before anything is looked up: Host,
// Origin and Sec-Fetch-Site, rate per address, authentication, scope, rate per
// key.
package server
