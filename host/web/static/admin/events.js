/* SPDX-License-Identifier: ISC */
/*
 * The calls as they run. One stream of server-sent events serves all who use it; it is open while
 * somebody does, and comes back by itself.
 */
import { useEffect, signal } from "./html.js";
import { session } from "./api.js";
import { findSession } from "./session.js";

/* call_id -> the call, as in /calls/live/, with `lines`: message_id -> message, and `partial`. */
export const live = signal(new Map());
/* "connecting", "open", "lost" */
export const connection = signal("connecting");

const KINDS = ["snapshot", "started", "updated", "message", "partial", "heard", "turn", "event",
  "ended", "closing"];
const RETRY_MS = 3000;
const listeners = new Set();
let source = null;
let users = 0;
let retry = 0;

function changed(callId, change) {
  const calls = new Map(live.value);
  const call = calls.get(callId);
  if (call) {
    calls.set(callId, { ...call, ...change });
    live.value = calls;
  }
}

function replaceAll({ calls }) {
  const before = live.value;
  live.value = new Map(calls.map((call) =>
    [call.call_id, { lines: new Map(), ...before.get(call.call_id), ...call }]));
}

function addLine(message) {
  const call = live.value.get(message.call_id);
  if (call) {
    const lines = new Map(call.lines);
    lines.set(message.message_id ?? `${message.turn}.${message.role}`, message);
    changed(message.call_id, { lines, partial: null });
  }
}

/* What the caller has heard of an answer belongs to its line. */
function heard({ call_id: callId, turn, text }) {
  const call = live.value.get(callId);
  const [id, line] = [...call?.lines ?? []].find(([, each]) =>
    each.role === "assistant" && each.turn === turn) ?? [];
  if (line) {
    changed(callId, { lines: new Map(call.lines).set(id, { ...line, heard: text }) });
  }
}

const HANDLE = {
  snapshot: replaceAll,
  started: (call) => {
    live.value = new Map(live.value).set(call.call_id, { lines: new Map(), ...call });
  },
  updated: (call) => changed(call.call_id, call),
  message: addLine,
  heard,
  partial: (partial) => changed(partial.call_id, { partial }),
  ended: ({ call_id: callId }) => {
    const calls = new Map(live.value);
    calls.delete(callId);
    live.value = calls;
  },
};

function take(kind, text) {
  const data = JSON.parse(text);
  connection.value = "open";
  /* Listeners first: one who follows a call wants it with its lines when it ends. */
  listeners.forEach((listener) => listener(kind, data));
  HANDLE[kind]?.(data);
}

function open() {
  clearTimeout(retry);
  source = new EventSource("/calls/events/");
  source.onopen = () => {
    connection.value = "open";
  };
  source.onerror = async () => {
    connection.value = "lost";
    if (source?.readyState === EventSource.CLOSED) {
      retry = setTimeout(reopen, RETRY_MS);
    }
  };
  for (const kind of KINDS) {
    source.addEventListener(kind, ({ data }) => take(kind, data));
  }
}

/* A browser gives up on an answer that is no stream; perhaps nobody is logged in any more. */
async function reopen() {
  await findSession().catch(() => {});
  if (users > 0 && session.value) {
    open();
  }
}

function close() {
  clearTimeout(retry);
  source?.close();
  source = null;
  live.value = new Map();
  connection.value = "connecting";
}

/* Keeps the stream open while the component is shown. `listener(kind, data)` hears every event. */
export function useEvents(listener) {
  useEffect(() => {
    if (++users === 1) {
      open();
    }
    return () => {
      if (--users === 0) {
        close();
      }
    };
  }, []);
  useEffect(() => {
    if (listener) {
      listeners.add(listener);
    }
    return () => listeners.delete(listener);
  }, [listener]);
}
