/* SPDX-License-Identifier: ISC */
/* The voice page: what a call (call.js) does, shown; and what a person does, told to the call. */
import { listMicrophones } from "./audio.js";
import { Call } from "./call.js";
import { byId, element, offerAgents, showNotice } from "./page.js";
import { formatMs, Transcript } from "./transcript.js";

const STATES = {
  listening: "Listening",
  hearing: "Hearing you",
  thinking: "Thinking",
  speaking: "Speaking",
};

const REASONS = {
  you: "You hung up",
  hangup: "The agent hung up",
  refused: "The server refused the call",
  protocol: "The call broke off: this page and the server do not understand each other",
  timeout: "The call broke off: nothing came from this page for a while",
  shutdown: "The server ended the call",
  lost: "The connection to the server is lost",
  failed: "No call",
};

const announce = (text) => {
  byId("live").textContent = text;
};
const transcript = new Transcript(byId("turns"), announce);

let call = null;
let startedAt = 0;
let clockTimer = 0;
let wasToldWhy = false;
let endReason = "";
let responses = [];

function setState(text) {
  byId("state").textContent = text;
}

function showClock() {
  const seconds = Math.floor((performance.now() - startedAt) / 1000);
  byId("clock").textContent =
    `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/* Shows the parts of the page that belong to a phase: "idle", "connecting" or "live". */
function setPhase(phase) {
  const isIdle = phase === "idle";
  const isLive = phase === "live";
  const button = byId("call");
  button.classList.toggle("live", !isIdle);
  button.classList.toggle("connecting", phase === "connecting");
  button.setAttribute("aria-label", isIdle ? "Call" : isLive ? "Hang up" : "Cancel");
  document.body.classList.toggle("in-call", !isIdle);
  document.body.dataset.phase = phase;
  for (const id of ["levels", "line", "mute"]) {
    byId(id).hidden = !isLive;
  }
  byId("tools").open = isIdle || matchMedia("(min-width: 52rem)").matches;
  byId("words").disabled = !isLive;
  byId("send").disabled = !isLive;
  byId("mute").setAttribute("aria-pressed", "false");
  byId("mute").textContent = "Mute";
  for (const id of ["you", "them", "call"]) {
    byId(id).style.setProperty("--level", 0);
  }
}

async function showMicrophones() {
  const select = byId("microphone");
  const chosen = select.value;
  const devices = await listMicrophones();
  const options = devices.filter(({ deviceId }) => deviceId !== "default")
    .map(({ deviceId, label }, i) =>
      element("option", { value: deviceId }, label || `Microphone ${i + 1}`));
  select.replaceChildren(element("option", { value: "" }, "Default"), ...options);
  select.value = devices.some(({ deviceId }) => deviceId === chosen) ? chosen : "";
}

function onOver(how) {
  /* For a leg the end of the server is a hang-up like any other; people should know. */
  const reason = how === "hangup" && endReason === "shutdown" ? "shutdown" : how;
  clearInterval(clockTimer);
  setPhase("idle");
  const duration = byId("clock").hidden ? "" : ` · ${byId("clock").textContent}`;
  const why = reason === "hangup" && endReason ? ` (${endReason.replaceAll("_", " ")})` : "";
  setState(`${REASONS[reason] ?? "The call is over"}${why}${duration}`);
  byId("clock").hidden = true;
  transcript.showEnd();
  const needsWords = !["you", "hangup", "failed"].includes(reason);
  if (needsWords && !wasToldWhy) {
    showNotice(byId("notices"), `${REASONS[reason] ?? "The call is over"}.`, "bad",
      { "Call again": () => start(byId("microphone").value) });
  }
  call = null;
}

function onState(state, reason) {
  if (state === "over") {
    onOver(reason);
    return;
  }
  setPhase(state);
  if (state === "connecting") {
    setState("Connecting");
    return;
  }
  setState("Connected");
  startedAt = performance.now();
  byId("clock").hidden = false;
  showClock();
  clockTimer = setInterval(showClock, 500);
  showMicrophones();
}

function showTurns() {
  byId("empty").hidden = true;
  byId("turns").hidden = false;
}

function onTurn({ turn, latency, providers }) {
  transcript.timed(turn, latency, providers);
  if (Number.isFinite(latency?.response_ms)) {
    responses.push(latency.response_ms);
  }
}

const NOTES = {
  state: ({ state }) => {
    document.body.dataset.state = state;
    setState(STATES[state] ?? state);
  },
  transcript: ({ role, turn, text, final }) => {
    if (role === "user") {
      transcript.said(turn, text, final);
    }
  },
  reply: ({ turn, text }) => transcript.replied(turn, text),
  heard: ({ turn, text, interrupted }) => transcript.heard(turn, text, interrupted),
  turn: onTurn,
  ended: ({ reason }) => {
    endReason = reason ?? "";
  },
  error: ({ message }) => {
    wasToldWhy = true;
    showNotice(byId("notices"), message);
  },
};

function onNote(note) {
  if (["transcript", "reply", "heard", "turn"].includes(note.type)) {
    showTurns();
  }
  NOTES[note.type]?.(note);
}

/* Half of all turns were answered faster than this. */
function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[Math.floor((numbers.length - 1) / 2)];
}

function onStats({ sent, unsent, underruns, overflows, seconds }) {
  const pairs = {
    "Median time to answer": responses.length > 0 ? formatMs(median(responses)) : "–",
    "Sound waiting here": formatMs(seconds * 1000),
    "Gaps in the agent's voice": underruns,
    "Voice dropped here": overflows,
    "Your sound sent": formatMs(sent * 20),
    "Your sound dropped": formatMs(unsent * 20),
  };
  byId("quality").replaceChildren(...Object.entries(pairs).flatMap(([name, value]) =>
    [element("dt", {}, name), element("dd", {}, String(value))]));
  document.body.dataset.underruns = underruns;
}

/* Loudness as the ear has it: -60 dB is 0, full scale is 1. */
function loudness(level) {
  return level > 0.001 ? Math.max(0, 1 + 20 * Math.log10(level) / 60) : 0;
}

let shownAt = 0;
function onLevels(you, agent) {
  const isNewsForReaders = performance.now() - shownAt > 1000;
  for (const [id, level] of [["you", you], ["them", agent]]) {
    if (level !== null) {
      const value = loudness(level);
      byId(id).style.setProperty("--level", value.toFixed(3));
      if (isNewsForReaders) {
        byId(id).setAttribute("aria-valuenow", Math.round(100 * value));
      }
    }
  }
  const isSpeaking = document.body.dataset.state === "speaking";
  const ring = isSpeaking ? agent : you;
  if (ring !== null) {
    byId("call").style.setProperty("--level", loudness(ring).toFixed(3));
  }
  if (isNewsForReaders) {
    shownAt = performance.now();
  }
}

const onWarning = (text) => showNotice(byId("notices"), text, "warn");

/* Calls; `microphone` is a device's id, "" for the default, null for none. */
async function start(microphone) {
  byId("notices").replaceChildren();
  transcript.clear();
  wasToldWhy = false;
  endReason = "";
  responses = [];
  const mine = new Call({ onState, onNote, onLevels, onWarning, onStats });
  call = mine;
  try {
    await mine.start({ agent: byId("agent").value, microphone });
    if (microphone === null && !mine.isOver) {
      byId("mute").hidden = true;
      byId("words").focus();
    }
  } catch (error) {
    if (mine.reason === "you") {
      return;
    }
    const actions = { "Try again": () => start(microphone) };
    if (microphone !== null && error.status === undefined) {
      actions["Call without a microphone"] = () => start(null);
    }
    showNotice(byId("notices"), error.message, "bad", actions);
  }
}

function toggleMute() {
  const isMuted = byId("mute").getAttribute("aria-pressed") !== "true";
  byId("mute").setAttribute("aria-pressed", String(isMuted));
  byId("mute").textContent = isMuted ? "Muted" : "Mute";
  call?.mute(isMuted);
}

function say(event) {
  event.preventDefault();
  const words = byId("words");
  const text = words.value.trim();
  if (text && call) {
    call.say(text);
    words.value = "";
  }
}

for (const digit of "123456789*0#") {
  const key = element("button", { class: "button", type: "button" }, digit);
  key.addEventListener("click", () => call?.press(digit));
  byId("keys").append(key);
}
byId("call").addEventListener("click", () => {
  if (call) {
    call.hangUp();
  } else {
    start(byId("microphone").value);
  }
});
byId("call-typing").addEventListener("click", () => start(null));
byId("mute").addEventListener("click", toggleMute);
byId("say").addEventListener("submit", say);
byId("microphone").addEventListener("change", ({ target }) => {
  call?.changeMicrophone(target.value).catch((error) => onWarning(error.message));
});
navigator.mediaDevices?.addEventListener?.("devicechange", showMicrophones);
window.addEventListener("pagehide", () => call?.hangUp());
byId("microphone-field").hidden = !navigator.mediaDevices;

setPhase("idle");
showMicrophones();
offerAgents(byId("agent"), byId("agent-summary"), byId("agent-field"));
