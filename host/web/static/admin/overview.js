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
import { t } from "./words.js";

const HEALTH_EVERY_MS = 15000;
const FIGURES_EVERY_MS = 300000;
const share = (value) => (value === null ? NONE : `${Math.round(value)} %`);
const percent = (part) => (part === null ? NONE : `${(100 * part).toFixed(part === 1 ? 0 : 1)} %`);

function getStats({ since_s, until_s, by }, signal) {
  const span = { since: timeOf(since_s), until: timeOf(until_s), by };
  return get(`/calls/stats/${ask(span)}`, { signal });
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
    <${Tile} name=${t("over.calls")} value=${formatNumber(totals.calls)}
      href=${link("calls", { since })}
      more=${t("over.in_out",
        { in: formatNumber(totals.inbound), out: formatNumber(totals.outbound) })} />
    <${Tile} name=${t("over.answered")} value=${percent(totals.answerRate)}
      more=${t("over.unanswered",
        { count: formatNumber(totals.no_answer), busy: formatNumber(totals.busy) })} />
    <${Tile} name=${t("over.failed")} value=${formatNumber(totals.failed)}
      more=${percent(totals.failRate)}
      href=${link("calls", { since, status: "failed" })} />
    <${Tile} name=${t("over.lasted")} value=${formatDuration(totals.meanDuration_s)}
      more=${t("over.average", { all: formatDuration(totals.duration_s) })} />
    <${Tile} name=${t("over.time")} value=${formatMs(answer?.p50)}
      more=${answer?.count > 0 ? t("over.within", { p95: formatMs(answer.p95) })
        : t("over.unmeasured")} />
    <${Tile} name=${t("over.cost")} value=${formatMoney(totals.cost)} more=${totals.cost === null
      ? t("over.no_prices") : t("over.each", { cost: formatMoney(totals.calls > 0
        ? totals.cost / totals.calls : null) })} />
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
    title: t("over.calls"), bars: true, show: formatNumber, ...frameOf(rows, range),
    series: [
      { label: t("over.bar_answered"), colour: "--stage-4",
        values: rows.map(({ answered }) => answered) },
      { label: t("over.bar_unanswered"), colour: "--stage-1",
        values: rows.map(({ calls, answered, failed }) => Math.max(0, calls - answered - failed)) },
      { label: t("over.bar_failed"), colour: "--bad",
        values: rows.map(({ calls, answered, failed }) => Math.min(failed, calls - answered)) },
    ],
  }), [rows]);
  return html`<${Card} title=${t(`over.calls_${range.by}`)}><${Plot} plot=${plot}
    summary=${t("over.sum_calls", { calls: totals.calls, answered: totals.answered })} /><//>`;
}

function RatePlot({ rows, range, totals }) {
  const plot = useMemo(() => ({
    title: t(`over.rate_${range.by}`), max: 100, show: share, ...frameOf(rows, range),
    series: [{ label: t("over.bar_rate"), colour: "--stage-4",
      values: rows.map(({ calls, answered }) => (calls > 0 ? (100 * answered) / calls : null)) }],
  }), [rows]);
  return html`<${Card} title=${t(`over.rate_${range.by}`)}><${Plot} plot=${plot}
    summary=${t("over.sum_rate", { rate: percent(totals.answerRate) })} /><//>`;
}

function CostPlot({ rows, range, totals }) {
  const plot = useMemo(() => ({
    title: t("over.cost"), bars: true, show: formatMoney, ...frameOf(rows, range),
    series: [{ label: t("over.bar_cost"), colour: "--stage-5",
      values: rows.map(({ cost }) => cost) }],
  }), [rows]);
  return html`<${Card} title=${t(`over.cost_${range.by}`)}><${Plot} plot=${plot}
    summary=${t("over.sum_cost", { cost: formatMoney(totals.cost) })} /><//>`;
}

