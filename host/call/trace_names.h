/* SPDX-License-Identifier: ISC */
#ifndef CALL_TRACE_NAMES_H
#define CALL_TRACE_NAMES_H
/*
 * What spans and their attributes are called: OpenTelemetry's conventions for generative AI, which
 * still change, and "aicaller." for what they do not have. docs/traces.md lists them.
 */

/* Spans. */
#define TRACE_CALL_NAME    "call"
#define TRACE_TURN_NAME    "turn"
#define TRACE_STT_NAME     "speech_to_text"
#define TRACE_LLM_NAME     "chat"
#define TRACE_TTS_NAME     "text_to_speech"
#define TRACE_PLAYOUT_NAME "playout"
#define TRACE_TOOL_NAME    "execute_tool"
#define TRACE_CONTEXT_NAME "context fetch"
#define TRACE_PLACE_NAME   "POST /calls/make-call/"

/* Attributes of the conventions. */
#define TRACE_CONVERSATION "gen_ai.conversation.id"
#define TRACE_AGENT        "gen_ai.agent.name"
#define TRACE_OPERATION    "gen_ai.operation.name"
#define TRACE_PROVIDER     "gen_ai.provider.name"
#define TRACE_MODEL        "gen_ai.request.model"
#define TRACE_FIRST_CHUNK  "gen_ai.response.time_to_first_chunk"
#define TRACE_TOKENS_IN    "gen_ai.usage.input_tokens"
#define TRACE_TOKENS_OUT   "gen_ai.usage.output_tokens"
#define TRACE_TOOL         "gen_ai.tool.name"
#define TRACE_ERROR_TYPE   "error.type"
#define TRACE_HTTP_STATUS  "http.response.status_code"

/* Our own. */
#define TRACE_DIRECTION   "aicaller.call.direction"
#define TRACE_CARRIER     "aicaller.call.carrier"
#define TRACE_STATUS      "aicaller.call.status"
#define TRACE_END_REASON  "aicaller.call.end_reason"
#define TRACE_ANSWERED    "aicaller.call.answered"
#define TRACE_TURNS       "aicaller.call.turns"
#define TRACE_COST        "aicaller.call.cost"
#define TRACE_TURN        "aicaller.turn"
#define TRACE_INTERRUPTED "aicaller.turn.interrupted"
#define TRACE_FAILOVERS   "aicaller.turn.failovers"
#define TRACE_RESPONSE_MS "aicaller.turn.response_ms"
#define TRACE_CONFIGURED  "aicaller.provider"

#endif
