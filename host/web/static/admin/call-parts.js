/* SPDX-License-Identifier: ISC */
/* The smaller parts of the call page: facts, cost, events, and the report for those who mend it. */
import { get, send } from "./api.js";
import { costOf, isPaused, timelineOf } from "./call-record.js";
import { reportOf } from "./call-report.js";
import { clockWords, endWords, eventKind, eventWords, roleWords, unitWords } from "./call-words.js";
import { formatDuration, formatMoney, formatPhone } from "./format.js";
import { html, useMemo, useState } from "./html.js";
import { may } from "./session.js";
import { announce, Button, Chip, openDialog, Status, When } from "./ui.js";

function Fact({ name, children }) {
  return html`<div><dt>${name}</dt><dd>${children}</dd></div>`;
}

export function Facts({ call, isLive }) {
  return html`<div class="facts-card">
    <p class="why"><${Status} call=${call} /> <strong>${isLive ? "Now: " : "Why it ended: "}</strong>
      <span id="why">${endWords(call)}</span></p>
    <dl class="facts">
      <${Fact} name="From">${formatPhone(call.from)}<//>
      <${Fact} name="To">${formatPhone(call.to)}<//>
      <${Fact} name="Direction">${call.direction}<//>
      <${Fact} name="Agent">${call.agent}<//>
      <${Fact} name="Line">${call.provider || "–"}<//>
      <${Fact} name="Began"><${When} value=${call.started_at} /><//>
      <${Fact} name="Lasted">${formatDuration(call.duration_s)}<//>
      <${Fact} name="Cost">${formatMoney(call.cost)}<//>
    </dl>
  </div>`;
}

export function Cost({ detail }) {
  const { items, total, perMinute } = costOf(detail);
  if (items.length === 0) {
    return html`<p class="muted">No provider has told what was used.</p>`;
  }
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Cost by component">
    <table class="numbers cost">
      <thead><tr><th scope="col">Component</th><th scope="col" class="number">Cost</th>
        <th scope="col" class="number">Per minute</th></tr></thead>
      <tbody>${items.map((item) => html`<tr>
        <th scope="row">${roleWords(item.role)} <strong>${item.provider}</strong>
          <span class="used">${unitWords(item.units)}${
            item.isEstimated && html` <${Chip}>estimated<//>`}</span></th>
        <td class="number">${formatMoney(item.cost)}
          <span class="share" style=${{ width: `${100 * item.share}%` }}></span></td>
        <td class="number">${formatMoney(item.perMinute)}</td></tr>`)}</tbody>
      <tfoot><tr><th scope="row">Together</th>
        <td class="number">${formatMoney(total)}</td>
        <td class="number">${formatMoney(perMinute)}</td></tr></tfoot>
    </table>
    ${total === null && html`<p class="muted small">No prices are configured; see
      <code>prices</code> in the configuration.</p>`}
  </div>`;
}

function hasMore({ detail }) {
  return detail && typeof detail === "object" && Object.keys(detail).length > 0;
}

export function Timeline({ detail, part, onSeek }) {
  const events = useMemo(() => timelineOf(detail, part), [detail, part]);
  return html`<ol class="timeline">${events.map((event) => html`
    <li class=${eventKind(event)} data-event=${event.type}>
      <button type="button" class="line-time number" disabled=${event.at_s <= -1}
        onClick=${() => onSeek(event.at_s)}>${clockWords(event.at_s)}</button>
      <span>${eventWords(event)}${hasMore(event) && html`
        <details><summary>${event.type}</summary>
          <pre>${JSON.stringify(event.detail, null, 2)}</pre></details>`}</span>
    </li>`)}</ol>`;
}

/* So that card numbers are not kept; nothing for those who may not, or where nothing is recorded. */
export function PauseButton({ detail, reload }) {
  const { call, recordings = [] } = detail;
  const [error, setError] = useState(null);
  if (call.status !== "in_progress" || recordings.length === 0 || !may("call")) {
    return null;
  }
  const paused = isPaused(detail);
  const act = async () => {
    const what = paused ? "resume" : "pause";
    try {
      await send("POST", `/calls/${encodeURIComponent(call.call_id)}/recording/${what}/`);
      setError(null);
      announce(paused ? "The recording goes on." : "The recording is paused.");
      reload();
    } catch (failure) {
      setError(failure);
    }
  };
  return html`${error && html`<span class="bad-text" role="alert">${error.message}</span>`}
    <${Button} onClick=${act}>${paused ? "Resume recording" : "Pause recording"}<//>`;
}

/* Where the browser gives no clipboard, the text is shown to be copied by hand. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    announce("The report was copied.");
    return true;
  } catch {
    await openDialog("Bug report", () => html`<p>Copy this text:</p>
      <textarea readonly rows="16" aria-label="Bug report">${text}</textarea>`);
    return false;
  }
}

export function ReportButton({ detail }) {
  const act = async () => {
    const { version } = await get("/calls/health/").catch(() => ({}));
    await copy(JSON.stringify(reportOf(detail, version), null, 2));
  };
  return html`<${Button} onClick=${act} id="report" title="What happened and when, as JSON, without
    words and numbers of people">Copy as bug report<//>`;
}
