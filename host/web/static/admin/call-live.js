/* SPDX-License-Identifier: ISC */
/* A call while it lives: its record grows by the server's events, and is asked for anew when they
   tell of more than they carry. */
import { useEffect, useRef, useState } from "./html.js";

const ASK_AGAIN_MS = 700;
const RETRY_MS = 5000;
const SETTLED_MS = 3000;
const NOTHING = { messages: new Map(), partial: null };

/* What an event adds: a message as the record has it, or words that may still change. */
function grown(state, kind, data) {
  if (kind === "partial") {
    return { ...state, partial: data };
  }
  const messages = new Map(state.messages);
  messages.set(data.message_id ?? `${data.turn}-${data.role}`,
    { content: data.text ?? "", ...data });
  return { messages, partial: null };
}

/* What belongs to a call that has just ended comes into the records a little later. */
export function useLastNews({ ended_at }, reload) {
  useEffect(() => {
    const isNew = ended_at && Date.now() - Date.parse(ended_at) < 60000;
    const timer = isNew ? setTimeout(reload, SETTLED_MS) : 0;
    return () => clearTimeout(timer);
  }, [ended_at]);
}

/* Listens until the function that it returns is called. Where there are no events, the record alone
   is asked for every few seconds. */
function listen(call_id, askAgain, take) {
  let source = null;
  let retry = 0;
  let asking = 0;
  const open = () => {
    source = new EventSource(`/calls/events/?call=${encodeURIComponent(call_id)}`);
    for (const kind of ["message", "partial"]) {
      source.addEventListener(kind, (event) => take(kind, event));
    }
    for (const kind of ["snapshot", "message", "heard", "turn", "event", "updated", "ended"]) {
      source.addEventListener(kind, askAgain);
    }
    source.addEventListener("ended", () => {
      asking = asking || setInterval(askAgain, RETRY_MS); /* until the records say so too */
    });
    source.addEventListener("error", () => {
      askAgain();
      if (source.readyState === EventSource.CLOSED) {
        retry = setTimeout(open, RETRY_MS);
      }
    });
  };
  open();
  return () => {
    clearTimeout(retry);
    clearInterval(asking);
    source.close();
  };
}

/*
 * { messages, partial } that are newer than the record. `reload` asks for the record again; it is
 * called at most every 700 ms.
 */
export function useLive(call_id, isLive, reload) {
  const [state, setState] = useState(NOTHING);
  const latest = useRef(reload);
  latest.current = reload;
  useEffect(() => {
    setState(NOTHING);
    if (!isLive) {
      return undefined;
    }
    let timer = 0;
    const askAgain = () => {
      timer = timer || setTimeout(() => {
        timer = 0;
        latest.current();
      }, ASK_AGAIN_MS);
    };
    const close = listen(call_id, askAgain, (kind, { data }) =>
      setState((before) => grown(before, kind, JSON.parse(data))));
    return () => {
      clearTimeout(timer);
      close();
    };
  }, [call_id, isLive]);
  return state;
}

/* The record's messages with those of the events that it does not have yet. */
export function withLive(detail, { messages, partial }) {
  const known = new Set(detail.messages.map(({ message_id }) => message_id));
  const said = new Set(detail.messages.map(({ turn, role }) => `${turn}-${role}`));
  const more = [...messages.values()].filter(({ message_id, turn, role }) =>
    message_id ? !known.has(message_id) : !said.has(`${turn}-${role}`));
  return {
    detail: more.length > 0 ? { ...detail, messages: [...detail.messages, ...more] } : detail,
    partial,
  };
}
