-- SPDX-License-Identifier: ISC
-- Who may look and act.

CREATE TABLE users (
    user_id       TEXT NOT NULL PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    role          TEXT NOT NULL,
    password_hash TEXT,
    disabled      INTEGER NOT NULL,
    created_at    TEXT NOT NULL,
    last_login_at TEXT,
    failures      INTEGER NOT NULL,
    locked_until  TEXT
) STRICT;

CREATE TABLE sessions (
    session_hash TEXT NOT NULL PRIMARY KEY,
    user_id      TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    seen_at      TEXT NOT NULL,
    expires_at   TEXT NOT NULL,
    address      TEXT,
    client       TEXT
) STRICT;

CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE api_keys (
    key_id     TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    key_hash   TEXT NOT NULL UNIQUE,
    prefix     TEXT,
    scopes     TEXT,
    limits     TEXT,
    created_at TEXT NOT NULL,
    created_by TEXT,
    expires_at TEXT,
    used_at    TEXT,
    revoked_at TEXT
) STRICT;
