/* SPDX-License-Identifier: ISC */
/* The voice page's sound, without a browser: node --test tests/web/ */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import vm from "node:vm";

const source = readFileSync(new URL("../../host/web/static/audio-worklet.js", import.meta.url));
const { Resampler, Framer, Player } =
  vm.runInThisContext(`(() => {${source}; return { Resampler, Framer, Player }; })()`);

function sine(rate, hertz, count) {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(2 * Math.PI * hertz * i / rate));
}

/* Pushes samples in blocks of `block`, as the audio thread does. */
function resample(from, to, samples, block = 128) {
  const resampler = new Resampler(from, to);
  const out = [];
  for (let i = 0; i < samples.length; i += block) {
    out.push(...resampler.push(samples.subarray(i, i + block)));
  }
  out.push(...resampler.flush());
  return out;
}

function level(samples) {
  const middle = samples.slice(1000, -1000);
  return 10 * Math.log10(2 * middle.reduce((sum, x) => sum + x * x, 0) / middle.length);
}

const RATES = [[48000, 16000], [44100, 16000], [16000, 48000], [16000, 44100], [96000, 16000],
  [8000, 16000], [16000, 16000], [16000, 22050]];

for (const [from, to] of RATES) {
  test(`a tone keeps its place and level from ${from} to ${to} Hz`, () => {
    const hertz = 0.2 * Math.min(from, to);
    const out = resample(from, to, sine(from, hertz, from));
    assert.ok(Math.abs(out.length - to) <= 1, `${out.length} samples`);
    const wanted = sine(to, hertz, out.length);
    for (let i = 200; i < out.length - 200; i++) {
      assert.ok(Math.abs(out[i] - wanted[i]) < 0.002, `sample ${i}`);
    }
  });
}

test("the band of speech passes and what would fold back into it does not", () => {
  for (const rate of [44100, 48000]) {
    assert.ok(level(resample(rate, 16000, sine(rate, 6700, rate))) > -0.5);
    for (const hertz of [8100, 9300, 12000, 15900, 20000]) {
      const out = level(resample(rate, 16000, sine(rate, hertz, rate)));
      assert.ok(out < -55, `${hertz} Hz at ${rate}: ${out} dB`);
    }
  }
});

test("the length of blocks does not matter", () => {
  const samples = sine(44100, 1000, 10000);
  assert.deepEqual(resample(44100, 16000, samples, 128), resample(44100, 16000, samples, 9999));
});

test("frames have 320 samples, are clipped and carry their level", () => {
  const framer = new Framer();
  const frames = [];
  framer.push(new Float32Array(500).fill(2), (frame, loud) => frames.push([frame, loud]));
  framer.push(new Float32Array(300).fill(-2), (frame, loud) => frames.push([frame, loud]));
  assert.equal(frames.length, 2);
  assert.equal(frames[0][0].length, 320);
  assert.equal(frames[0][0][0], 32767);
  assert.equal(frames[1][0][319], -32767);
  assert.equal(frames[0][1], 1);
});

/* A player at 48 kHz whose blocks are pulled by hand. */
function setup() {
  const told = [];
  const player = new Player(48000, (message) => told.push(message));
  let now = 0;
  return {
    player,
    audio: (milliseconds, value = 16384) =>
      player.audio(new Int16Array(16 * milliseconds).fill(value), now),
    /* Plays; returns the samples. */
    play(milliseconds) {
      const out = [];
      for (let i = 0; i < milliseconds * 48; i += 128) {
        const block = new Float32Array(128);
        player.fill(block, now);
        now += 128;
        out.push(...block);
      }
      return out;
    },
    marks: () => told.filter((message) => message.mark !== undefined),
    last: () => told.filter((message) => message.stats).at(-1).stats,
  };
}

const loud = (samples) => samples.filter((sample) => Math.abs(sample) > 0.01).length;

test("sound waits for 60 ms of it, and a short word does not wait for more", () => {
  const s = setup();
  s.audio(40);
  assert.equal(loud(s.play(20)), 0);
  s.audio(40);
  assert.ok(loud(s.play(20)) > 900);
  const word = setup();
  word.audio(20);
  const out = word.play(200);
  assert.ok(Math.abs(loud(out) - 960) < 60, `${loud(out)} samples`);
  assert.equal(word.last().underruns, 0);
});

test("everything sent is played, and once", () => {
  const s = setup();
  let count = 0;
  for (let i = 0; i < 50; i++) {
    s.audio(100);
    count += loud(s.play(96));
  }
  count += loud(s.play(500));
  assert.ok(Math.abs(count - 5 * 48000) < 200, `${count} samples`);
  assert.equal(s.last().underruns, 0);
});

test("a gap in speech is an underrun and lengthens the wait; a pause is not", () => {
  const s = setup();
  s.audio(100);
  s.play(200);
  s.audio(100);
  s.play(1000);
  assert.equal(s.last().underruns, 1);
  s.audio(70);
  assert.equal(loud(s.play(20)), 0);
  s.play(500);
  assert.equal(s.last().underruns, 1);
});

test("a mark is answered when its sound has left the loudspeaker", () => {
  const s = setup();
  s.player.latency = 0.05;
  s.audio(200);
  s.player.mark(1);
  s.audio(100);
  s.player.mark(2);
  s.play(190);
  assert.deepEqual(s.marks(), []);
  s.play(40);
  assert.deepEqual(s.marks(), []);
  s.play(30);
  assert.deepEqual(s.marks(), [{ mark: 1, cleared: false }]);
  s.play(100);
  assert.deepEqual(s.marks().at(-1), { mark: 2, cleared: false });
});

test("a mark with nothing before it is answered at once", () => {
  const s = setup();
  s.player.mark(1);
  s.play(3);
  assert.deepEqual(s.marks(), [{ mark: 1, cleared: false }]);
});

test("clear is silent within a block, without a click, and gives the marks back", () => {
  const s = setup();
  s.audio(1000);
  s.player.mark(1);
  s.audio(1000);
  s.player.mark(2);
  s.play(100);
  s.player.clear();
  assert.deepEqual(s.marks(), [{ mark: 1, cleared: true }, { mark: 2, cleared: true }]);
  const out = s.play(100);
  assert.equal(loud(out.slice(256)), 0);
  for (let i = 1; i < 256; i++) {
    assert.ok(Math.abs(out[i] - out[i - 1]) < 0.01, `step at ${i}`);
  }
  s.audio(100);
  assert.ok(loud(s.play(300)) > 4700);
  assert.equal(s.last().underruns, 0);
});

test("what comes right after a clear is played whole, after a wait of its own", () => {
  const s = setup();
  s.audio(1000);
  s.play(200);
  s.player.clear();
  s.audio(100, -16384);
  const out = s.play(400);
  assert.ok(Math.abs(loud(out.filter((sample) => sample < 0)) - 4800) < 120);
  assert.equal(s.last().underruns, 0);
});

test("clear before anything was played forgets it", () => {
  const s = setup();
  s.audio(40);
  s.player.mark(1);
  s.player.clear();
  assert.deepEqual(s.marks(), [{ mark: 1, cleared: true }]);
  assert.equal(loud(s.play(300)), 0);
});

test("more than the buffer holds is dropped and counted", () => {
  const s = setup();
  for (let i = 0; i < 14; i++) {
    s.audio(1000);
  }
  s.play(60);
  assert.equal(s.last().overflows, 2);
});
