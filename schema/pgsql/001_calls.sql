-- SPDX-License-Identifier: ISC
-- Calls and what happened in them. JSON is kept as the text it was, which jsonb would not do.

CREATE TABLE database_info (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE calls (
    call_id       UUID NOT NULL PRIMARY KEY,
    call_sid      TEXT,
    provider      TEXT,
    direction     TEXT,
    from_number   TEXT,
    to_number     TEXT,
    agent         TEXT,
    status        TEXT,
    end_reason    TEXT,
    created_at    TIMESTAMPTZ NOT NULL,
    started_at    TIMESTAMPTZ,
    answered_at   TIMESTAMPTZ,
    ended_at      TIMESTAMPTZ,
    duration_s    DOUBLE PRECISION,
    cost          DOUBLE PRECISION,
    language      TEXT,
    answered_by   TEXT,
    owner         TEXT,
    revision      BIGINT NOT NULL,
    revisions     TEXT,
    metadata      JSON,
    context_url   TEXT,
    system_prompt TEXT,
    context_data  TEXT
);

CREATE INDEX calls_by_time ON calls (created_at, call_id, direction, status, agent);
CREATE INDEX calls_by_status ON calls (status, created_at, call_id);
CREATE INDEX calls_by_direction ON calls (direction, created_at, call_id);
CREATE INDEX calls_by_agent ON calls (agent, created_at, call_id);
CREATE INDEX calls_by_from ON calls (from_number, created_at, call_id);
CREATE INDEX calls_by_to ON calls (to_number, created_at, call_id);
CREATE INDEX calls_by_sid ON calls (call_sid) WHERE call_sid IS NOT NULL;

CREATE TABLE messages (
    message_id  UUID NOT NULL PRIMARY KEY,
    call_id     UUID NOT NULL,
    turn        BIGINT,
    role        TEXT,
    content     TEXT,
    heard       TEXT,
    at          TIMESTAMPTZ,
    provider    TEXT,
    language    TEXT,
    confidence  DOUBLE PRECISION,
    interrupted BOOLEAN,
    name        TEXT,
    revision    BIGINT NOT NULL,
    revisions   TEXT,
    detail      JSON
);

CREATE INDEX messages_by_call ON messages (call_id);

CREATE TABLE events (
    event_id UUID NOT NULL PRIMARY KEY,
    call_id  UUID,
    type     TEXT,
    at       TIMESTAMPTZ,
    turn     BIGINT,
    provider TEXT,
    revision BIGINT NOT NULL,
    detail   JSON
);

CREATE INDEX events_by_call ON events (call_id);

CREATE TABLE turns (
    turn_id        UUID NOT NULL PRIMARY KEY,
    call_id        UUID NOT NULL,
    turn           BIGINT,
    at             TIMESTAMPTZ,
    endpointing_ms BIGINT,
    stt_ms         BIGINT,
    llm_ms         BIGINT,
    tts_ms         BIGINT,
    playout_ms     BIGINT,
    response_ms    BIGINT,
    stt_provider   TEXT,
    llm_provider   TEXT,
    tts_provider   TEXT,
    interrupted    BOOLEAN,
    failovers      BIGINT,
    revision       BIGINT NOT NULL,
    revisions      TEXT,
    detail         JSON
);

CREATE INDEX turns_by_call ON turns (call_id);
CREATE INDEX turns_by_time ON turns (at);

CREATE TABLE usage (
    usage_id  UUID NOT NULL PRIMARY KEY,
    call_id   UUID,
    turn      BIGINT,
    at        TIMESTAMPTZ,
    provider  TEXT,
    role      TEXT,
    model     TEXT,
    units     JSON,
    cost      DOUBLE PRECISION,
    estimated BOOLEAN,
    revision  BIGINT NOT NULL,
    revisions TEXT
);

CREATE INDEX usage_by_call ON usage (call_id);
CREATE INDEX usage_by_time ON usage (at);

CREATE TABLE recordings (
    recording_id UUID NOT NULL PRIMARY KEY,
    call_id      UUID NOT NULL,
    path         TEXT,
    format       TEXT,
    channels     BIGINT,
    rate_hz      BIGINT,
    bytes        BIGINT,
    duration_s   DOUBLE PRECISION,
    started_at   TIMESTAMPTZ,
    ended_at     TIMESTAMPTZ,
    consent      BOOLEAN,
    sha256       TEXT,
    revision     BIGINT NOT NULL,
    revisions    TEXT
);

CREATE INDEX recordings_by_call ON recordings (call_id);
