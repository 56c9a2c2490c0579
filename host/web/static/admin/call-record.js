/* SPDX-License-Identifier: ISC */
/*
 * A call's record as the call page shows it: data in, data out. Times named _s are seconds of the
 * recording, or of the call where there is none.
 */
import { splitHeard } from "../transcript.js";

const WHO = { user: "caller", assistant: "agent", tool: "tool", system: "system" };

function wallMs(time) {
  return typeof time === "string" ? Date.parse(time) : NaN;
}

/* The moment that all times are counted from, in ms of the wall clock: where a recording begins. */
export function beginningOf({ call, recordings = [] }, part = 0) {
  const times = [recordings[part]?.started_at, call.answered_at, call.started_at, call.created_at];
  return times.map(wallMs).find(Number.isFinite) ?? 0;
}

/* The messages in order of time, each with what was heard of it and where it lies. What was said
   before the part of the recording that is looked at has times below 0. */
export function linesOf(detail, part = 0) {
  const beginning = beginningOf(detail, part);
  const seconds = (time) => (wallMs(time) - beginning) / 1000;
  return (detail.messages ?? []).map((message) => {
    const { detail: more = {}, heard, content } = message;
    const who = WHO[message.role] ?? "system";
    const text = content ?? "";
    const [said, unheard] = who === "agent" ? splitHeard(text, heard ?? "") : [text, ""];
    return {
      id: message.message_id ?? `${message.turn}-${message.role}-${message.at}`,
      who,
      turn: message.turn ?? 0,
      text: said,
      unheard,
      isInterrupted: Boolean(message.interrupted),
      provider: message.provider ?? "",
      name: message.name ?? "",
      tools: (more?.tool_calls ?? []).map(({ function: { name, arguments: given } = {} }) =>
        ({ name: name ?? "", arguments: given ?? "" })),
      from_s: seconds(more?.began_at ?? message.at),
      to_s: more?.ended_at ? seconds(more.ended_at) : NaN,
      isHeard: Boolean(more?.began_at),
    };
  });
}

/* Where on the recording somebody spoke, and where the caller cut the agent short. */
export function regionsOf(lines) {
  const spoken = lines.filter(({ isHeard, to_s, from_s }) => isHeard && to_s > from_s);
  return {
    regions: spoken.map(({ who, turn, from_s, to_s }) => ({ who, turn, from_s, to_s })),
    marks: spoken.filter(({ isInterrupted }) => isInterrupted)
      .map(({ turn, to_s }) => ({ turn, at_s: to_s })),
  };
}

/* The index of the line that is heard at a moment: the last that began, of those with sound where
   there are any; -1 before the first. */
export function lineAt(lines, at_s) {
  const haveSound = lines.some(({ isHeard }) => isHeard);
  return lines.findLastIndex(({ from_s, isHeard }) =>
    from_s <= at_s + 0.05 && (isHeard || !haveSound));
}

/* One after the other; recognition goes on within the wait for the end of speech. */
export const STAGES = [
  { key: "endpointing_ms", role: "stt_provider" },
  { key: "llm_ms", role: "llm_provider" },
  { key: "tts_ms", role: "tts_provider" },
  { key: "playout_ms", role: "" },
];

const STEPS_MS = [100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000];

/* At most six marks at round numbers, the last of them beyond the longest. */
export function scaleFor(longest_ms) {
  const step = STEPS_MS.find((each) => longest_ms / each <= 5) ?? longest_ms / 5;
  const count = Math.max(1, Math.ceil(longest_ms / step));
  return { end_ms: count * step, ticks: Array.from({ length: count + 1 }, (_, i) => i * step) };
}

/* Each turn's stages as bars: from and length in ms, on one scale. */
export function waterfallOf(turns = []) {
  const rows = turns.map((turn) => {
    let from_ms = 0;
    const bars = [];
    STAGES.forEach(({ key, role }, index) => {
      if (Number.isFinite(turn[key])) {
        bars.push({ key, index, from_ms, ms: turn[key], provider: turn[role] ?? "" });
        from_ms += turn[key];
      }
    });
    return {
      turn: turn.turn,
      bars,
      stt_ms: Number.isFinite(turn.stt_ms) ? turn.stt_ms : null,
      stt_provider: turn.stt_provider ?? "",
      response_ms: Number.isFinite(turn.response_ms) ? turn.response_ms : null,
      end_ms: Math.max(from_ms, turn.response_ms ?? 0),
      isInterrupted: Boolean(turn.interrupted),
      failovers: turn.failovers ?? 0,
    };
  });
  return { rows, ...scaleFor(Math.max(1, ...rows.map(({ end_ms }) => end_ms))) };
}

/* The middle and the slow end of some numbers; null of none. */
export function percentile(values, part) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  return sorted.length > 0
    ? sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] : null;
}

/* What each component cost, what of it was used, and the call's cost per minute. */
export function costOf({ call, cost = {} }) {
  const items = cost.items ?? [];
  const minutes = call.duration_s > 0 ? call.duration_s / 60 : NaN;
  const isPriced = items.some((item) => Number.isFinite(item.cost));
  const total = cost.total ?? 0;
  return {
    items: items.map((item) => ({
      role: item.role ?? "",
      provider: item.provider ?? "",
      cost: Number.isFinite(item.cost) ? item.cost : null,
      perMinute: Number.isFinite(item.cost / minutes) ? item.cost / minutes : null,
      share: total > 0 && item.cost > 0 ? item.cost / total : 0,
      isEstimated: Boolean(item.estimated),
      units: item.units ?? {},
    })),
    total: isPriced ? total : null,
    perMinute: isPriced && Number.isFinite(total / minutes) ? total / minutes : null,
  };
}

/* What happened, in order: the events and the moments that the call itself tells of. */
export function timelineOf(detail, part = 0) {
  const { call, events = [] } = detail;
  const beginning = beginningOf(detail, part);
  const moments = [["created", call.created_at], ["answered", call.answered_at],
    ["ended", call.ended_at]].filter(([, at]) => at).map(([type, at]) => ({ type, at }));
  return [...events, ...moments]
    .map((event) => ({ ...event, at_s: (wallMs(event.at) - beginning) / 1000 }))
    .sort((a, b) => a.at_s - b.at_s);
}

/* Whether the recording of a live call is paused now: as the last event about it says. */
export function isPaused({ events = [] }) {
  return events.findLast(({ type }) => type === "recording_paused" || type === "recording_resumed")
    ?.type === "recording_paused";
}
