// Package space holds the rules: what creating, running in, sleeping, waking
// and destroying a space mean, and the live table that lists are answered
// from. It reaches the outside only through the interfaces in ports.go.
//
// Ordering: every mutation of one space runs under that space's lock; different
// spaces never wait for each other. The engine is the truth: the table is
// filled by listing, then by events, and listed anew every relist interval and
// after every broken stream. A started mutation finishes even if its caller
// goes away.
package space
