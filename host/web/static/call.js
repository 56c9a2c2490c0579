/* SPDX-License-Identifier: ISC */
/*
 * One call from this page: a token, a socket, a microphone, a loudspeaker. It shows nothing; what
 * happens comes through the callbacks it was given:
 *
 *   onState("connecting" | "live" | "over", reason)   "over" comes once, and last
 *   onNote(note)          a message of the server for people to see (state, transcript, reply ...)
 *   onLevels(you, agent)  0 to 1, each null when it is not news
 *   onWarning(text)       the call goes on, but a person should know
 *   onStats(stats)
 */
import { openAudio, openMicrophone } from "./audio.js";
import { request, ServerError } from "./page.js";

const MAX_UNSENT_BYTES = 64000; /* two seconds of sound */

export class Call {
  constructor(callbacks) {
    this.callbacks = callbacks;
    this.stats = { sent: 0, unsent: 0, underruns: 0, overflows: 0, seconds: 0 };
    this.isOver = false;
    this.reason = "";
  }

  /* Begins. `microphone`: a device's id, "" for the default, null for none. Throws words. */
  async start({ agent, microphone }) {
    this.callbacks.onState("connecting");
    try {
      await this.openSound(microphone);
      const answer = this.isOver ||
        await request("/calls/voice-test/token/", agent ? { agent } : {});
      if (this.isOver) {
        this.release();
      } else {
        await this.connect(answer, agent);
      }
    } catch (error) {
      this.finish("failed");
      throw error;
    }
  }

  async openSound(microphone) {
    this.useStream(microphone === null ? null : await openMicrophone(microphone));
    const { audio, isSilent } = await openAudio({
      onFrame: (frame, level) => this.onFrame(frame, level),
      onMark: (id, cleared) => this.send({ type: "mark", id, cleared }),
      onPlayback: ({ level, stats }) => this.onPlayback(level, stats),
    });
    this.audio = audio;
    audio.listen(this.stream);
    if (isSilent) {
      this.callbacks.onWarning("The browser gives this page no sound: read what is said, and type.");
    }
  }

  /* Opens the socket and says who calls. */
  connect({ call_id, token, media = "/carriers/browser/media" }, agent) {
    const url = new URL(media, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.id = call_id;
    this.socket = new WebSocket(url);
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = ({ data }) => this.onMessage(data);
    return new Promise((resolve, reject) => {
      this.socket.onopen = () => {
        const format = { codec: "pcm_s16le", rate: 16000 };
        this.send({ type: "start", token, call_id, format, ...(agent && { agent }) });
        this.callbacks.onState("live");
        resolve();
      };
      this.socket.onclose = () => {
        reject(new ServerError("The server refused the call's connection."));
        this.finish("lost");
      };
    });
  }

  onMessage(data) {
    if (typeof data !== "string") {
      this.audio.play(data);
      return;
    }
    const message = JSON.parse(data);
    switch (message.type) {
    case "mark":
      this.audio.mark(message.id);
      break;
    case "clear":
      this.audio.clear();
      break;
    case "end":
      this.finish(message.reason);
      break;
    default:
      this.callbacks.onNote(message);
      break;
    }
  }

  /* A frame of the microphone. What the network does not take in time is dropped, not delayed. */
  onFrame(frame, level) {
    this.callbacks.onLevels(level, null);
    if (this.socket?.readyState !== WebSocket.OPEN) {
      return;
    }
    if (this.socket.bufferedAmount > MAX_UNSENT_BYTES) {
      this.stats.unsent++;
      return;
    }
    this.stats.sent++;
    this.socket.send(frame);
  }

  onPlayback(level, stats) {
    Object.assign(this.stats, stats);
    this.callbacks.onLevels(null, level);
    this.callbacks.onStats(this.stats);
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify(message));
    }
  }

  say(text) {
    this.send({ type: "text", text });
  }

  press(digit) {
    this.send({ type: "dtmf", digit });
  }

  mute(muted) {
    this.audio?.mute(muted);
  }

  useStream(stream) {
    this.stream = stream;
    stream?.getAudioTracks()[0]?.addEventListener("ended", () => {
      if (stream === this.stream && !this.isOver) {
        this.callbacks.onWarning("The microphone is gone. Choose another, or type.");
      }
    });
  }

  /* Changes the microphone during the call. */
  async changeMicrophone(deviceId) {
    const stream = await openMicrophone(deviceId);
    if (this.isOver) {
      stream.getTracks().forEach((track) => track.stop());
      return;
    }
    this.useStream(stream);
    this.audio.listen(stream);
  }

  hangUp() {
    this.send({ type: "bye" });
    this.finish("you");
  }

  finish(reason) {
    if (this.isOver) {
      return;
    }
    this.isOver = true;
    this.reason = reason;
    /* The last words are in the loudspeaker's buffer when the agent hangs up. */
    const wait = reason === "hangup" ? Math.min(1, this.stats.seconds + 0.1) * 1000 : 0;
    setTimeout(() => this.release(), wait);
    this.callbacks.onState("over", reason);
  }

  /* Lets go of microphone, loudspeaker and socket. */
  release() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.audio?.close();
    this.audio = null;
    if (this.socket) {
      this.socket.onmessage = null;
      this.socket.onclose = null;
      this.socket.close(1000);
    }
  }
}
