-- SPDX-License-Identifier: ISC
-- Calls and what happened in them. Times are RFC 3339 text in UTC with milliseconds, always 24
-- characters, so that they sort as text. Large texts stand last in a row.

CREATE TABLE database_info (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE calls (
    call_id       TEXT NOT NULL PRIMARY KEY,
    call_sid      TEXT,
    provider      TEXT,
    direction     TEXT,
    from_number   TEXT,
    to_number     TEXT,
    agent         TEXT,
    status        TEXT,
    end_reason    TEXT,
    created_at    TEXT NOT NULL,
    started_at    TEXT,
    answered_at   TEXT,
    ended_at      TEXT,
    duration_s    REAL,
    cost          REAL,
    language      TEXT,
    answered_by   TEXT,
    owner         TEXT,
    revision      INTEGER NOT NULL,
    revisions     TEXT,
    metadata      TEXT,
    context_url   TEXT,
    system_prompt TEXT,
    context_data  TEXT
) STRICT;

CREATE INDEX calls_by_time ON calls (created_at, call_id, direction, status, agent);
CREATE INDEX calls_by_status ON calls (status, created_at, call_id);
CREATE INDEX calls_by_direction ON calls (direction, created_at, call_id);
CREATE INDEX calls_by_agent ON calls (agent, created_at, call_id);
CREATE INDEX calls_by_from ON calls (from_number, created_at, call_id);
CREATE INDEX calls_by_to ON calls (to_number, created_at, call_id);
CREATE INDEX calls_by_sid ON calls (call_sid) WHERE call_sid IS NOT NULL;

-- seq is the time of the message in milliseconds, plus one for each that had it before: the full
-- text index is read newest first and between two times by it.
CREATE TABLE messages (
    seq         INTEGER PRIMARY KEY,
    message_id  TEXT NOT NULL UNIQUE,
    call_id     TEXT NOT NULL,
    turn        INTEGER,
    role        TEXT,
    content     TEXT,
    heard       TEXT,
    at          TEXT,
    provider    TEXT,
    language    TEXT,
    confidence  REAL,
    interrupted INTEGER,
    name        TEXT,
    revision    INTEGER NOT NULL,
    revisions   TEXT,
    detail      TEXT
) STRICT;

CREATE INDEX messages_by_call ON messages (call_id);

CREATE TABLE events (
    event_id TEXT NOT NULL PRIMARY KEY,
    call_id  TEXT,
    type     TEXT,
    at       TEXT,
    turn     INTEGER,
    provider TEXT,
    revision INTEGER NOT NULL,
    detail   TEXT
) STRICT;

CREATE INDEX events_by_call ON events (call_id);

CREATE TABLE turns (
    turn_id        TEXT NOT NULL PRIMARY KEY,
    call_id        TEXT NOT NULL,
    turn           INTEGER,
    at             TEXT,
    endpointing_ms INTEGER,
    stt_ms         INTEGER,
    llm_ms         INTEGER,
    tts_ms         INTEGER,
    playout_ms     INTEGER,
    response_ms    INTEGER,
    stt_provider   TEXT,
    llm_provider   TEXT,
    tts_provider   TEXT,
    interrupted    INTEGER,
    failovers      INTEGER,
    revision       INTEGER NOT NULL,
    revisions      TEXT,
    detail         TEXT
) STRICT;

CREATE INDEX turns_by_call ON turns (call_id);
CREATE INDEX turns_by_time ON turns (at);

CREATE TABLE usage (
    usage_id  TEXT NOT NULL PRIMARY KEY,
    call_id   TEXT,
    turn      INTEGER,
    at        TEXT,
    provider  TEXT,
    role      TEXT,
    model     TEXT,
    units     TEXT,
    cost      REAL,
    estimated INTEGER,
    revision  INTEGER NOT NULL,
    revisions TEXT
) STRICT;

CREATE INDEX usage_by_call ON usage (call_id);
CREATE INDEX usage_by_time ON usage (at);

CREATE TABLE recordings (
    recording_id TEXT NOT NULL PRIMARY KEY,
    call_id      TEXT NOT NULL,
    path         TEXT,
    format       TEXT,
    channels     INTEGER,
    rate_hz      INTEGER,
    bytes        INTEGER,
    duration_s   REAL,
    started_at   TEXT,
    ended_at     TEXT,
    consent      INTEGER,
    sha256       TEXT,
    revision     INTEGER NOT NULL,
    revisions    TEXT
) STRICT;

CREATE INDEX recordings_by_call ON recordings (call_id);
