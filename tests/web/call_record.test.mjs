/* SPDX-License-Identifier: ISC */
/* What the call page makes of a call's record. */
import assert from "node:assert/strict";
import test from "node:test";

import { load } from "./load.mjs";

const { linesOf, regionsOf, lineAt, waterfallOf, scaleFor, costOf, timelineOf, percentile } =
  await load("admin/call-record.js");
const { endWords, eventWords, eventKind, unitWords, clockWords } =
  await load("admin/call-words.js");
const { reportOf } = await load("admin/call-report.js");

const at = (seconds) => new Date(Date.UTC(2026, 0, 5, 10) + seconds * 1000).toISOString();

const CALL = {
  call: {
    call_id: "c1", from: "+12015550123", to: "+12015550199", status: "completed", provider: "twilio",
    end_reason: "caller_hung_up", created_at: at(-5), answered_at: at(-1), ended_at: at(60),
    duration_s: 61, system_prompt: "Be brief, Ada.",
  },
  recordings: [{ started_at: at(0), duration_s: 60 }],
  messages: [
    { message_id: "m1", role: "assistant", turn: 0, content: "Hello. How are you?",
      heard: "Hello.", interrupted: true, at: at(0.2), detail: { began_at: at(0.5), ended_at: at(2) } },
    { message_id: "m2", role: "user", turn: 1, content: "My number is 1234", heard: null,
      at: at(4), detail: { began_at: at(1.8), ended_at: at(3.4) } },
    { message_id: "m3", role: "tool", turn: 1, content: "{}", at: at(4.2), name: "lookup" },
    { message_id: "m4", role: "assistant", turn: 1, content: "", heard: "", at: at(4.1),
      detail: { tool_calls: [{ id: "t", function: { name: "lookup", arguments: "{}" } }] } },
  ],
  turns: [
    { turn: 1, endpointing_ms: 500, stt_ms: 300, llm_ms: 200, tts_ms: 100, playout_ms: 50,
      response_ms: 850, stt_provider: "ear", llm_provider: "mind", tts_provider: "voice" },
    { turn: 2, endpointing_ms: 400, stt_ms: null, llm_ms: null, tts_ms: null, playout_ms: null,
      response_ms: null, interrupted: true, failovers: 1 },
  ],
  events: [{ type: "failover", at: at(5), detail: { role: "llm", from: "a", to: "b", category: "timeout" } },
    { type: "reprompt", at: at(9), detail: { text: "Are you there, Ada?" } }],
  cost: { items: [{ role: "llm", provider: "mind", cost: 0.02, units: { tokens_in: 1200 } },
    { role: "stt", provider: "ear", cost: null, units: { audio_in_us: 4200000 } }], total: 0.02 },
};

test("lines lie where the recording has them, and tell what was heard", () => {
  const lines = linesOf(CALL);
  assert.deepEqual(lines.map(({ who, from_s, text, unheard }) => [who, from_s, text, unheard]), [
    ["agent", 0.5, "Hello.", " How are you?"],
    ["caller", 1.8, "My number is 1234", ""],
    ["tool", 4.2, "{}", ""],
    ["agent", 4.1, "", ""],
  ]);
  assert.equal(lines[0].to_s, 2);
  assert.deepEqual(lines[3].tools, [{ name: "lookup", arguments: "{}" }]);
  assert.deepEqual(linesOf({ call: {} }), []);
});

test("regions are what was spoken, and marks where the agent was cut short", () => {
  assert.deepEqual(regionsOf(linesOf(CALL)), {
    regions: [{ who: "agent", turn: 0, from_s: 0.5, to_s: 2 },
      { who: "caller", turn: 1, from_s: 1.8, to_s: 3.4 }],
    marks: [{ turn: 0, at_s: 2 }],
  });
});

test("the line at a moment is the last that began to be heard", () => {
  const lines = linesOf(CALL);
  assert.deepEqual([0, 0.5, 1.7, 1.8, 4.15, 100].map((s) => lineAt(lines, s)), [-1, 0, 0, 1, 1, 1]);
  const silent = linesOf({ ...CALL, messages: CALL.messages.slice(2, 3) });
  assert.deepEqual([4, 5].map((s) => lineAt(silent, s)), [-1, 0]);
  assert.equal(lineAt([], 3), -1);
});

test("the stages of a turn follow each other and add up to its answer time", () => {
  const { rows, end_ms } = waterfallOf(CALL.turns);
  assert.deepEqual(rows[0].bars.map(({ key, from_ms, ms, provider }) => [key, from_ms, ms, provider]), [
    ["endpointing_ms", 0, 500, "ear"], ["llm_ms", 500, 200, "mind"],
    ["tts_ms", 700, 100, "voice"], ["playout_ms", 800, 50, ""]]);
  assert.equal(rows[0].end_ms, rows[0].response_ms);
  assert.deepEqual(rows[1].bars.map(({ key }) => key), ["endpointing_ms"]);
  assert.equal(rows[1].response_ms, null);
  assert.equal(end_ms, 1000);
  assert.deepEqual(waterfallOf([]).rows, []);
});

test("scales end at a round number beyond the longest", () => {
  assert.deepEqual(scaleFor(850), { end_ms: 1000, ticks: [0, 200, 400, 600, 800, 1000] });
  assert.deepEqual(scaleFor(1), { end_ms: 100, ticks: [0, 100] });
  assert.equal(scaleFor(1000).end_ms, 1000);
  for (const longest of [1, 99, 101, 777, 4999, 5001, 250000, 1e7]) {
    const { end_ms, ticks } = scaleFor(longest);
    assert.ok(end_ms >= longest && ticks.length <= 6 && ticks.at(-1) === end_ms, String(longest));
  }
});

