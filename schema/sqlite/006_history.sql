-- SPDX-License-Identifier: ISC
-- The list of calls by agent and status, which are asked for together more than anything else: rows
-- that meet the one and not the other need not be read.

CREATE INDEX calls_by_agent_status ON calls (agent, status, created_at, call_id, direction);
