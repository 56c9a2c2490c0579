/* SPDX-License-Identifier: ISC */
/* How the calls of a period went: how many, how fast the answers, what they cost, who works. */
import { get, query as ask } from "./api.js";
import { roleWords } from "./call-words.js";
import { formatDuration, formatMoney, formatMs, formatNumber, NONE } from "./format.js";
import { html, useEffect, useMemo, useState } from "./html.js";
import {
  bucketsOf, failoversOf, PERIODS, providersOf, rangeOf, slicesOf, stagesOf, timeOf, totalsOf,
} from "./overview-data.js";
import { Plot } from "./overview-plot.js";
import { go, link } from "./router.js";
import { Card, Chip, Empty, ErrorNote, Loaded, Page, Table, useData, useStyle } from "./ui.js";

const HEALTH_EVERY_MS = 15000;
const share = (value) => (value === null ? NONE : `${Math.round(value)} %`);
const percent = (part) => (part === null ? NONE : `${(100 * part).toFixed(part === 1 ? 0 : 1)} %`);

function getStats({ since_s, until_s, by }, signal) {
  return get(`/calls/stats/${ask({ since: timeOf(since_s), until: timeOf(until_s), by })}`, { signal });
}

function Tile({ name, value, more, href }) {
  const shown = html`<strong class="tile-value">${value}</strong>`;
  return html`<div class="card tile"><span class="muted small">${name}</span>
    ${href ? html`<a href=${href}>${shown}</a>` : shown}
    <span class="muted small">${more}</span></div>`;
}

function Tiles({ totals, latency, range }) {
  const answer = latency.find(({ stage }) => stage === "response_ms");
  const since = timeOf(range.since_s);
  return html`<div class="tiles">
    <${Tile} name="Calls" value=${formatNumber(totals.calls)} href=${link("calls", { since })}
      more="${formatNumber(totals.inbound)} in, ${formatNumber(totals.outbound)} out" />
    <${Tile} name="Answered" value=${percent(totals.answerRate)}
      more="${formatNumber(totals.no_answer)} not answered, ${formatNumber(totals.busy)} busy" />
    <${Tile} name="Failed" value=${formatNumber(totals.failed)} more=${percent(totals.failRate)}
      href=${link("calls", { since, status: "failed" })} />
    <${Tile} name="Lasted" value=${formatDuration(totals.meanDuration_s)}
      more="on average; ${formatDuration(totals.duration_s)} together" />
    <${Tile} name="Answer time" value=${formatMs(answer?.p50)}
      more=${answer ? `middle; 95 of 100 within ${formatMs(answer.p95)}` : "nothing measured"} />
    <${Tile} name="Cost" value=${formatMoney(totals.cost)} more=${totals.cost === null
      ? "no prices are configured" : `${formatMoney(totals.calls > 0
        ? totals.cost / totals.calls : null)} a call`} />
  </div>`;
}

/* Bars are drawn in the middle of their bucket's beginning: half a step of room on both sides. */
function frameOf(rows, range) {
  return {
    times: rows.map(({ at_s }) => at_s), step_s: range.step_s,
    range: [range.since_s - range.step_s / 2, range.until_s - range.step_s / 2],
  };
}

function CallsPlot({ rows, range, totals }) {
  const plot = useMemo(() => ({
    title: "Calls", bars: true, show: formatNumber, ...frameOf(rows, range),
    series: [
      { label: "answered", colour: "--stage-4", values: rows.map(({ answered }) => answered) },
      { label: "not answered", colour: "--stage-1",
        values: rows.map(({ calls, answered, failed }) => Math.max(0, calls - answered - failed)) },
      { label: "failed", colour: "--bad",
        values: rows.map(({ calls, answered, failed }) => Math.min(failed, calls - answered)) },
    ],
  }), [rows]);
  return html`<${Card} title="Calls per ${range.by} (UTC)"><${Plot} plot=${plot}
    summary="${totals.calls} calls, ${totals.answered} of them answered." /><//>`;
}

