/* SPDX-License-Identifier: ISC */
/*
 * Microphone and loudspeaker of a call. Both kinds offer: play(buffer), mark(id), clear(), mute(on),
 * close(); and call back `onFrame(buffer, level)` every 20 ms, `onMark(id, cleared)`,
 * `onPlayback({level, stats})`.
 */

const LINE_RATE = 16000;
const FRAME_BYTES = 640;

export class MicrophoneError extends Error {}

function explainMicrophone(error) {
  switch (error.name) {
  case "NotAllowedError":
  case "SecurityError":
    return "This page may not use the microphone. Allow it with the sign beside the page's " +
      "address, then call again; or call without a microphone and type.";
  case "NotFoundError":
  case "OverconstrainedError":
    return "There is no microphone. Connect one and call again; or call without it and type.";
  case "NotReadableError":
  case "AbortError":
    return "The microphone is in use by another program. Close that and call again; or call " +
      "without a microphone and type.";
  default:
    return `The microphone does not work (${error.name}). Call without it and type.`;
  }
}

/* Opens a microphone, with the browser's echo cancellation. */
export async function openMicrophone(deviceId) {
  if (!window.isSecureContext || !navigator.mediaDevices) {
    throw new MicrophoneError("Browsers give a page the microphone only over https, or on the " +
      "server's own machine (http://localhost). Call without a microphone and type.");
  }
  const audio = {
    echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1,
  };
  if (deviceId) {
    audio.deviceId = { exact: deviceId };
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw new MicrophoneError(explainMicrophone(error));
  }
}

/* The microphones there are; without a permission they have no names. */
export async function listMicrophones() {
  const devices = await navigator.mediaDevices?.enumerateDevices?.() ?? [];
  return devices.filter(({ kind, deviceId }) => kind === "audioinput" && deviceId);
}

/* A context whose clock runs. Without any loudspeaker some browsers never start it. */
async function runningContext() {
  const context = new AudioContext({ latencyHint: "interactive" });
  const patience = new Promise((resolve) => setTimeout(resolve, 2000));
  await Promise.race([context.resume(), patience]);
  if (context.state !== "running") {
    context.close().catch(() => {});
    throw new Error("the loudspeaker does not start");
  }
  return context;
}

/* Sound through worklets, at the rate that the browser likes best. */
class WorkletAudio {
  static async open(callbacks) {
    const self = new WorkletAudio();
    self.context = await runningContext();
    await self.context.audioWorklet.addModule("/static/audio-worklet.js");
    const mono = { numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1] };
    self.capture = new AudioWorkletNode(self.context, "capture", mono);
    self.playback = new AudioWorkletNode(self.context, "playback", mono);
    /* Nodes run only on their way to the loudspeaker; that of the microphone is silent. */
    self.capture.connect(self.context.destination);
    self.playback.connect(self.context.destination);
    self.capture.port.onmessage = ({ data }) => callbacks.onFrame(data.frame, data.level);
    self.playback.port.onmessage = ({ data }) => {
      if (data.mark !== undefined) {
        callbacks.onMark(data.mark, data.cleared);
      } else {
        callbacks.onPlayback(data);
      }
    };
    self.latencyTimer = setInterval(() => self.tellLatency(), 1000);
    self.context.onstatechange = () => self.wake();
    self.tellLatency();
    return self;
  }

  /* Goes on after the system took the sound away for a moment. */
  wake() {
    if (this.context?.state === "suspended" || this.context?.state === "interrupted") {
      this.context.resume().catch(() => {});
    }
  }

  tellLatency() {
    this.playback.port.postMessage({ latency: this.context.outputLatency || 0 });
  }

  /* Takes another stream (null: none) in place of the one before. */
  listen(stream) {
    this.source?.disconnect();
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = stream;
    this.source = stream && this.context.createMediaStreamSource(stream);
    this.source?.connect(this.capture);
  }

  play(buffer) {
    this.playback.port.postMessage({ audio: buffer }, [buffer]);
  }

  mark(id) {
    this.playback.port.postMessage({ mark: id });
  }

  clear() {
    this.playback.port.postMessage({ clear: true });
  }

  mute(muted) {
    this.capture.port.postMessage({ muted });
  }

  close() {
    const { context } = this;
    clearInterval(this.latencyTimer);
    this.listen(null);
    this.capture.port.onmessage = null;
    this.playback.port.onmessage = null;
    context.onstatechange = null;
    this.context = null;
    context.close().catch(() => {});
  }
}

/*
 * Stands in where a browser gives no sound: sends silence, so that the line is alive, and answers
 * marks when the sound would have been played.
 */
class SilentAudio {
  constructor(callbacks) {
    this.callbacks = callbacks;
    this.playedAt = 0;
    this.marks = new Map();
    this.sentAt = performance.now();
    this.timer = setInterval(() => this.tick(), 20);
  }

  tick() {
    /* A page that slept does not catch up with more than a second. */
    this.sentAt = Math.max(this.sentAt, performance.now() - 1000);
    for (; this.sentAt <= performance.now(); this.sentAt += 20) {
      this.callbacks.onFrame(new ArrayBuffer(FRAME_BYTES), 0);
    }
  }

  listen() {}

  play(buffer) {
    const length = buffer.byteLength / 2 / LINE_RATE * 1000;
    this.playedAt = Math.max(this.playedAt, performance.now()) + length;
  }

  mark(id) {
    const wait = Math.max(0, this.playedAt - performance.now());
    this.marks.set(id, setTimeout(() => this.answer(id, false), wait));
  }

  answer(id, cleared) {
    clearTimeout(this.marks.get(id));
    this.marks.delete(id);
    this.callbacks.onMark(id, cleared);
  }

  clear() {
    this.playedAt = 0;
    for (const id of [...this.marks.keys()]) {
      this.answer(id, true);
    }
  }

  mute() {}

  close() {
    clearInterval(this.timer);
    this.marks.forEach((timer) => clearTimeout(timer));
  }
}

/* The best sound that this browser gives. `isSilent` tells that nothing will be heard. */
export async function openAudio(callbacks) {
  if (window.isSecureContext && window.AudioWorkletNode) {
    try {
      return { audio: await WorkletAudio.open(callbacks), isSilent: false };
    } catch (error) {
      console.warn("no sound:", error);
    }
  }
  return { audio: new SilentAudio(callbacks), isSilent: true };
}
