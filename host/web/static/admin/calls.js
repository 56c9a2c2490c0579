/* SPDX-License-Identifier: ISC */
/* The list of calls. What is asked for stands in the address, so that it can be kept and shared. */
import { html, useEffect, useRef, useState } from "./html.js";
import { get, query as queryText } from "./api.js";
import { live, useEvents } from "./events.js";
import { formatDuration, formatMoney, formatNumber, formatPhone } from "./format.js";
import { go, link } from "./router.js";
import {
  Button, Card, Empty, ErrorNote, Field, Page, Status, Table, useData, When,
} from "./ui.js";
import { t, word } from "./words.js";

const PER_PAGE = 50;
const STATUSES = ["queued", "ringing", "in_progress", "completed", "busy", "no_answer", "failed",
  "canceled"];
const FILTERS = ["status", "direction", "agent", "number", "from", "until", "text"];
const PLACES = ["page", "after", "before", "last"];

/* The start of a day of the reader's calendar, or of the day behind it; "" of no day. */
function startOfDay(day, behind = 0) {
  const [year, month, date] = String(day ?? "").split("-").map(Number);
  const time = new Date(year, month - 1, date + behind);
  return Number.isNaN(time.getTime()) ? "" : time.toISOString();
}

/* What the server is asked, without the place in the list. */
function filtersOf(query) {
  const { status, direction, agent, number, text } = query;
  return { status, direction, agent, number, text, since: startOfDay(query.from),
    until: startOfDay(query.until, 1) };
}

const pick = (values, names) =>
  Object.fromEntries(names.filter((name) => values[name]).map((name) => [name, values[name]]));

const options = (values, kind) => html`<option value="">${t("calls.any")}</option>
  ${values.map((value) => html`<option value=${value}>${kind ? word(kind, value) : value}</option>`)}`;

/* Changes go into the address: choices at once, words when they are finished. */
function Filters({ query }) {
  const form = useRef();
  const agents = useData((signal) => get("/calls/agents/", { signal }));
  const names = (agents.data?.agents ?? []).map(({ name }) => name);
  const apply = (event) => {
    event?.preventDefault();
    go(link("calls", pick(Object.fromEntries(new FormData(form.current)), FILTERS)));
  };
  /* What Back and Forward changed is shown. */
  useEffect(() => {
    for (const name of FILTERS) {
      form.current.elements[name].value = query[name] ?? "";
    }
  }, [JSON.stringify(pick(query, FILTERS)), names.length]);
  return html`<form class="filters" role="search" aria-label=${t("calls.filters")} ref=${form}
      onSubmit=${apply} onChange=${apply}>
    <div class="broad"><${Field} label=${t("calls.text")}><input name="text" type="search"
      maxlength="200" placeholder=${t("calls.text_hint")} /><//></div>
    <${Field} label=${t("calls.number")}><input name="number" type="search" maxlength="64"
      placeholder="+12015550123" /><//>
    <${Field} label=${t("calls.status")}><select name="status">${options(STATUSES, "status")}
      </select><//>
    <${Field} label=${t("calls.direction")}><select name="direction">
      ${options(["inbound", "outbound"], "direction")}</select><//>
    <${Field} label=${t("calls.agent")}><select name="agent">
      ${options(query.agent && !names.includes(query.agent) ? [...names, query.agent] : names)}
      </select><//>
    <${Field} label=${t("calls.from_day")}><input name="from" type="date" /><//>
    <${Field} label=${t("calls.until_day")}><input name="until" type="date" /><//>
    <button class="unseen" type="submit" tabindex="-1">${t("calls.search")}</button>
  </form>`;
}

function Row({ call, isLive, now }) {
  const seconds = isLive ? (now - Date.parse(call.answered_at ?? call.started_at)) / 1000
    : call.duration_s;
  const reason = call.end_reason !== call.status && call.end_reason;
  return html`<tr>
    <td><a href="#/calls/${encodeURIComponent(call.call_id)}"
      ><${When} value=${call.started_at ?? call.created_at} /></a></td>
    <td>${word("direction", call.direction)}</td>
    <td class="phone cut" title=${call.from}>${formatPhone(call.from)}</td>
    <td class="phone cut" title=${call.to}>${formatPhone(call.to)}</td>
    <td class="cut" title=${call.agent}>${call.agent}</td>
    <td class="cut"><${Status} call=${call} />
      ${reason && html` <span class="muted" title=${reason}>${word("reason", reason)}</span>`}</td>
    <td class="number">${formatDuration(seconds)}</td>
    <td class="number">${formatMoney(call.cost)}</td>
  </tr>`;
}

