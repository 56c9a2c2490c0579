/* SPDX-License-Identifier: ISC */
/* One call: what was said, how it sounded, how long answers took, what it cost, why it ended. */
import { CallActions } from "./actions.js";
import { get } from "./api.js";
import { useLastNews, useLive, withLive } from "./call-live.js";
import { Cost, Facts, PauseButton, ReportButton, Timeline } from "./call-parts.js";
import { Player } from "./call-player.js";
import { linesOf, regionsOf } from "./call-record.js";
import { Transcript } from "./call-transcript.js";
import { Waterfall } from "./call-waterfall.js";
import { html, useMemo, useRef, useSignal, useState } from "./html.js";
import { Card, Empty, ErrorNote, Loaded, Page, useData, useStyle } from "./ui.js";
import { t } from "./words.js";

const LIVE = new Set(["queued", "ringing", "in_progress"]);

/* How long the picture is: the recording, or the call, or what was said in it. */
function lengthOf({ call, recordings = [] }, part, lines) {
  const spoken = lines.map(({ from_s, to_s }) => (Number.isFinite(to_s) ? to_s : from_s));
  return recordings[part]?.duration_s ?? Math.max(call.duration_s ?? 0, ...spoken.slice(-20));
}

/* Plays from a moment, or where there is no sound shows its place. */
function useSeek(at, audio) {
  return (seconds) => {
    if (seconds > -1) {
      at.value = Math.max(0, seconds);
      if (audio.current) {
        audio.current.currentTime = at.value;
      }
    }
  };
}

/* Which recording is looked at, where a call that was interrupted has several. */
function Parts({ count, value, onChange }) {
  return count > 1 && html`<label class="row small"><span>${t("one.recording")}</span>
    <select value=${value} onChange=${({ target }) => onChange(Number(target.value))}>
      ${Array.from({ length: count }, (_, i) => html`<option value=${i}
        >${t("one.part", { part: i + 1, count })}</option>`)}
    </select></label>`;
}

function Pages({ detail, partial, isLive }) {
  const audio = useRef();
  const at = useSignal(0);
  const seek = useSeek(at, audio);
  const [part, setPart] = useState(0);
  const lines = useMemo(() => linesOf(detail, part), [detail, part]);
  const spoken = useMemo(() => regionsOf(lines), [lines]);
  const count = isLive ? 0 : (detail.recordings ?? []).length;
  const showTurn = (turn) => {
    const line = lines.find((each) => each.turn === turn && each.who === "agent") ??
      lines.find((each) => each.turn === turn);
    if (line) {
      seek(line.from_s);
    }
  };
  return html`<${Facts} call=${detail.call} isLive=${isLive} />
    <div class="call-panes">
      <div class="call-pane">
        <${Card} title=${t("one.sound")}>
          <${Parts} count=${count} value=${part} onChange=${setPart} />
          <${Player} call_id=${detail.call.call_id} hasRecording=${count > 0} part=${part}
            spoken=${spoken} duration_s=${lengthOf(detail, part, lines)} audio=${audio} at=${at}
            onSeek=${seek} />
          <${Transcript} lines=${lines} partial=${partial} isLive=${isLive} at=${at}
            onSeek=${seek} />
        <//>
      </div>
      <div class="call-pane">
        <${Card} title=${t("one.time")}>
          <${Waterfall} turns=${detail.turns ?? []} onTurn=${showTurn} /><//>
        <${Card} title=${t("one.cost")}><${Cost} detail=${detail} /><//>
        <${Card} title=${t("one.events")}>
          <${Timeline} detail=${detail} part=${part} onSeek=${seek} /><//>
      </div>
    </div>`;
}

function Record({ record, reload }) {
  const { call } = record;
  const isLive = LIVE.has(call.status);
  const live = useLive(call.call_id, isLive, reload);
  useLastNews(call, reload);
  const { detail, partial } = useMemo(() => withLive(record, live), [record, live]);
  return html`<${Page} wide title=${t("one.title", { who: call.from || call.to || call.call_id })}
      actions=${html`<${ReportButton} detail=${detail} />
        <${PauseButton} detail=${detail} reload=${reload} /><${CallActions} call=${call} />`}>
    <${Pages} detail=${detail} partial=${partial} isLive=${isLive} />
  <//>`;
}

export function Call({ params: [call_id] }) {
  useStyle("/static/admin/call.css");
  const record = useData((signal) =>
    get(`/calls/call-detail/${encodeURIComponent(call_id)}/`, { signal }), [call_id]);
  if (record.error?.status === 404) {
    return html`<${Page} title=${t("one.gone")}>
      <${Empty} title=${t("one.gone_what")}>
        <p>${t("one.gone_why")}</p>
        <p><a href="#/calls">${t("one.all")}</a></p><//><//>`;
  }
  if (record.data) {
    const { error, reload } = record;
    return html`${error && html`<${ErrorNote} error=${error} retry=${reload} />`}
      <${Record} record=${record.data} reload=${reload} />`;
  }
  return html`<${Page} title=${t("one.call")}><${Loaded} of=${record} /><//>`;
}

export default Call;
