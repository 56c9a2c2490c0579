/* SPDX-License-Identifier: ISC */
/*
 * The two ends of a call's sound on the audio thread: the microphone's samples become 20 ms frames
 * of 16 bit at 16 kHz, and the agent's frames become what the loudspeaker plays. The context runs
 * at its own rate. This file imports nothing, so that every browser with worklets can load it.
 */

const LINE_RATE = 16000;
const FRAME_SAMPLES = 320;

/*
 * A polyphase windowed-sinc resampler for any pair of whole rates. What lies above half of the lower
 * rate is taken out: flat to 85 % of it, 60 dB down beyond. State is kept between blocks.
 */
class Resampler {
  constructor(from, to) {
    const divisor = greatestCommonDivisor(from, to);
    this.phases = to / divisor;
    this.step = from / divisor;
    const cutoff = 0.4625 * Math.min(1, to / from);
    this.half = Math.ceil(24 / (2 * cutoff));
    this.kernels = makeKernels(this.phases, this.half, cutoff);
    this.buffer = new Float32Array(4096);
    this.output = new Float32Array(4096);
    this.reset();
  }

  /* Forgets the sound so far. */
  reset() {
    this.buffer.fill(0, 0, this.half);
    this.length = this.half; /* samples in the buffer; the first `half` lie before the sound */
    this.index = this.half; /* of the input sample at or before the next output */
    this.phase = 0;
  }

  /* Takes samples, returns those they yield; valid until the next call. */
  push(samples) {
    this.buffer = withRoom(this.buffer, this.length + samples.length);
    this.buffer.set(samples, this.length);
    this.length += samples.length;
    const taps = 2 * this.half;
    let count = 0;
    while (this.index + this.half < this.length) {
      const kernel = this.phase * taps;
      const first = this.index - this.half + 1;
      let sum = 0;
      for (let i = 0; i < taps; i++) {
        sum += this.buffer[first + i] * this.kernels[kernel + i];
      }
      this.output = withRoom(this.output, count + 1);
      this.output[count++] = sum;
      const next = this.phase + this.step;
      this.index += Math.floor(next / this.phases);
      this.phase = next % this.phases;
    }
    const spent = this.index - this.half;
    this.buffer.copyWithin(0, spent, this.length);
    this.length -= spent;
    this.index -= spent;
    return this.output.subarray(0, count);
  }

  /* Returns what is still inside after the last sample. */
  flush() {
    return this.push(new Float32Array(this.half));
  }
}

