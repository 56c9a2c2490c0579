/* SPDX-License-Identifier: ISC */
/* Where each answer's time went: a row of bars per turn, all on one scale, and the same as a table. */
import { percentile, STAGES, waterfallOf } from "./call-record.js";
import { formatMs } from "./format.js";
import { html, useState } from "./html.js";
import { t } from "./words.js";

const part = (ms, whole) => `${((100 * ms) / whole).toFixed(4)}%`;

function Bar({ bar, end_ms }) {
  const { key, index, from_ms, ms, provider } = bar;
  const title = `${t(`stage.${key}`)}: ${formatMs(ms)}${provider ? ` (${provider})` : ""}`;
  return html`<span class="wf-bar stage-${index + 1}" data-stage=${key} title=${title}
    style=${{ left: part(from_ms, end_ms), width: part(ms, end_ms) }}></span>`;
}

function Row({ row, end_ms, onTurn }) {
  const { turn, bars, stt_ms, stt_provider, response_ms, isInterrupted, failovers } = row;
  const title = `${t("stage.stt_ms")}: ${formatMs(stt_ms ?? 0)} (${stt_provider})`;
  return html`<li class="wf-row" data-turn=${turn}>
    <button type="button" class="wf-turn" onClick=${() => onTurn(turn)}>${turn}</button>
    <span class="wf-track">
      ${bars.map((bar) => html`<${Bar} key=${bar.key} bar=${bar} end_ms=${end_ms} />`)}
      ${stt_ms !== null && html`<span class="wf-words" data-stage="stt_ms" title=${title}
        style=${{ left: "0", width: part(stt_ms, end_ms) }}></span>`}
    </span>
    <span class="wf-sum number">${response_ms === null ? "–" : formatMs(response_ms)}${
      isInterrupted && html` <abbr title=${t("wf.interrupted")}>✂</abbr>`}${
      failovers > 0 && html` <abbr title=${t("wf.failover")}>⇄</abbr>`}</span>
  </li>`;
}

/* The stages with their colours and the providers that had part in them. */
function Legend({ turns }) {
  const providers = (role) => [...new Set(turns.map((turn) => turn[role]).filter(Boolean))];
  return html`<ul class="wf-legend">
    ${STAGES.map(({ key, role }, index) => html`<li key=${key}>
      <span class="wf-key stage-${index + 1}"></span>${t(`stage.${key}`)}${
      key === "endpointing_ms" && html` <span class="wf-key words"></span>${t("stage.stt_ms")}`}${
      role && providers(role).length > 0 && html` <strong>${providers(role).join(", ")}</strong>`}
    </li>`)}
  </ul>`;
}

const COLUMNS = ["endpointing_ms", "stt_ms", "llm_ms", "tts_ms", "playout_ms", "response_ms"];

function Table({ rows }) {
  const cell = (ms) => (ms === null || ms === undefined ? "–" : ms);
  const stage = (row, key) => row.bars.find((bar) => bar.key === key);
  return html`<table class="numbers">
    <caption class="unseen">${t("wf.caption")}</caption>
    <thead><tr><th scope="col">${t("wf.turn")}</th>
      ${COLUMNS.map((key) => html`<th scope="col">${t(`stage.${key}`)}</th>`)}
      <th scope="col">${t("wf.providers")}</th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.turn}>
      <th scope="row">${row.turn}</th>
      <td>${cell(stage(row, "endpointing_ms")?.ms)}</td><td>${cell(row.stt_ms)}</td>
      <td>${cell(stage(row, "llm_ms")?.ms)}</td><td>${cell(stage(row, "tts_ms")?.ms)}</td>
      <td>${cell(stage(row, "playout_ms")?.ms)}</td><td>${cell(row.response_ms)}</td>
      <td>${[...new Set(row.bars.map(({ provider }) => provider).filter(Boolean))].join(", ")}</td>
    </tr>`)}</tbody>
  </table>`;
}

/* Made when somebody wants it: of a long call it is long. */
function TableBelow({ rows }) {
  const [isOpen, setOpen] = useState(false);
  return html`<details onToggle=${({ target }) => setOpen(target.open)}>
    <summary>${t("wf.table")}</summary>
    ${isOpen && html`<div class="scroll" tabindex="0" role="region" aria-label=${t("wf.caption")}>
      <${Table} rows=${rows} /></div>`}</details>`;
}

/* `onTurn` is told which turn somebody chose. */
export function Waterfall({ turns, onTurn }) {
  if (turns.length === 0) {
    return html`<p class="muted">${t("wf.none")}</p>`;
  }
  const { rows, ticks, end_ms } = waterfallOf(turns);
  const times = rows.map(({ response_ms }) => response_ms).filter((ms) => ms !== null);
  return html`<div class="waterfall">
    ${times.length > 0 && html`<p>${t("wf.summary",
      { middle: formatMs(percentile(times, 0.5)), slowest: formatMs(Math.max(...times)) })}</p>`}
    <${Legend} turns=${turns} />
    <div class="wf-plot" role="group" aria-label=${t("wf.group")}>
      <ul class="wf-rows">${rows.map((row) => html`<${Row} key=${row.turn} row=${row}
        end_ms=${end_ms} onTurn=${onTurn} />`)}</ul>
      <div class="wf-axis" aria-hidden="true"><div>${ticks.map((ms) => html`<span key=${ms}
        style=${{ left: part(ms, end_ms) }}>${formatMs(ms)}</span>`)}</div></div>
    </div>
    <${TableBelow} rows=${rows} />
  </div>`;
}
