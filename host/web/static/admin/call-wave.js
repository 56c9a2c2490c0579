/* SPDX-License-Identifier: ISC */
/* The sound of a call as a picture: the caller above the middle line, the agent below. */

/* The loudest of each pixel's part of some peaks: `width` numbers from 0 to 1. */
export function columnsOf(peaks, width) {
  const columns = new Float32Array(width);
  for (let x = 0; x < width; x++) {
    const from = Math.floor((x * peaks.length) / width);
    const to = Math.max(from + 1, Math.floor(((x + 1) * peaks.length) / width));
    for (let i = from; i < to && i < peaks.length; i++) {
      columns[x] = Math.max(columns[x], peaks[i]);
    }
  }
  return columns;
}

/* Quiet speech is to be seen as well: a square root, which ears do too. */
function height(level, half) {
  return Math.sqrt(Math.min(1, level)) * (half - 2);
}

/* The part of some peaks, so many a second, that lies between two moments. */
export function partOf(peaks, rate, { from_s, to_s }) {
  return peaks.slice(Math.floor(from_s * rate), Math.ceil(to_s * rate));
}

function drawChannel(context, columns, { half, isUpper, colour }) {
  context.fillStyle = colour;
  columns.forEach((level, x) => {
    const tall = height(level, half);
    context.fillRect(x, isUpper ? half - tall : half, 1, tall);
  });
}

function drawRegions(context, regions, { place, half, colours }) {
  for (const { who, from_s, to_s } of regions) {
    context.fillStyle = who === "caller" ? colours.callerSoft : colours.agentSoft;
    context.fillRect(place(from_s), who === "caller" ? 0 : half, place(to_s) - place(from_s), half);
  }
}

/* A line through all and a sign on it; of many only short lines, or nothing else is to be seen. */
function drawMarks(context, marks, { place, half, width, colours }) {
  const isCrowded = marks.length * 12 > width;
  context.fillStyle = colours.mark;
  for (const { at_s } of marks) {
    const x = place(at_s);
    context.fillRect(x - 0.75, 0, 1.5, isCrowded ? 6 : 2 * half);
    if (!isCrowded) {
      context.beginPath();
      context.moveTo(x - 5.5, 0);
      context.lineTo(x + 5.5, 0);
      context.lineTo(x, 8);
      context.fill();
    }
  }
}

/*
 * Draws what lies in `view` ({from_s, to_s}) onto a canvas of any size; `sound` is the server's
 * peaks, null without a recording.
 */
export function drawWave(canvas, { sound, spoken, view, colours }) {
  const ratio = globalThis.devicePixelRatio || 1;
  const width = Math.max(1, Math.floor(canvas.clientWidth));
  const half = Math.max(2, Math.floor(canvas.clientHeight)) / 2;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(2 * half * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const place = (seconds) => ((seconds - view.from_s) / (view.to_s - view.from_s)) * width;
  const seen = ({ from_s, to_s }) => to_s > view.from_s && from_s < view.to_s;
  drawRegions(context, spoken.regions.filter(seen), { place, half, colours });
  context.fillStyle = colours.line;
  context.fillRect(0, half - 0.5, width, 1);
  const covered = sound ? Math.round(Math.max(0, Math.min(width, place(sound.duration_s)))) : 0;
  (sound?.peaks ?? []).slice(0, 2).forEach((peaks, channel) => {
    drawChannel(context, columnsOf(partOf(peaks, sound.rate, view), covered),
      { half, isUpper: channel === 0, colour: channel === 0 ? colours.caller : colours.agent });
  });
  const marks = spoken.marks.filter(({ at_s }) => at_s >= view.from_s && at_s <= view.to_s);
  drawMarks(context, marks, { place, half, width, colours });
}

/* What is shown of a call: all of it, or the part of that length in which a moment lies. */
export function viewOf(duration_s, part_s, at_s) {
  if (!part_s || part_s >= duration_s) {
    return { from_s: 0, to_s: duration_s };
  }
  const from_s = Math.floor(Math.min(at_s, duration_s - 0.001) / part_s) * part_s;
  return { from_s, to_s: from_s + part_s };
}
