-- SPDX-License-Identifier: ISC
-- Who may look and act.

CREATE TABLE users (
    user_id       UUID NOT NULL PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    role          TEXT NOT NULL,
    password_hash TEXT,
    disabled      BOOLEAN NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    last_login_at TIMESTAMPTZ,
    failures      BIGINT NOT NULL,
    locked_until  TIMESTAMPTZ
);

CREATE TABLE sessions (
    session_hash TEXT NOT NULL PRIMARY KEY,
    user_id      UUID NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    seen_at      TIMESTAMPTZ NOT NULL,
    expires_at   TIMESTAMPTZ NOT NULL,
    address      TEXT,
    client       TEXT
);

CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE api_keys (
    key_id     UUID NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    key_hash   TEXT NOT NULL UNIQUE,
    prefix     TEXT,
    scopes     JSON,
    limits     JSON,
    created_at TIMESTAMPTZ NOT NULL,
    created_by TEXT,
    expires_at TIMESTAMPTZ,
    used_at    TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ
);
