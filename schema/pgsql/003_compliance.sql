-- SPDX-License-Identifier: ISC
-- What the law wants kept, and what it wants gone. number_hash is a keyed hash of the number; it
-- stays when the number itself is erased.

CREATE TABLE consents (
    consent_id   UUID NOT NULL PRIMARY KEY,
    call_id      UUID,
    number       TEXT,
    number_hash  TEXT,
    scope        TEXT,
    source       TEXT,
    text_version TEXT,
    evidence     TEXT,
    obtained_at  TIMESTAMPTZ,
    expires_at   TIMESTAMPTZ,
    revoked_at   TIMESTAMPTZ,
    revoked_by   TEXT,
    revision     BIGINT NOT NULL,
    revisions    TEXT
);

CREATE INDEX consents_by_number ON consents (number_hash);
CREATE INDEX consents_by_call ON consents (call_id) WHERE call_id IS NOT NULL;

CREATE TABLE do_not_call (
    entry_id    UUID NOT NULL PRIMARY KEY,
    call_id     UUID,
    number      TEXT,
    number_hash TEXT,
    source      TEXT,
    reason      TEXT,
    added_at    TIMESTAMPTZ,
    added_by    TEXT,
    removed_at  TIMESTAMPTZ,
    removed_by  TEXT,
    revision    BIGINT NOT NULL,
    revisions   TEXT
);

CREATE INDEX do_not_call_by_number ON do_not_call (number_hash);
CREATE INDEX do_not_call_by_call ON do_not_call (call_id) WHERE call_id IS NOT NULL;

CREATE TABLE audit (
    audit_id    UUID NOT NULL PRIMARY KEY,
    call_id     UUID,
    at          TIMESTAMPTZ,
    actor       TEXT,
    action      TEXT,
    object      TEXT,
    outcome     TEXT,
    reason      TEXT,
    number      TEXT,
    number_hash TEXT,
    revision    BIGINT NOT NULL,
    detail      JSON
);

CREATE INDEX audit_by_call ON audit (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX audit_by_number ON audit (number_hash) WHERE number_hash IS NOT NULL;

CREATE TABLE tombstones (
    subject    TEXT NOT NULL PRIMARY KEY,
    erased_at  TIMESTAMPTZ NOT NULL,
    erasure_id UUID
);

CREATE TABLE erasures (
    erasure_id UUID NOT NULL PRIMARY KEY,
    subject    TEXT NOT NULL,
    at         TIMESTAMPTZ NOT NULL,
    actor      TEXT,
    reason     TEXT,
    counts     JSON,
    files      JSON,
    done_at    TIMESTAMPTZ
);
