-- SPDX-License-Identifier: ISC
-- What must be agreed between workers and hosts: jobs, limits, first use.

CREATE TABLE jobs (
    job_id      UUID NOT NULL PRIMARY KEY,
    kind        TEXT NOT NULL,
    state       TEXT NOT NULL,
    priority    BIGINT NOT NULL,
    run_at      TIMESTAMPTZ NOT NULL,
    call_id     UUID,
    number      TEXT,
    dedupe_key  TEXT UNIQUE,
    owner       TEXT,
    lease_until TIMESTAMPTZ,
    attempts    BIGINT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    last_error  TEXT,
    note        JSON,
    result      JSON,
    payload     JSON
);

CREATE INDEX jobs_by_state ON jobs (state, kind, priority DESC, run_at, job_id);
CREATE INDEX jobs_by_call ON jobs (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX jobs_by_number ON jobs (number) WHERE number IS NOT NULL;

CREATE TABLE reservations (
    reservation_id UUID NOT NULL,
    counter        TEXT NOT NULL,
    amount         BIGINT NOT NULL,
    at             TIMESTAMPTZ NOT NULL,
    expires_at     TIMESTAMPTZ,
    settled        BOOLEAN NOT NULL,
    PRIMARY KEY (reservation_id, counter)
);

CREATE INDEX reservations_by_counter ON reservations (counter, at, amount);
CREATE INDEX reservations_open ON reservations (counter, expires_at, amount) WHERE NOT settled;

CREATE TABLE idempotency (
    key         TEXT NOT NULL PRIMARY KEY,
    fingerprint TEXT,
    state       TEXT NOT NULL,
    status      BIGINT,
    call_id     UUID,
    created_at  TIMESTAMPTZ NOT NULL,
    lease_until TIMESTAMPTZ,
    expires_at  TIMESTAMPTZ NOT NULL,
    response    TEXT
);

CREATE INDEX idempotency_by_call ON idempotency (call_id) WHERE call_id IS NOT NULL;

CREATE TABLE tokens (
    token_hash TEXT NOT NULL PRIMARY KEY,
    used_at    TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