function RatePlot({ rows, range, totals }) {
  const plot = useMemo(() => ({
    title: "Answer rate", max: 100, show: share, ...frameOf(rows, range),
    series: [{ label: "answered, of all calls", colour: "--stage-4",
      values: rows.map(({ calls, answered }) => (calls > 0 ? (100 * answered) / calls : null)) }],
  }), [rows]);
  return html`<${Card} title="Answer rate per ${range.by} (UTC)"><${Plot} plot=${plot}
    summary="${percent(totals.answerRate)} of all calls." /><//>`;
}

function CostPlot({ rows, range, totals }) {
  const plot = useMemo(() => ({
    title: "Cost", bars: true, show: formatMoney, ...frameOf(rows, range),
    series: [{ label: "cost, in the currency of the price list", colour: "--stage-5",
      values: rows.map(({ cost }) => cost) }],
  }), [rows]);
  return html`<${Card} title="Cost per ${range.by} (UTC)"><${Plot} plot=${plot}
    summary="${formatMoney(totals.cost)} together." /><//>`;
}

/* Where providers failed and others stood in; nothing to see is good news. */
function FailoversPlot({ stats, range }) {
  const plot = useMemo(() => ({
    title: "Providers that failed", bars: true, show: formatNumber,
    ...frameOf(bucketsOf([], range), range),
    series: failoversOf(stats.failovers ?? [], range)
      .map((each, i) => ({ ...each, colour: `--stage-${i + 1}` })),
  }), [stats]);
  const all = plot.series.map(({ label, total }) => `${label} ${total} times`).join(", ");
  return html`<${Card} title="Providers that failed, per ${range.by} (UTC)">${plot.series.length > 0
    ? html`<${Plot} plot=${plot} summary="${all}." />`
    : html`<p class="muted">No provider failed in a call.</p>`}<//>`;
}

/* The answer time of each part of the period, one question after the other. */
function useSlices(range) {
  const [answers, setAnswers] = useState([]);
  useEffect(() => {
    const abort = new AbortController();
    setAnswers([]);
    (async () => {
      for (const slice of slicesOf(range)) {
        const { latency } = await getStats({ ...slice, by: "all" }, abort.signal);
        const found = latency.find(({ stage }) => stage === "response_ms");
        setAnswers((before) => [...before, { at_s: slice.since_s,
          p50: found?.count ? found.p50 : null, p95: found?.count ? found.p95 : null }]);
      }
    })().catch(() => {}); /* what came so far stays; the page tells of a server that is away */
    return () => abort.abort();
  }, [range]);
  return answers;
}

function LatencyPlot({ range, latency }) {
  const slices = useSlices(range);
  const answer = latency.find(({ stage }) => stage === "response_ms");
  const plot = useMemo(() => ({
    title: "Answer time", show: formatMs, times: slices.map(({ at_s }) => at_s), step_s: range.step_s,
    range: [range.since_s - range.step_s / 2, range.until_s],
    series: [
      { label: "middle (p50)", colour: "--stage-2", values: slices.map(({ p50 }) => p50) },
      { label: "95 of 100 within (p95)", colour: "--stage-5", values: slices.map(({ p95 }) => p95) },
    ],
  }), [slices]);
  return html`<${Card} title="Answer time (UTC)">${slices.length > 0 && html`<${Plot} plot=${plot}
    summary=${answer ? `${answer.p50} ms in the middle, 95 of 100 within ${answer.p95} ms.`
      : "nothing was measured."} />`}<//>`;
}

function Spread({ row, longest }) {
  const part = (ms) => `${(100 * ms) / longest}%`;
  return html`<span class="spread" aria-hidden="true">
    <span class="p99" style=${{ width: part(row.p99) }}></span>
    <span class="p95" style=${{ width: part(row.p95) }}></span>
    <span class="p50" style=${{ width: part(row.p50) }}></span></span>`;
}

