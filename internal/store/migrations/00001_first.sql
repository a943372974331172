-- +goose Up
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

-- A key is stored as the SHA-256 of its 256 random bits: it cannot be read
-- back, and no salt is needed. Times are Unix milliseconds.
CREATE TABLE api_key (
    id      TEXT PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE,
    hash    BLOB NOT NULL UNIQUE,
    scope   TEXT NOT NULL CHECK (scope IN ('read', 'exec', 'admin')),
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE pending_create (
    token TEXT PRIMARY KEY,
    space TEXT NOT NULL,
    begun INTEGER NOT NULL
) STRICT;

CREATE TABLE activity (
    space TEXT PRIMARY KEY,
    at    INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE activity;
DROP TABLE pending_create;
DROP TABLE api_key;
DROP TABLE meta;