test("cost is told by component and by minute, and not where no prices are", () => {
  const { items, total, perMinute } = costOf(CALL);
  assert.equal(total, 0.02);
  assert.ok(Math.abs(perMinute - 0.02 * 60 / 61) < 1e-9);
  assert.deepEqual(items.map(({ cost, share }) => [cost, share]), [[0.02, 1], [null, 0]]);
  const free = costOf({ call: { duration_s: 0 }, cost: { items: [{ cost: null }], total: 0 } });
  assert.deepEqual([free.total, free.perMinute], [null, null]);
  assert.deepEqual(costOf({ call: {} }).items, []);
});

test("of a second recording the times count from its beginning", () => {
  const detail = { ...CALL, recordings: [...CALL.recordings, { started_at: at(3) }] };
  assert.deepEqual(linesOf(detail, 1).map(({ from_s }) => Math.round(from_s * 10)), [-25, -12, 12, 11]);
  assert.equal(clockWords(-2.5), "before");
});

test("the timeline is in order and holds the call's own moments", () => {
  assert.deepEqual(timelineOf(CALL).map(({ type, at_s }) => [type, at_s]), [["created", -5],
    ["answered", -1], ["failover", 5], ["reprompt", 9], ["ended", 60]]);
});

test("percentiles are of the numbers there are", () => {
  assert.equal(percentile([3, 1, 2, null, NaN], 0.5), 2);
  assert.equal(percentile([1, 2, 3, 4], 0.95), 4);
  assert.equal(percentile([], 0.5), null);
});

test("why it ended is said in words, also of reasons to come", () => {
  assert.equal(endWords(CALL.call), "The caller hung up.");
  assert.equal(endWords({ status: "no_answer", end_reason: "carrier" }), "Nobody answered.");
  assert.equal(endWords({ status: "failed", end_reason: "<b>new</b>" }), "Reason: <b>new</b>.");
  assert.equal(endWords({ status: "in_progress" }), "The call is going on.");
});

test("events are sentences, whatever they lack", () => {
  assert.equal(eventWords(CALL.events[0]), "b took over from a (language model): it took too long.");
  assert.equal(eventWords({ type: "failover", detail: { role: "tts", from: "a", to: "" } }),
    "a failed and nothing was left to take over (voice).");
  assert.equal(eventWords({ type: "brand_new", detail: null }), "brand new");
  assert.equal(eventWords({ type: "sound_lost",
    detail: { unheard_blocks: 2, unsaid_ms: 30, lost_marks: 0 } }),
  "Sound was lost: 2 pieces of the caller's were not recognised, 30 ms of the agent's were not played.");
  assert.equal(eventKind({ type: "tool", detail: { ok: false } }), "bad");
  assert.equal(eventKind({ type: "tool", detail: { ok: true } }), "plain");
});

test("amounts have units", () => {
  assert.equal(unitWords({ tokens_in: 1200, audio_in_us: 4200000 }), "1,200 tokens in, 4.2 s heard");
  assert.deepEqual([0, 9.9, 75, 3671].map(clockWords), ["0:00", "0:09", "1:15", "1:01:11"]);
});

test("a report holds no words and no numbers of people", () => {
  const text = JSON.stringify(reportOf(CALL, "1.2"));
  for (const secret of ["Ada", "1234", "12015550123", "Hello", "Are you there"]) {
    assert.ok(!text.includes(secret), secret);
  }
  const report = JSON.parse(text);
  assert.equal(report.version, "1.2");
  assert.equal(report.messages[1].content, "[4 words, 17 characters]");
  assert.equal(report.turns[0].llm_ms, 200);
  assert.equal(report.events[0].detail.from, "a");
  assert.equal(report.call.end_reason, "caller_hung_up");
});

test("a picture's column is as loud as the loudest of its part", async () => {
  const { columnsOf } = await load("admin/call-wave.js");
  assert.deepEqual([...columnsOf([0, 0.5, 1, 0.25], 2)], [0.5, 1]);
  assert.deepEqual([...columnsOf([0.5, 1], 4)], [0.5, 0.5, 1, 1]);
  assert.deepEqual([...columnsOf([], 2)], [0, 0]);
  const loudest = columnsOf(Array.from({ length: 36000 }, (_, i) => (i === 20000 ? 1 : 0)), 700);
  assert.equal(loudest.filter((level) => level === 1).length, 1);
});

test("a long call is looked at in parts, a short one whole", async () => {
  const { viewOf, partOf } = await load("admin/call-wave.js");
  assert.deepEqual(viewOf(600, 0, 500), { from_s: 0, to_s: 600 });
  assert.deepEqual(viewOf(600, 60, 61), { from_s: 60, to_s: 120 });
  assert.deepEqual(viewOf(600, 60, 600), { from_s: 540, to_s: 600 });
  assert.deepEqual(viewOf(30, 60, 10), { from_s: 0, to_s: 30 });
  assert.deepEqual(partOf([1, 2, 3, 4], 2, { from_s: 0.5, to_s: 1.5 }), [2, 3]);
});

test("a recording is paused when the last event about it says so", async () => {
  const { isPaused } = await load("admin/call-record.js");
  const events = [{ type: "recording_paused" }, { type: "tool" }];
  assert.equal(isPaused({ events }), true);
  assert.equal(isPaused({ events: [...events, { type: "recording_resumed" }] }), false);
  assert.equal(isPaused({}), false);
});