function Stages({ latency }) {
  const rows = stagesOf(latency);
  const longest = Math.max(1, ...rows.map(({ p99 }) => p99));
  return html`<${Card} title="Latency by stage">
    ${rows.length === 0 ? html`<p class="muted">No answer was measured.</p>` : html`
    <${Table} label="Latency by stage" head=${["Stage", "", ...["p50", "p90", "p95", "p99"]
      .map((label) => ({ label, number: true }))]}>
      ${rows.map((row) => html`<tr><th scope="row">${row.name}</th>
        <td class="spread-cell"><${Spread} row=${row} longest=${longest} /></td>
        ${["p50", "p90", "p95", "p99"].map((key) =>
          html`<td class="number">${formatMs(row[key])}</td>`)}</tr>`)}
    <//>`}
  <//>`;
}

/* Who works now; asked for again while the page is shown. */
function useHealth() {
  const [health, setHealth] = useState({});
  useEffect(() => {
    const abort = new AbortController();
    const look = () => get("/calls/health/", { signal: abort.signal }).then(
      (data) => setHealth({ data }),
      (error) => abort.signal.aborted || setHealth({ error, data: error.problem?.providers
        ? error.problem : undefined }));
    look();
    const timer = setInterval(look, HEALTH_EVERY_MS);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, []);
  return health;
}

const STATES = {
  ok: ["good", "works"], half_open: ["warn", "is being tried again"], open: ["bad", "fails"],
};

function Providers({ usage }) {
  const { data, error } = useHealth();
  const rows = providersOf(data ?? {}, usage);
  return html`<${Card} title="Providers now">
    <${ErrorNote} error=${error} />
    ${data?.why && html`<p class="note warn">${data.why}</p>`}
    ${rows.length > 0 && html`<${Table} label="Providers" head=${["Provider", "Now",
      { label: "Calls", number: true }, { label: "Cost", number: true }]}>
      ${rows.map(({ name, state, plugin, roles, uses, cost }) => {
        const [kind, text] = STATES[state] ?? ["plain", state];
        return html`<tr data-provider=${name}><th scope="row"><span class="text">${name}</span>
          <span class="under">${[plugin, ...roles.map(roleWords)].join(", ")}</span></th>
          <td><${Chip} kind=${kind}>${text}<//></td>
          <td class="number">${formatNumber(uses)}</td><td class="number">${formatMoney(cost)}</td></tr>`;
      })}
    <//>`}
  <//>`;
}

function Figures({ stats, range }) {
  const rows = useMemo(() => bucketsOf(stats.calls, range), [stats]);
  const totals = useMemo(() => totalsOf(stats.calls), [stats]);
  return html`<div class="stack">
    <${Tiles} totals=${totals} latency=${stats.latency} range=${range} />
    ${totals.calls === 0 && html`<${Empty} title="There were no calls in this time."><//>`}
    <div class="plots">
      <${CallsPlot} rows=${rows} range=${range} totals=${totals} />
      <${LatencyPlot} range=${range} latency=${stats.latency} />
      <${RatePlot} rows=${rows} range=${range} totals=${totals} />
      ${totals.cost !== null && html`<${CostPlot} rows=${rows} range=${range} totals=${totals} />`}
      <${Stages} latency=${stats.latency} />
      <${FailoversPlot} stats=${stats} range=${range} />
      <${Providers} usage=${stats.usage} />
    </div>
  </div>`;
}

function Periods({ value }) {
  return html`<div class="periods" role="group" aria-label="Period">
    ${Object.entries(PERIODS).map(([name, { label }]) => html`<button type="button" class="button"
      aria-pressed=${name === value ? "true" : "false"} data-period=${name}
      onClick=${() => go(link("", { period: name }))}>${label}</button>`)}</div>`;
}

export function Overview({ query = {} }) {
  useStyle("/static/admin/overview.css");
  const period = Object.hasOwn(PERIODS, query.period ?? "") ? query.period : "24h";
  const [now_ms] = useState(() => Date.now());
  const range = useMemo(() => rangeOf(period, now_ms), [period]);
  const stats = useData(async (signal) => ({ range, stats: await getStats(range, signal) }), [period]);
  return html`<${Page} wide title="Overview" actions=${html`<${Periods} value=${period} />`}>
    <${Loaded} of=${stats}>${({ stats: shown, range: of }) => html`<${Figures} stats=${shown}
      range=${of} />`}<//>
  <//>`;
}

export default Overview;