const HEAD = [t("calls.start"), t("calls.direction"), t("calls.from"), t("calls.to"), t("calls.agent"),
  t("calls.status"), { label: t("calls.duration"), number: true }, { label: t("calls.cost"), number: true }];

/* The running calls, on top of the list. */
function Live() {
  const [now, setNow] = useState(Date.now());
  useEvents();
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const calls = [...live.value.values()];
  if (calls.length === 0) {
    return null;
  }
  return html`<${Card} flush title=${t("calls.live", { count: formatNumber(calls.length) })}
      actions=${html`<a href="#/live">${t("calls.watch")}</a>`}>
    <${Table} stack label=${t("nav.live")} head=${HEAD}>
      ${calls.slice(0, 10).map((call) => html`<${Row} key=${call.call_id} call=${call} isLive
        now=${now} />`)}
    <//>
  <//>`;
}

function Nothing({ isFiltered }) {
  return isFiltered
    ? html`<${Empty} title=${t("calls.none_found")}>
        <p>${t("calls.none_found_why")}</p>
        <a class="button" href="#/calls">${t("calls.show_all")}</a><//>`
    : html`<${Empty} title=${t("calls.none")}>
        <p>${t("calls.none_why")}</p>
        <pre class="command">aicaller talk tests/data/appointment.wav</pre>
        <a class="button primary" href="/calls/voice-test/" target="_blank" rel="noopener"
          >${t("nav.voice")}</a><//>`;
}

/* Where one can go from here; a button of a place that is not there is off. */
function Places({ data, query }) {
  const filters = pick(query, FILTERS);
  const step = (label, place) => place
    ? html`<a class="button" href=${link("calls", { ...filters, ...place })}>${label}</a>`
    : html`<span class="button" aria-disabled="true">${label}</span>`;
  const isFirst = !data.previous;
  const isLast = !data.next;
  return html`<nav class="row" aria-label=${t("calls.places")}>
    ${step(t("calls.first"), !isFirst && { page: "1" })}
    ${step(t("calls.previous"), !isFirst && { before: data.previous })}
    ${step(t("calls.next"), !isLast && { after: data.next })}
    ${step(t("calls.last"), !isLast && { last: "true" })}
  </nav>`;
}

function total({ total: count, total_exact: isExact }) {
  return isExact === false ? t("calls.total_more", { count: formatNumber(count) })
    : t(count === 1 ? "calls.total_one" : "calls.total", { count: formatNumber(count) });
}

function List({ data, isFiltered, query }) {
  if (data.calls.length === 0 && !data.previous) {
    return html`<${Nothing} isFiltered=${isFiltered} />`;
  }
  return html`<${Table} stack label=${t("nav.calls")} head=${HEAD}>
      ${data.calls.map((call) => html`<${Row} key=${call.call_id} call=${call} />`)}
    <//>
    <footer class="card-foot row apart">
      <p class="muted small" role="status">${data.total !== undefined && total(data)}</p>
      <${Places} data=${data} query=${query} />
    </footer>`;
}

export default function Calls({ query }) {
  const filters = filtersOf(query);
  const asked = queryText({ ...filters, ...pick(query, PLACES), per_page: PER_PAGE });
  const of = useData((signal) => get(`/calls/call-history/${asked}`, { signal }), [asked]);
  const isFiltered = Object.values(filters).some(Boolean);
  const csv = `/calls/call-history/${queryText({ ...filters, format: "csv" })}`;
  return html`<${Page} title=${t("nav.calls")} wide actions=${html`
      ${isFiltered && html`<a class="button" href="#/calls">${t("calls.clear")}</a>`}
      <${Button} onClick=${of.reload}>${t("ui.refresh")}<//>
      <a class="button" href=${csv} download="calls.csv">${t("calls.csv")}</a>`}>
    <${Filters} query=${query} />
    ${!isFiltered && !PLACES.some((name) => query[name]) && html`<${Live} />`}
    <${ErrorNote} error=${of.error} retry=${of.reload} />
    ${of.data && html`<div aria-busy=${of.loading ? "true" : "false"}>
      <${Card} flush><${List} data=${of.data} isFiltered=${isFiltered} query=${query} /><//></div>`}
    ${!of.data && !of.error && html`<p class="muted waiting">${t("ui.loading")}</p>`}
  <//>`;
}