/* Where providers failed and others stood in; nothing to see is good news. */
function FailoversPlot({ stats, range }) {
  const plot = useMemo(() => ({
    title: t(`over.failed_${range.by}`), bars: true, show: formatNumber,
    ...frameOf(bucketsOf([], range), range),
    series: failoversOf(stats.failovers ?? [], range)
      .map((each, i) => ({ ...each, label: each.label || t("over.others"),
        colour: `--stage-${i + 1}` })),
  }), [stats]);
  const all = plot.series.map(({ label, total }) =>
    t("over.sum_failed", { name: label, count: total })).join(", ");
  return html`<${Card} title=${plot.title}>${plot.series.length > 0
    ? html`<${Plot} plot=${plot} summary="${all}." />`
    : html`<p class="muted">${t("over.no_failures")}</p>`}<//>`;
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
    title: t("over.time"), show: formatMs, step_s: range.step_s,
    times: slices.map(({ at_s }) => at_s),
    range: [range.since_s - range.step_s / 2, range.until_s],
    series: [
      { label: t("over.p50"), colour: "--stage-2", values: slices.map(({ p50 }) => p50) },
      { label: t("over.p95"), colour: "--stage-5", values: slices.map(({ p95 }) => p95) },
    ],
  }), [slices]);
  return html`<${Card} title=${t("over.time_utc")}>${slices.length > 0 && html`<${Plot} plot=${plot}
    summary=${answer?.count > 0 ? t("over.sum_time",
      { p50: formatMs(answer.p50), p95: formatMs(answer.p95) }) : t("over.unmeasured")} />`}<//>`;
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
  return html`<${Card} title=${t("over.stages")}>
    ${rows.length === 0 ? html`<p class="muted">${t("wf.none")}</p>` : html`
    <${Table} label=${t("over.stages")} head=${[t("over.stage"), "", ...["p50", "p90", "p95", "p99"]
      .map((label) => ({ label, number: true }))]}>
      ${rows.map((row) => html`<tr><th scope="row">${t(`stage.${row.stage}`)}</th>
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
  ok: ["good", "over.works"], half_open: ["warn", "over.trying"], open: ["bad", "over.fails"],
};

function Providers({ usage }) {
  const { data, error } = useHealth();
  const rows = providersOf(data ?? {}, usage);
  return html`<${Card} title=${t("over.providers")}>
    <${ErrorNote} error=${error} />
    ${data?.why && html`<p class="note warn">${data.why}</p>`}
    ${rows.length > 0 && html`<${Table} label=${t("over.providers")}
      head=${[t("over.provider"), t("over.now"), { label: t("over.calls"), number: true }, { label: t("over.cost"), number: true }]}>
      ${rows.map(({ name, state, plugin, roles, uses, cost }) => {
        const [kind, text] = STATES[state] ?? ["plain", state];
        return html`<tr data-provider=${name}><th scope="row"><span class="text">${name}</span>
          <span class="under">${[plugin, ...roles.map(roleWords)].join(", ")}</span></th>
          <td><${Chip} kind=${kind}>${t(text)}<//></td>
          <td class="number">${formatNumber(uses)}</td>
          <td class="number">${formatMoney(cost)}</td></tr>`;
      })}
    <//>`}
  <//>`;
}

function Figures({ stats, range }) {
  const rows = useMemo(() => bucketsOf(stats.calls, range), [stats]);
  const totals = useMemo(() => totalsOf(stats.calls), [stats]);
  return html`<div class="stack">
    <${Tiles} totals=${totals} latency=${stats.latency} range=${range} />
    ${totals.calls === 0 && html`<${Empty} title=${t("over.none")}><//>`}
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
  return html`<div class="periods" role="group" aria-label=${t("over.period")}>
    ${Object.keys(PERIODS).map((name) => html`<button type="button" class="button"
      aria-pressed=${name === value ? "true" : "false"} data-period=${name}
      onClick=${() => go(link("", { period: name }))}>${t(`over.${name}`)}</button>`)}</div>`;
}

export function Overview({ query = {} }) {
  useStyle("/static/admin/overview.css");
  const period = Object.hasOwn(PERIODS, query.period ?? "") ? query.period : "24h";
  const [now_ms, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), FIGURES_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const range = useMemo(() => rangeOf(period, now_ms), [period, now_ms]);
  const stats = useData(async (signal) =>
    ({ range, stats: await getStats(range, signal) }), [range]);
  return html`<${Page} wide title=${t("nav.overview")}
      actions=${html`<${Periods} value=${period} />`}>
    <${Loaded} of=${stats}>${({ stats: shown, range: of }) => html`<${Figures} stats=${shown}
      range=${of} />`}<//>
  <//>`;
}

export default Overview;
