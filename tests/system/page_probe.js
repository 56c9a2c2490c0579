/* SPDX-License-Identifier: ISC */
/*
 * Put before the scripts of a page under test: records what reaches its loudspeaker, and what it
 * shows, twenty times a second. Times are seconds of the AudioContext's clock.
 */
(() => {
  const probe = { rate: 0, blocks: [], clears: [], shown: [], context: null };
  window.probe = probe;

  const connect = AudioNode.prototype.connect;
  function tap(node, context) {
    const ear = context.createScriptProcessor(1024, 1, 1);
    probe.context = context;
    probe.rate = context.sampleRate;
    ear.onaudioprocess = ({ inputBuffer, playbackTime }) => {
      probe.blocks.push({ at: playbackTime, samples: inputBuffer.getChannelData(0).slice() });
    };
    connect.call(node, ear);
    connect.call(ear, context.destination);
  }
  AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode) {
      tap(this, this.context);
    }
    return connect.call(this, target, ...rest);
  };

  window.WebSocket = class extends WebSocket {
    constructor(...all) {
      super(...all);
      this.addEventListener("message", ({ data }) => {
        if (data === '{"type":"clear"}') {
          probe.clears.push(probe.context.currentTime);
        }
      });
    }
  };

  setInterval(() => {
    const level = (id) =>
      Number(document.getElementById(id)?.style.getPropertyValue("--level") ?? 0);
    probe.shown.push({
      at: probe.context?.currentTime ?? 0,
      you: level("you"),
      them: level("them"),
      partial: document.querySelector(".bubble.user.partial .text")?.textContent ?? "",
    });
  }, 50);

  /* Everything heard, as 16-bit samples in base64; blocks of two taps at one time are added. */
  probe.sound = () => {
    const start = Math.min(...probe.blocks.map(({ at }) => at));
    const end = Math.max(...probe.blocks.map(({ at }) => at));
    const mix = new Float32Array(Math.ceil((end - start) * probe.rate) + 1024);
    for (const { at, samples } of probe.blocks) {
      const from = Math.round((at - start) * probe.rate);
      samples.forEach((sample, i) => {
        mix[from + i] += sample;
      });
    }
    const whole = Int16Array.from(mix, (sample) => Math.max(-1, Math.min(1, sample)) * 32767);
    const bytes = new Uint8Array(whole.buffer);
    let text = "";
    for (let i = 0; i < bytes.length; i += 32768) {
      text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    }
    return { rate: probe.rate, start, base64: btoa(text) };
  };
})();
