/* SPDX-License-Identifier: ISC */
/* A call as a report for those who mend the program: what happened and when, but no words, numbers
   or addresses of people. */

const HIDDEN_CALL = ["from", "to", "system_prompt", "context_url", "context_data", "metadata",
  "owner", "call_sid"];
/* What is known to be a code of ours or a provider's name; all other texts may be people's. */
const SAFE = new Set(["role", "from", "to", "category", "code", "provider", "by", "name", "reason",
  "state", "format", "model"]);
const WITH_NUMBERS = new Set(["transfer", "transfer_failed"]);

function measure(text) {
  const characters = [...text].length;
  const words = text.split(/\s+/).filter(Boolean).length;
  return `[${words} words, ${characters} characters]`;
}

/* Texts of a detail that may be somebody's words become their size. */
function redact(value, key, type) {
  if (typeof value === "string") {
    return SAFE.has(key) && !WITH_NUMBERS.has(type) ? value : measure(value);
  }
  if (Array.isArray(value)) {
    return value.map((each) => redact(each, key, type));
  }
  return value && typeof value === "object"
    ? Object.fromEntries(Object.entries(value).map(([name, each]) =>
      [name, redact(each, name, type)]))
    : value;
}

export function reportOf(detail, version) {
  const call = { ...detail.call };
  for (const key of HIDDEN_CALL) {
    if (typeof call[key] === "string" && call[key]) {
      call[key] = measure(call[key]);
    } else if (call[key]) {
      call[key] = "[hidden]";
    }
  }
  return {
    report: "aicaller call",
    version: version ?? "unknown",
    call,
    messages: (detail.messages ?? []).map((message) => ({
      turn: message.turn,
      role: message.role,
      at: message.at,
      began_at: message.detail?.began_at,
      ended_at: message.detail?.ended_at,
      content: measure(message.content ?? ""),
      heard: message.heard === null || message.heard === undefined ? null : measure(message.heard),
      interrupted: message.interrupted,
      provider: message.provider,
      tools: message.detail?.tool_calls?.length ?? 0,
    })),
    turns: (detail.turns ?? []).map((turn) => ({ ...turn })),
    events: (detail.events ?? []).map(({ type, at, turn, provider, detail: more }) =>
      ({ type, at, turn, provider, detail: redact(more ?? {}, "", type) })),
    usage: detail.cost?.items ?? [],
    recordings: (detail.recordings ?? []).map(({ format, channels, rate_hz, duration_s }) =>
      ({ format, channels, rate_hz, duration_s })),
  };
}
