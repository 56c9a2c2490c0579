/* SPDX-License-Identifier: ISC */
/* The chat page: one message, one answer; with the voice on, the answer is also spoken. */
import { byId, request, showNotice } from "./page.js";
import { Transcript } from "./transcript.js";

const announce = (text) => {
  byId("live").textContent = text;
};
const transcript = new Transcript(byId("turns"), announce);

let session = "";
let turn = 0;
let isBusy = false;
let context = null;
let playing = null;

function setVoice(isOn) {
  byId("voice").setAttribute("aria-pressed", String(isOn));
  byId("voice").textContent = isOn ? "Voice on" : "Voice off";
  playing?.stop();
  playing = null;
  if (isOn) {
    context ??= new AudioContext();
    context.resume();
  }
}

const hasVoice = () => byId("voice").getAttribute("aria-pressed") === "true";

/* Plays a WAV file that came as base64; what still speaks is cut off. */
async function play(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const buffer = await context.decodeAudioData(bytes.buffer);
  playing?.stop();
  playing = context.createBufferSource();
  playing.buffer = buffer;
  playing.connect(context.destination);
  playing.start();
}

function setBusy(on) {
  isBusy = on;
  byId("send").disabled = on;
  byId("turns").setAttribute("aria-busy", String(on));
}

async function send(text) {
  const number = ++turn;
  const mine = session;
  byId("empty").hidden = true;
  byId("turns").hidden = false;
  transcript.said(number, text, false);
  setBusy(true);
  try {
    const path = hasVoice() ? "/calls/test-voice/" : "/calls/test-chat/";
    const answer = await request(path, { message: text, ...(mine && { session: mine }) });
    if (turn >= number && mine === session) {
      session = answer.session;
      transcript.said(number, text, true);
      transcript.heard(number, answer.reply, false);
      if (answer.audio && hasVoice()) {
        await play(answer.audio).catch(() =>
          showNotice(byId("notices"), "The answer's sound can not be played.", "warn"));
      }
    }
  } catch (error) {
    showNotice(byId("notices"), error.message, "bad", { "Send again": () => send(text) });
  }
  setBusy(false);
}

function startAgain() {
  session = "";
  turn = 0;
  playing?.stop();
  playing = null;
  transcript.clear();
  byId("notices").replaceChildren();
  byId("turns").hidden = true;
  byId("empty").hidden = false;
  byId("words").focus();
}

byId("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = byId("words").value.trim();
  if (text && !isBusy) {
    byId("notices").replaceChildren();
    byId("words").value = "";
    send(text);
  }
});
byId("voice").addEventListener("click", () => setVoice(!hasVoice()));
byId("again").addEventListener("click", startAgain);
