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
import { t, word } from "./words.js";

function Fact({ name, children }) {
  return html`<div><dt>${name}</dt><dd>${children}</dd></div>`;
}

export function Facts({ call, isLive }) {
  return html`<div class="facts-card">
    <p class="why"><${Status} call=${call} /> <strong>${t(isLive ? "one.now" : "one.why")} </strong>
      <span id="why">${endWords(call)}</span></p>
    <dl class="facts">
      <${Fact} name=${t("calls.from")}>${formatPhone(call.from)}<//>
      <${Fact} name=${t("calls.to")}>${formatPhone(call.to)}<//>
      <${Fact} name=${t("calls.direction")}>${word("direction", call.direction)}<//>
      <${Fact} name=${t("calls.agent")}>${call.agent}<//>
      <${Fact} name=${t("one.line")}>${call.provider || "–"}<//>
      <${Fact} name=${t("calls.start")}><${When} value=${call.started_at} /><//>
      <${Fact} name=${t("calls.duration")}>${formatDuration(call.duration_s)}<//>
      <${Fact} name=${t("one.cost")}>${formatMoney(call.cost)}<//>
    </dl>
  </div>`;
}

export function Cost({ detail }) {
  const { items, total, perMinute } = costOf(detail);
  if (items.length === 0) {
    return html`<p class="muted">${t("one.no_usage")}</p>`;
  }
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${t("one.by_component")}>
    <table class="numbers cost">
      <thead><tr><th scope="col">${t("one.component")}</th>
        <th scope="col" class="number">${t("one.cost")}</th>
        <th scope="col" class="number">${t("one.per_minute")}</th></tr></thead>
      <tbody>${items.map((item) => html`<tr>
        <th scope="row">${roleWords(item.role)} <strong>${item.provider}</strong>
          <span class="used">${unitWords(item.units)}${
            item.isEstimated && html` <${Chip}>${t("one.estimated")}<//>`}</span></th>
        <td class="number">${formatMoney(item.cost)}
          <span class="share" style=${{ width: `${100 * item.share}%` }}></span></td>
        <td class="number">${formatMoney(item.perMinute)}</td></tr>`)}</tbody>
      <tfoot><tr><th scope="row">${t("one.together")}</th>
        <td class="number">${formatMoney(total)}</td>
        <td class="number">${formatMoney(perMinute)}</td></tr></tfoot>
    </table>
    ${total === null && html`<p class="muted small">${t("one.no_prices")}</p>`}
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

/* So that card numbers are not kept. Nothing for those who may not, or where nothing is recorded. */
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
      announce(t(paused ? "event.recording_resumed" : "event.recording_paused"));
      reload();
    } catch (failure) {
      setError(failure);
    }
  };
  return html`${error && html`<span class="bad-text" role="alert">${error.message}</span>`}
    <${Button} onClick=${act}>${t(paused ? "one.resume" : "one.pause")}<//>`;
}

/* Where the browser gives no clipboard, the text is shown to be copied by hand. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    announce(t("ui.copied"));
    return true;
  } catch {
    await openDialog(t("one.report_title"), () => html`<p>${t("one.report_copy")}</p>
      <textarea readonly rows="16" aria-label=${t("one.report_title")}>${text}</textarea>`);
    return false;
  }
}

export function ReportButton({ detail }) {
  const act = async () => {
    const { version } = await get("/calls/health/").catch(() => ({}));
    await copy(JSON.stringify(reportOf(detail, version), null, 2));
  };
  return html`<${Button} onClick=${act} id="report" title=${t("one.report_what")}
    >${t("one.report")}<//>`;
}
