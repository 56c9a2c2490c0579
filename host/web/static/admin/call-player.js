/* SPDX-License-Identifier: ISC */
/* The recording: its waveform, an <audio> element, and both kept at the same moment. */
import { get } from "./api.js";
import { drawWave, viewOf } from "./call-wave.js";
import { clockWords } from "./call-words.js";
import { html, useComputed, useEffect, useLayoutEffect, useRef, useState } from "./html.js";
import { t } from "./words.js";

const PEAKS_PER_SECOND = 20;
const STEPS_S = { ArrowLeft: -5, ArrowRight: 5, PageDown: -30, PageUp: 30 };
const COLOURS = { caller: "--caller", agent: "--agent", callerSoft: "--info-soft",
  agentSoft: "--accent-soft", mark: "--bad", line: "--line" };

/* The page's colours, as the canvas needs them. */
function coloursOf(element) {
  const style = getComputedStyle(element);
  return Object.fromEntries(Object.entries(COLOURS)
    .map(([name, variable]) => [name, style.getPropertyValue(variable).trim()]));
}

/* The peaks of a recording; null while they are not here, and where there are none. */
function usePeaks(address, hasRecording, part) {
  const [sound, setSound] = useState(null);
  useEffect(() => {
    const abort = new AbortController();
    setSound(null);
    if (hasRecording) {
      get(`${address}peaks/?per_second=${PEAKS_PER_SECOND}&part=${part + 1}`,
        { signal: abort.signal }).then(setSound, () => {});
    }
    return () => abort.abort();
  }, [address, hasRecording, part]);
  return sound;
}

/* Drawn anew when its data or size change, and when light turns to dark. */
function Picture({ sound, spoken, view: { from_s, to_s } }) {
  const canvas = useRef();
  useLayoutEffect(() => {
    const area = canvas.current; /* the reference is gone before the last events are */
    const draw = () => drawWave(area,
      { sound, spoken, view: { from_s, to_s }, colours: coloursOf(area) });
    const observer = new ResizeObserver(draw);
    observer.observe(area);
    window.addEventListener("themechange", draw);
    return () => {
      observer.disconnect();
      window.removeEventListener("themechange", draw);
    };
  }, [sound, spoken, from_s, to_s]);
  return html`<canvas ref=${canvas} aria-hidden="true"></canvas>`;
}

function Head({ at, view: { from_s, to_s } }) {
  const part = Math.max(0, Math.min(1, (at.value - from_s) / (to_s - from_s)));
  return html`<span class="wave-head" style=${{ left: `${100 * part}%` }}></span>`;
}

function Wave({ sound, spoken, duration_s, part_s, at, onSeek }) {
  const second = useComputed(() => Math.floor(at.value)).value;
  const view = viewOf(duration_s, part_s, second);
  const point = ({ clientX, currentTarget }) => {
    const { left, width } = currentTarget.getBoundingClientRect();
    const part = Math.max(0, Math.min(1, (clientX - left) / width));
    onSeek(Math.min(duration_s, view.from_s + part * (view.to_s - view.from_s)));
  };
  const press = (event) => {
    const to = { Home: 0, End: duration_s }[event.key] ?? at.value + STEPS_S[event.key];
    if (Number.isFinite(to)) {
      event.preventDefault();
      onSeek(Math.max(0, Math.min(duration_s, to)));
    }
  };
  return html`<div class="wave" role="slider" tabindex="0" aria-label=${t("one.place")}
      aria-valuemin="0" aria-valuemax=${Math.ceil(duration_s)} aria-valuenow=${second}
      aria-valuetext=${t("one.place_of",
        { at: clockWords(second), length: clockWords(duration_s) })}
      onClick=${point} onKeyDown=${press}>
    <${Picture} sound=${sound} spoken=${spoken} view=${view} />
    <${Head} at=${at} view=${view} />
    <span class="wave-who caller" aria-hidden="true">${t("one.caller")}</span>
    <span class="wave-who agent" aria-hidden="true">${t("one.agent")}</span>
  </div>`;
}

/* How much of a long call the picture shows. */
function Zoom({ value, onChange }) {
  return html`<label class="row small"><span>${t("one.picture")}</span>
    <select value=${value} onChange=${({ target }) => onChange(Number(target.value))}>
      <option value="0">${t("one.whole")}</option>
      <option value="300">${t("one.minutes_5")}</option>
      <option value="60">${t("one.minute_1")}</option>
    </select></label>`;
}

/* Tells `at` where the sound is: with every picture while it plays. */
function useClock(audio, at) {
  const frame = useRef(0);
  const tell = () => {
    frame.current = 0;
    if (audio.current) {
      at.value = audio.current.currentTime;
      follow(!audio.current.paused);
    }
  };
  const follow = (isWanted) => {
    if (isWanted && !frame.current) {
      frame.current = requestAnimationFrame(tell);
    }
  };
  useEffect(() => () => cancelAnimationFrame(frame.current), []);
  return () => follow(true);
}

/*
 * `audio`: a ref that gets the element. `at`: a signal, the moment that is heard. `part`: which of
 * the call's recordings it is, from 0; there are several where a call went on after an interruption.
 */
export function Player({ call_id, hasRecording, part, spoken, duration_s, audio, at, onSeek }) {
  const address = `/calls/${encodeURIComponent(call_id)}/recording/`;
  const sound = usePeaks(address, hasRecording, part);
  const [isBroken, setBroken] = useState(false);
  const [part_s, setPart] = useState(0);
  const follow = useClock(audio, at);
  const shown_s = Math.max(0.1, duration_s, sound?.duration_s ?? 0);
  return html`<div class="player">
    <${Wave} sound=${sound} spoken=${spoken} duration_s=${shown_s} part_s=${part_s} at=${at}
      onSeek=${onSeek} />
    ${shown_s > 90 && html`<${Zoom} value=${part_s} onChange=${setPart} />`}
    ${!hasRecording && html`<p class="muted small">${t("one.not_recorded")}</p>`}
    ${hasRecording && !isBroken && html`<div class="row">
      <audio ref=${audio} controls preload="metadata" src="${address}?part=${part + 1}"
        onPlay=${follow} onSeeked=${follow} onTimeUpdate=${follow}
        onError=${() => setBroken(true)}></audio>
      <label class="row small"><span>${t("one.speed")}</span>
        <select onChange=${({ target }) => {
          audio.current.playbackRate = Number(target.value);
        }}>
          <option value="1">1×</option><option value="1.5">1.5×</option><option value="2">2×</option>
        </select></label>
      <a class="button" href="${address}?part=${part + 1}&download=1" download
        >${t("one.download")}</a>
    </div>`}
    ${isBroken && html`<p class="muted" role="status">${t("one.broken")}</p>`}
  </div>`;
}
