-- SPDX-License-Identifier: ISC
-- What must be agreed between workers and hosts: jobs, limits, first use.

CREATE TABLE jobs (
    job_id      TEXT NOT NULL PRIMARY KEY,
    kind        TEXT NOT NULL,
    state       TEXT NOT NULL,
    priority    INTEGER NOT NULL,
    run_at      TEXT NOT NULL,
    call_id     TEXT,
    number      TEXT,
    dedupe_key  TEXT UNIQUE,
    owner       TEXT,
    lease_until TEXT,
    attempts    INTEGER NOT NULL,
    created_at  TEXT NOT NULL,
    finished_at TEXT,
    last_error  TEXT,
    note        TEXT,
    result      TEXT,
    payload     TEXT
) STRICT;

CREATE INDEX jobs_by_state ON jobs (state, kind, priority DESC, run_at, job_id);
CREATE INDEX jobs_by_call ON jobs (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX jobs_by_number ON jobs (number) WHERE number IS NOT NULL;

CREATE TABLE reservations (
    reservation_id TEXT NOT NULL,
    counter        TEXT NOT NULL,
    amount         INTEGER NOT NULL,
    at             TEXT NOT NULL,
    expires_at     TEXT,
    settled        INTEGER NOT NULL,
    PRIMARY KEY (reservation_id, counter)
) STRICT;

CREATE INDEX reservations_by_counter ON reservations (counter, at, amount);
CREATE INDEX reservations_open ON reservations (counter, expires_at, amount) WHERE NOT settled;

CREATE TABLE idempotency (
    key         TEXT NOT NULL PRIMARY KEY,
    fingerprint TEXT,
    state       TEXT NOT NULL,
    status      INTEGER,
    call_id     TEXT,
    created_at  TEXT NOT NULL,
    lease_until TEXT,
    expires_at  TEXT NOT NULL,
    response    TEXT
) STRICT;

CREATE INDEX idempotency_by_call ON idempotency (call_id) WHERE call_id IS NOT NULL;

CREATE TABLE tokens (
    token_hash TEXT NOT NULL PRIMARY KEY,
    used_at    TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
