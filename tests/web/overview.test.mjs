/* SPDX-License-Identifier: ISC */
/* What the overview makes of the server's statistics. */
import assert from "node:assert/strict";
import test from "node:test";

import { load } from "./load.mjs";

const { bucketsOf, failoversOf, providersOf, rangeOf, slicesOf, stagesOf, timeOf, totalsOf } =
  await load("admin/overview-data.js");
const NOW_MS = Date.UTC(2026, 1, 28, 13, 45, 10);

test("a period begins at a whole hour or day and ends after now", () => {
  const day = rangeOf("24h", NOW_MS);
  assert.equal(timeOf(day.since_s), "2026-02-27T14:00:00.000Z");
  assert.equal(timeOf(day.until_s), "2026-02-28T14:00:00.000Z");
  assert.equal(timeOf(rangeOf("30d", NOW_MS).since_s), "2026-01-30T00:00:00.000Z");
  assert.equal(rangeOf("constructor", NOW_MS).by, "hour");
});

test("hours without calls are hours with no calls", () => {
  const range = rangeOf("24h", NOW_MS);
  const rows = bucketsOf([{ at: "2026-02-28T13:00:00.000Z", calls: 3, answered: 2, cost: null }], range);
  assert.equal(rows.length, 24);
  assert.deepEqual([rows[23].calls, rows[23].cost, rows[0].calls], [3, 0, 0]);
});

test("totals divide only by what there is", () => {
  const totals = totalsOf([{ calls: 3, answered: 2, duration_s: 90, cost: null, failed: 1 },
    { calls: 1, answered: 1, duration_s: 30, cost: null, failed: 0 }]);
  assert.deepEqual([totals.answerRate, totals.meanDuration_s, totals.failRate, totals.cost],
    [0.75, 40, 0.25, null]);
  const none = totalsOf([]);
  assert.deepEqual([none.calls, none.answerRate, none.meanDuration_s, none.cost], [0, null, null, null]);
  assert.equal(totalsOf([{ calls: 1, cost: 0.5 }, { calls: 1, cost: null }]).cost, 0.5);
});

test("slices cover the period without a gap", () => {
  const range = rangeOf("30d", NOW_MS);
  const slices = slicesOf(range);
  assert.equal(slices[0].since_s, range.since_s);
  assert.equal(slices.at(-1).until_s, range.until_s);
  slices.slice(1).forEach(({ since_s }, i) => assert.equal(since_s, slices[i].until_s));
});

test("stages that nothing was measured of are left out", () => {
  assert.deepEqual(stagesOf([{ stage: "response_ms", count: 2, p50: 9 }, { stage: "llm_ms", count: 0 }])
    .map(({ stage, p50 }) => [stage, p50]), [["response_ms", 9]]);
});

test("what is broken comes first", () => {
  const health = { providers: { b: { state: "ok" }, a: { state: "ok" },
    c: { state: "half_open" }, d: { state: "open" } } };
  const usage = [{ provider: "a", role: "stt", rows: 2, cost: 0.5 },
    { provider: "a", role: "tts", rows: 3, cost: null }];
  const providers = providersOf(health, usage);
  assert.deepEqual(providers.map(({ name }) => name), ["d", "c", "a", "b"]);
  assert.deepEqual([providers[2].uses, providers[2].cost, providers[3].cost], [5, 0.5, null]);
  assert.deepEqual(providersOf({}, []), []);
});

test("who failed most comes first, and the rest together", () => {
  const range = rangeOf("7d", NOW_MS);
  const at = (day) => timeOf(range.since_s + day * 86400);
  const rows = ["a", "b", "c", "d"].map((provider, i) =>
    ({ at: at(i), provider, role: "llm", failovers: i + 1 }));
  rows.push({ at: at(3), provider: "d", role: "stt", failovers: 1 });
  rows.push({ at: at(-1), provider: "d", role: "stt", failovers: 9 });
  const series = failoversOf(rows, range, 2);
  assert.deepEqual(series.map(({ label, total }) => [label, total]), [["d", 5], ["c", 3], ["", 3]]);
  assert.deepEqual(series[0].values, [0, 0, 0, 5, 0, 0, 0]);
  assert.deepEqual(series[2].values, [1, 2, 0, 0, 0, 0, 0]);
  assert.deepEqual(failoversOf([], range), []);
});
