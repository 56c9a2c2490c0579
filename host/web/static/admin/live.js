/* SPDX-License-Identifier: ISC */
/* The calls as they run; of one that is chosen, what is said. */
import { html, useCallback, useEffect, useRef, useState } from "./html.js";
import { CallActions } from "./actions.js";
import { get } from "./api.js";
import { connection, live, useEvents } from "./events.js";
import { formatDuration, formatPhone } from "./format.js";
import { go, link } from "./router.js";
import { Card, Chip, Empty, ErrorNote, Note, Page, Status, useData } from "./ui.js";
import { t, word } from "./words.js";

function useClock() {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

function Choice({ call, isChosen, now }) {
  const since = Date.parse(call.answered_at ?? call.started_at);
  return html`<button class="choose" type="button" aria-pressed=${isChosen ? "true" : "false"}
      onClick=${() => go(link("live", { call: call.call_id }))}>
    <span class="row apart"><strong class="phone">${formatPhone(
      call.direction === "inbound" ? call.from : call.to)}</strong>
      <span class="number muted">${formatDuration((now - since) / 1000)}</span></span>
    <span class="row apart"><span class="muted small">${word("direction", call.direction)} ·
      ${" "}${call.agent}</span><${Status} call=${call} /></span>
  </button>`;
}

/* The agent's words; those that were not heard are struck out. */
function Words({ message }) {
  const { content, heard, role } = message;
  if (role !== "assistant" || heard === null || heard === undefined || heard === content
    || !content.startsWith(heard)) {
    return content;
  }
  return html`${heard}<span class="unheard" title=${t("talk.unheard")}
    >${content.slice(heard.length)}</span>`;
}

function Line({ message, isPartial }) {
  const who = message.role === "user" ? "user" : "assistant";
  return html`<li class="line ${who} ${isPartial ? "partial" : ""}">
    <span class="who">${t(`talk.${who}`)}</span>
    <span class="text"><${Words} message=${message} /></span></li>`;
}

/* Messages of the records and of the stream, each once, in the order in which they were said. */
function merged(before, lines) {
  const all = new Map();
  for (const message of before) {
    all.set(message.message_id ?? `${message.turn}.${message.role}`, message);
  }
  for (const [id, message] of lines) {
    const same = all.has(id) ? id : `${message.turn}.${message.role}`;
    all.delete(all.has(same) && same !== id ? same : "");
    all.set(id, { ...message, content: message.content ?? message.text });
  }
  return [...all.values()].filter(({ role }) => role === "user" || role === "assistant");
}

/* The conversation; stays at its end unless the reader has gone up. */
function Talk({ call, partial }) {
  const of = useData((signal) =>
    get(`/calls/call-detail/${encodeURIComponent(call.call_id)}/`, { signal })
      .catch((error) => {
        if (error.status === 404) {
          return { messages: [] };
        }
        throw error;
      }), [call.call_id]);
  const place = useRef();
  const isAtEnd = useRef(true);
  const lines = merged(of.data?.messages ?? [], call.lines ?? new Map());
  useEffect(() => {
    if (isAtEnd.current && place.current) {
      place.current.scrollTop = place.current.scrollHeight;
    }
  });
  const onScroll = ({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
    isAtEnd.current = scrollHeight - scrollTop - clientHeight < 40;
  };
  if (of.error) {
    return html`<${ErrorNote} error=${of.error} retry=${of.reload} />`;
  }
  if (lines.length === 0 && !partial) {
    return html`<${Empty} title=${t("live.silent")}><p>${t("live.silent_why")}</p><//>`;
  }
  return html`<ol class="talk scrolls" ref=${place} onScroll=${onScroll} tabindex="0"
      aria-label=${t("talk.label")} aria-live="polite" aria-relevant="additions">
    ${lines.map((message) => html`<${Line} key=${message.message_id
      ?? `${message.turn}.${message.role}`} message=${message} />`)}
    ${partial?.text && html`<${Line} key="partial" isPartial message=${{
      role: partial.role ?? "user", content: partial.text }} />`}
  </ol>`;
}

function Chosen({ call, isOver }) {
  return html`<${Card} flush title=${`${formatPhone(call.from)} → ${formatPhone(call.to)}`}
      actions=${html`${call.activity && !isOver && html`<${Chip} kind="info"
          >${word("activity", call.activity)}<//>`}
        <${CallActions} call=${call} />
        <a class="button" href="#/calls/${encodeURIComponent(call.call_id)}">${t("live.open")}</a>`}>
    ${isOver && html`<${Note} kind="good"><p role="status">${t("live.over", {
      reason: call.end_reason ? word("reason", call.end_reason) : word("status", call.status) })}</p>
      <//>`}
    <${Talk} key=${call.call_id} call=${call} partial=${isOver ? null : call.partial} />
  <//>`;
}

function Connection() {
  return connection.value === "lost" && html`<${Note} kind="warn"><p role="status"
    >${t("live.lost")}</p><//>`;
}

export default function Live({ query }) {
  const now = useClock();
  /* The chosen call as it was last, and how it ended, stay when it is over. */
  const [last, setLast] = useState(null);
  const [ending, setEnding] = useState(null);
  const wanted = useRef();
  wanted.current = query.call;
  useEvents(useCallback((kind, data) => {
    if (kind === "ended" && data.call_id === wanted.current) {
      setEnding(data);
    }
  }, []));
  const calls = [...live.value.values()];
  const running = live.value.get(query.call);
  useEffect(() => {
    if (running) {
      setLast(running);
    }
  }, [running]);
  const chosen = running ?? (last && last.call_id === query.call
    ? { ...last, ...(ending?.call_id === query.call && ending) } : null);
  return html`<${Page} title=${t("nav.live")} wide actions=${html`<${Chip} kind=${
      connection.value === "open" ? "live" : "warn"}>${t(`live.state_${connection.value}`)}<//>`}>
    <${Connection} />
    ${calls.length === 0 && !chosen && html`<${Card}><${Empty} title=${t("live.none")}>
      <p>${t("live.none_why")}</p>
      <div class="row"><a class="button primary" href="/calls/voice-test/" target="_blank"
        rel="noopener">${t("nav.voice")}</a></div>
      <pre class="command">aicaller call +12015550123</pre><//><//>`}
    ${(calls.length > 0 || chosen) && html`<div class="split">
      <${Card} flush title=${t("live.running", { count: calls.length })}>
        ${calls.map((call) => html`<${Choice} key=${call.call_id} call=${call} now=${now}
          isChosen=${call.call_id === query.call} />`)}
        ${calls.length === 0 && html`<p class="muted centred">${t("live.no_more")}</p>`}
      <//>
      ${chosen ? html`<${Chosen} call=${chosen} isOver=${!running} />`
        : html`<${Card}><${Empty} title=${t("live.choose")}><p>${t("live.choose_why")}</p><//><//>`}
    </div>`}
  <//>`;
}