function greatestCommonDivisor(a, b) {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/* The array itself, or a larger copy. */
function withRoom(array, length) {
  if (length <= array.length) {
    return array;
  }
  const larger = new Float32Array(Math.max(length, 2 * array.length));
  larger.set(array);
  return larger;
}

/* Of the Kaiser window: the modified Bessel function of order 0. */
function bessel0(x) {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/* One row of taps for each position between two input samples; each row lets through a constant. */
function makeKernels(phases, half, cutoff) {
  const beta = 6;
  const taps = 2 * half;
  const kernels = new Float32Array(phases * taps);
  for (let phase = 0; phase < phases; phase++) {
    const row = kernels.subarray(phase * taps, (phase + 1) * taps);
    let total = 0;
    for (let i = 0; i < taps; i++) {
      const x = i - half + 1 - phase / phases;
      const angle = 2 * Math.PI * cutoff * x;
      const sinc = x === 0 ? 1 : Math.sin(angle) / angle;
      const edge = 1 - (x / half) ** 2;
      row[i] = edge <= 0 ? 0 : sinc * bessel0(beta * Math.sqrt(edge)) / bessel0(beta);
      total += row[i];
    }
    for (let i = 0; i < taps; i++) {
      row[i] /= total;
    }
  }
  return kernels;
}

/* Cuts a stream of samples at 16 kHz into frames of 16 bit, each with its level. */
class Framer {
  constructor() {
    this.frame = new Int16Array(FRAME_SAMPLES);
    this.count = 0;
    this.energy = 0;
  }

  /* Calls `take(frame, level)` for each frame that is full; level is 0 to 1. */
  push(samples, take) {
    for (const sample of samples) {
      const clipped = Math.max(-1, Math.min(1, sample));
      this.frame[this.count++] = Math.round(clipped * 32767);
      this.energy += clipped * clipped;
      if (this.count === FRAME_SAMPLES) {
        const level = Math.sqrt(this.energy / FRAME_SAMPLES);
        const frame = this.frame;
        this.frame = new Int16Array(FRAME_SAMPLES);
        this.count = 0;
        this.energy = 0;
        take(frame, level);
      }
    }
  }
}

/*
 * The agent's sound between the network and the loudspeaker, at the context's rate. Sound waits
 * until enough of it is there to bridge the network's jitter; a gap within speech is an underrun and
 * makes it wait a little longer from then on. A mark is answered when what came before it has left
 * the loudspeaker. `tell(message)` gets {mark}, {level} and {stats}.
 */
class Player {
  constructor(rate, tell) {
    this.rate = rate;
    this.tell = tell;
    this.resampler = new Resampler(LINE_RATE, rate);
    this.ring = new Float32Array(12 * rate);
    this.read = 0; /* samples ever */
    this.written = 0;
    this.target = Math.round(0.06 * rate);
    this.isPlaying = false;
    this.waitsSince = 0;
    this.dryAt = -Infinity;
    this.latency = 0;
    this.marks = []; /* {id, at: written when it came} */
    this.due = []; /* {id, frame: when its sound leaves the loudspeaker} */
    this.stopAt = Infinity; /* where sound from before a `clear` ends */
    this.stats = { underruns: 0, overflows: 0, played: 0 };
    this.peak = 0;
    this.nextReport = 0;
  }

  /* Frames of 16 bit at 16 kHz; `now` counts samples of the context. */
  audio(samples, now) {
    const floats = Float32Array.from(samples, (sample) => sample / 32768);
    if (this.read === this.written && !this.isPlaying) {
      this.resampler.reset();
      this.waitsSince = now;
      if (now - this.dryAt < 0.4 * this.rate) {
        this.stats.underruns++;
        this.target = Math.min(this.target + 0.02 * this.rate, 0.2 * this.rate);
      }
    }
    this.write(this.resampler.push(floats));
  }

  write(samples) {
    const room = this.ring.length - (this.written - this.read);
    if (samples.length > room) {
      this.stats.overflows++;
      return;
    }
    for (const sample of samples) {
      this.ring[this.written++ % this.ring.length] = sample;
    }
  }

  mark(id) {
    this.marks.push({ id, at: this.written });
  }

  /* Throws away what was not played, but for a fade of 3 ms that spares the ear a click. */
  clear() {
    const fade = this.isPlaying
      ? Math.min(Math.round(0.003 * this.rate), this.written - this.read) : 0;
    for (let i = 0; i < fade; i++) {
      this.ring[(this.read + i) % this.ring.length] *= 1 - (i + 1) / fade;
    }
    this.written = this.read + fade;
    this.stopAt = this.written;
    this.resampler.reset();
    for (const mark of this.marks) {
      this.tell({ mark: mark.id, cleared: mark.at > this.read });
    }
    this.marks = [];
  }

  /* Fills one block of output. */
  fill(output, now) {
    const waiting = this.written - this.read;
    if (!this.isPlaying && waiting > 0) {
      this.isPlaying = waiting >= this.target || now - this.waitsSince >= this.target;
    }
    let count = 0;
    if (this.isPlaying) {
      count = this.take(output, 0);
      if (count < output.length && this.stopAt === Infinity) {
        this.write(this.resampler.flush());
        this.resampler.reset();
        count = this.take(output, count);
      }
      if (count < output.length) {
        this.isPlaying = false;
        this.dryAt = this.stopAt === Infinity ? now + count : -Infinity;
        this.waitsSince = now;
      }
    }
    if (this.read === this.stopAt) {
      this.stopAt = Infinity;
    }
    output.fill(0, count);
    this.answerMarks(now);
    this.report(now, output.length);
  }

  /* Copies what there is behind the first `at` samples; returns how many there are then. */
  take(output, at) {
    const end = Math.min(this.written, this.stopAt);
    let count = at;
    while (count < output.length && this.read < end) {
      const sample = this.ring[this.read++ % this.ring.length];
      output[count++] = sample;
      this.peak = Math.max(this.peak, Math.abs(sample));
    }
    this.stats.played += count - at;
    return count;
  }

  answerMarks(now) {
    while (this.marks.length > 0 && this.marks[0].at <= this.read) {
      const { id } = this.marks.shift();
      this.due.push({ id, frame: now + Math.round(this.latency * this.rate) });
    }
    while (this.due.length > 0 && this.due[0].frame <= now) {
      this.tell({ mark: this.due.shift().id, cleared: false });
    }
  }

  report(now, length) {
    this.nextReport -= length;
    if (this.nextReport <= 0) {
      const seconds = (this.written - this.read) / this.rate;
      this.tell({ level: this.peak, stats: { ...this.stats, seconds } });
      this.peak = 0;
      this.nextReport = this.rate / 20;
    }
  }
}

if (typeof AudioWorkletProcessor !== "undefined") {
  /* Port: {frame, level} out; {muted} in. */
  registerProcessor("capture", class extends AudioWorkletProcessor {
    constructor() {
      super();
      this.resampler = new Resampler(sampleRate, LINE_RATE);
      this.framer = new Framer();
      this.mix = new Float32Array(128);
      this.muted = false;
      this.port.onmessage = ({ data }) => {
        this.muted = data.muted;
      };
    }

    process(inputs, outputs) {
      const channels = inputs[0];
      const length = outputs[0][0].length;
      this.mix = withRoom(this.mix, length);
      const mix = this.mix.subarray(0, length);
      mix.fill(0);
      if (!this.muted) {
        for (const channel of channels) {
          for (let i = 0; i < length; i++) {
            mix[i] += channel[i] / channels.length;
          }
        }
      }
      this.framer.push(this.resampler.push(mix), (frame, level) => {
        this.port.postMessage({ frame: frame.buffer, level }, [frame.buffer]);
      });
      return true;
    }
  });

  /* Port: {audio}, {mark}, {clear}, {latency} in; what Player tells out. */
  registerProcessor("playback", class extends AudioWorkletProcessor {
    constructor() {
      super();
      this.player = new Player(sampleRate, (message) => this.port.postMessage(message));
      this.port.onmessage = ({ data }) => this.take(data);
    }

    take(data) {
      if (data.audio) {
        this.player.audio(new Int16Array(data.audio), currentFrame);
      } else if (data.mark !== undefined) {
        this.player.mark(data.mark);
      } else if (data.clear) {
        this.player.clear();
      } else if (data.latency !== undefined) {
        this.player.latency = data.latency;
      }
    }

    process(inputs, outputs) {
      this.player.fill(outputs[0][0], currentFrame);
      return true;
    }
  });
}
