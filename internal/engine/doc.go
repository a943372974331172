// Package engine runs spaces on a Docker engine (API 1.41, Engine 20.10, and
// newer). It is the only importer of the engine's client.
//
// The engine is the truth for spaces. Everything here carries the label of the
// client's instance, and nothing without that label is listed, touched or
// removed. Names (see names.go) can clash with other people's things; labels
// decide whose a thing is.
package engine
