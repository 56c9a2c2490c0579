/* SPDX-License-Identifier: ISC */
/* What the pages show of a conversation, without a browser. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import vm from "node:vm";

const source = readFileSync(new URL("../../host/web/static/transcript.js", import.meta.url), "utf8")
  .replace(/^import .*$/m, "").replace(/^export /gm, "");
const { splitHeard, stagesOf, formatMs } =
  vm.runInThisContext(`(() => {${source}; return { splitHeard, stagesOf, formatMs }; })()`);

test("what was heard is the beginning of what was generated", () => {
  assert.deepEqual(splitHeard("Good morning. How are you?", "Good morning."),
    ["Good morning.", " How are you?"]);
  assert.deepEqual(splitHeard("Good morning.", ""), ["", "Good morning."]);
  assert.deepEqual(splitHeard("Good morning.", "Good morning."), ["Good morning.", ""]);
});

test("spaces may differ, words may not", () => {
  assert.deepEqual(splitHeard("Good  morning.\nHow are you?", "Good morning. How"),
    ["Good  morning.\nHow", " are you?"]);
  assert.deepEqual(splitHeard("Good morning.", "Good evening."), ["Good", " morning."]);
  assert.deepEqual(splitHeard("Good", "Good morning"), ["Good", ""]);
});

test("letters outside the basic plane stay whole", () => {
  assert.deepEqual(splitHeard("𝒜 नमस्ते 👍🏽 ok", "𝒜 नमस्ते"), ["𝒜 नमस्ते", " 👍🏽 ok"]);
});

test("only stages that were measured are shown, with their provider", () => {
  const stages = stagesOf(
    { endpointing_ms: 500, stt_ms: 480, llm_ms: -1, tts_ms: 61.4 },
    { stt: "sphinx", tts: "flite" });
  assert.deepEqual(stages.map(({ name, ms, provider }) => [name, ms, provider]),
    [["end of speech", 500, "sphinx"], ["voice", 61.4, "flite"]]);
  assert.deepEqual(stagesOf(undefined, undefined), []);
});

test("times are short to read", () => {
  assert.equal(formatMs(61.4), "61 ms");
  assert.equal(formatMs(999), "999 ms");
  assert.equal(formatMs(1234), "1.23 s");
});
