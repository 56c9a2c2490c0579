/* SPDX-License-Identifier: ISC */
/* One call: what was said, how it sounded, how long each answer took, what it cost, why it ended. */
import { CallActions } from "./actions.js";
import { get } from "./api.js";
import { useLive, withLive } from "./call-live.js";
import { Cost, Facts, ReportButton, Timeline } from "./call-parts.js";
import { Player } from "./call-player.js";
import { linesOf, regionsOf } from "./call-record.js";
import { Transcript } from "./call-transcript.js";
import { Waterfall } from "./call-waterfall.js";
import { html, useMemo, useRef, useSignal } from "./html.js";
import { Card, Empty, ErrorNote, Loaded, Page, useData, useStyle } from "./ui.js";

const LIVE = new Set(["queued", "ringing", "in_progress"]);

/* How long the picture is: the recording, or the call, or what was said in it. */
function lengthOf({ call, recordings = [] }, lines) {
  const spoken = lines.map(({ from_s, to_s }) => (Number.isFinite(to_s) ? to_s : from_s));
  return Math.max(recordings[0]?.duration_s ?? call.duration_s ?? 0, ...spoken.slice(-20));
}

/* Plays from a moment, or where there is no sound shows its place. */
function useSeek(at, audio) {
  return (seconds) => {
    at.value = seconds;
    if (audio.current) {
      audio.current.currentTime = seconds;
    }
  };
}

function Pages({ detail, partial, isLive }) {
  const audio = useRef();
  const at = useSignal(0);
  const seek = useSeek(at, audio);
  const lines = useMemo(() => linesOf(detail), [detail]);
  const spoken = useMemo(() => regionsOf(lines), [lines]);
  const hasRecording = (detail.recordings ?? []).length > 0 && !isLive;
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
        <${Card} title="Sound and words">
          <${Player} call_id=${detail.call.call_id} hasRecording=${hasRecording} spoken=${spoken}
            duration_s=${lengthOf(detail, lines)} audio=${audio} at=${at} onSeek=${seek} />
          <${Transcript} lines=${lines} partial=${partial} isLive=${isLive} at=${at} onSeek=${seek} />
        <//>
      </div>
      <div class="call-pane">
        <${Card} title="Where each answer's time went">
          <${Waterfall} turns=${detail.turns ?? []} onTurn=${showTurn} /><//>
        <${Card} title="Cost"><${Cost} detail=${detail} /><//>
        <${Card} title="What happened"><${Timeline} detail=${detail} onSeek=${seek} /><//>
      </div>
    </div>`;
}

function Record({ record, reload }) {
  const { call } = record;
  const isLive = LIVE.has(call.status);
  const live = useLive(call.call_id, isLive, reload);
  const { detail, partial } = useMemo(() => withLive(record, live), [record, live]);
  return html`<${Page} wide title="Call of ${call.from || call.to || call.call_id}"
      actions=${html`<${ReportButton} detail=${detail} /><${CallActions} call=${call} />`}>
    <${Pages} detail=${detail} partial=${partial} isLive=${isLive} />
  <//>`;
}

export function Call({ params: [call_id] }) {
  useStyle("/static/admin/call.css");
  const record = useData((signal) =>
    get(`/calls/call-detail/${encodeURIComponent(call_id)}/`, { signal }), [call_id]);
  if (record.error?.status === 404) {
    return html`<${Page} title="No such call">
      <${Empty} title="There is no call with this number in the records.">
        <p>It may have been erased, or its time in the records is over.</p>
        <p><a href="#/calls">All calls</a></p><//><//>`;
  }
  if (record.data) {
    return html`${record.error && html`<${ErrorNote} error=${record.error} retry=${record.reload} />`}
      <${Record} record=${record.data} reload=${record.reload} />`;
  }
  return html`<${Page} title="Call"><${Loaded} of=${record} /><//>`;
}

export default Call;
