// Package store keeps in SQLite what the engine cannot hold: creates in
// flight, last activity, hashed keys and the node's identity. It is the only
// user of database/sql. Several processes may have the file open at once.
package store
