# SPDX-License-Identifier: ISC
"""
Every vendor fails in every way, before it is needed and while it is at work: no call is lost,
nobody hears nothing for long, and what was said is written down right. What callers notice is a
table, and docs/failover.md has it.

A provider and an agent for each case, and many calls at the same time. The caller says the same
sentence twice, so that a call has to go on after the failure. What was heard is measured in the
recording.
"""
import array
import itertools
import pathlib
import re
import wave

import pytest

import program
from test_speech_vendors import dial, ended, failovers, mulaw, quiet, recording, spoken

KEYS = {"DEEPGRAM_API_KEY": "dg-good0123456789", "ELEVENLABS_API_KEY": "xi-good0123456789",
        "GROQ_API_KEY": "gsk_good0123456789", "OPENAI_API_KEY": "sk-good0123456789"}
GREETING = "Hello, this is an automated assistant."
WISH = "I would like to change my appointment"
BEGIN, END = "Sure, we can find another day for that.", "Which day of the week suits you?"
FILLERS = ("One moment, please.", "Just a second.")
MOST_SILENCE_S = 3.0
FRAME = 160  # 20 ms
LOUD = 300
LEAST_ANSWER = 45  # frames: any voice needs longer for the shortest answer

# Before: the connection or request that a turn needs. In the middle: when it has begun to serve.
# A vendor that is refused in the middle was there until then, and is not there any more.
FAILURES = {
    "refused": ([{"kind": "refuse"}], [{"kind": "reset"}, {"kind": "refuse"}]),
    "401": ([{"kind": "status", "status": 401}],
            [{"kind": "reset"}, {"kind": "status", "status": 401}]),
    "429": ([{"kind": "status", "status": 429}],
            [{"kind": "reset"}, {"kind": "status", "status": 429}]),
    "500": ([{"kind": "status", "status": 500}],
            [{"kind": "reset"}, {"kind": "status", "status": 500}]),
    "hang": ([{"kind": "hang"}], [{"kind": "hang"}]),
    "half-open": ([{"kind": "half_open"}], [{"kind": "half_open"}]),
    "garbage": ([{"kind": "garbage"}], [{"kind": "garbage"}]),
    "close": ([{"kind": "close", "at": "middle"}], [{"kind": "close"}]),
    "slow": ([{"kind": "slow", "delay_ms": 1000}], [{"kind": "slow", "delay_ms": 200}]),
}
ROLES = {"deepgram": ("stt", "listen", "dg-"), "groq": ("llm", "chat", "gsk_"),
         "elevenlabs": ("tts", "multi-stream-input", "xi-")}
# Messages that come before a vendor is in the middle of its work.
AFTER = {"deepgram": 2, "groq": 5, "elevenlabs": 3}
CASES = list(itertools.product(ROLES, FAILURES, ("before", "middle")))


def key_of(case):
    return ROLES[case[0]][2] + "-".join(case)


def name_of(case):
    return "_".join(case).replace("-", "_")


def break_it(vendors, case):
    """Asks for the faults of a case; they strike the one provider that has its key."""
    vendor, failure, when = case
    faults = FAILURES[failure][when == "middle"]
    for number, fault in enumerate(faults):
        fault = dict(fault)
        kind = fault.pop("kind")
        if kind == "close":
            # An answer over HTTP has no goodbye: it just ends.
            kind = "eof" if vendor == "groq" else kind
        at = fault.pop("at", when if number == 0 else "before")
        vendors.fault(vendor, ROLES[vendor][1], kind, at=at, skip=number, times=None,
                      key=key_of(case),
                      after=AFTER[vendor] if at == when == "middle" else 0, **fault)


def providers(vendors, cases):
    def of(plugin, key, **more):
        return {"plugin": f"{plugin}.so", "api_key": key, "url": vendors.url(plugin), **more}
    return {
        "callers": {"plugin": "wav.so", "after_end": "1s", "wait_for_agent": False},
        "spare_ear": of("deepgram", "env:DEEPGRAM_API_KEY", model="flux-general-en"),
        "model": of("groq", "env:GROQ_API_KEY"),
        "spare_model": of("openai", "env:OPENAI_API_KEY", model="gpt-4.1-mini"),
        **{name_of(case): of(case[0], key_of(case)) for case in cases}}


def agents(cases):
    first = {"stt": ["spare_ear"], "llm": ["model"], "tts": ["flite"]}
    then = {"stt": "spare_ear", "llm": "spare_model", "tts": "flite"}
    # Sentences that nobody gets to hear need not be spoken ahead.
    common = {"telephony": ["callers"], "greeting": GREETING, "filler": list(FILLERS),
              "reprompt": ["Hello?"], "unclear": ["Pardon?"], "record": True, **first}
    found = {"default": common}
    for case in cases:
        role = ROLES[case[0]][0]
        found[name_of(case)] = {**common, role: [name_of(case), then[role]]}
    return found


SENTENCE = mulaw(6.24, 9.06)
QUIET = b"\xff" * 8000


@pytest.fixture
def caller(tmp_path):
    """Waits for the greeting, and says the same twice, with time for an answer."""
    return recording(tmp_path / "caller.wav",
                     QUIET * 3 + SENTENCE + QUIET * 9 + SENTENCE + QUIET * 9)


def sounds(channel):
    """Stretches of sound, in frames: [(first, last)], with at most 0.6 s of silence within."""
    loud = [at // FRAME for at in range(0, len(channel) - FRAME, FRAME)
            if max(map(abs, channel[at:at + FRAME:4])) > LOUD]
    found = []
    for frame in loud:
        if found and frame - found[-1][1] < 30:
            found[-1][1] = frame
        else:
            found.append([frame, frame])
    return found


def the_recording(state, call):
    """The one file; it is called by its call and itself."""
    (file,) = pathlib.Path(state, "recordings").glob(f"{call}-*.wav")
    return file


def longest_silence_s(file):
    """
    How long a caller who had finished heard nothing, until the end of the answer; for ever where
    there was none, or not all of it.
    """
    with wave.open(str(file)) as sound:
        both = array.array("h", sound.readframes(sound.getnframes()))
    spoken_to = [each for each in sounds(both[0::2]) if each[1] - each[0] > 20]
    answers = sounds(both[1::2])
    ends = [last for number, (_, last) in enumerate(spoken_to)
            if number + 1 == len(spoken_to) or spoken_to[number + 1][0] - last > 150]
    longest = 0
    for number, end in enumerate(ends):
        until = ends[number + 1] - len(SENTENCE) // FRAME if number + 1 < len(ends) else 10**9
        heard = [each for each in answers if end < each[1] and each[0] < until]
        if not heard:
            return float("inf")
        if sum(last - first for first, last in heard) < LEAST_ANSWER:
            return float("inf")
        starts = [each[0] for each in heard]
        stops = [end] + [each[1] for each in heard[:-1]]
        longest = max([longest] + [start - stop for start, stop in zip(starts, stops)])
    return longest / 50 if len(ends) == 2 else float("inf")


def assert_answer(message, case):
    """All of the answer was said and heard once, but what a model had said before it broke."""
    words = message["content"]
    assert message["heard"] == words, (case, message)
    for filler in FILLERS:
        words = words.replace(filler, "").strip()
    if words != f"{BEGIN} {END}":
        assert words.endswith(END), (case, message)
        said = words.removesuffix(END).strip()
        assert BEGIN.startswith(said), (case, message)


def outcome(shown, case):
    """What a caller could notice."""
    said = " ".join(message["content"] for message in shown["messages"]
                    if message["role"] == "assistant")
    switched = [each for each in failovers(shown) if each["role"] == ROLES[case[0]][0]]
    word = "next" if switched else "stays"
    return word + (", filler" if any(filler in said for filler in FILLERS) else "")


def assert_good(shown, case):
    assert shown["call"]["status"] == "completed", (case, shown["call"])
    assert spoken(shown, "user") == [WISH, WISH], (case, shown["messages"])
    answers = [each for each in shown["messages"] if each["role"] == "assistant"]
    assert len(answers) == 3 and answers[0]["content"] == GREETING, (case, answers)
    for answer in answers[1:]:
        assert_answer(answer, case)


def documented():
    """The table of docs/failover.md: {(vendor, failure): (before, middle)}."""
    text = (program.ROOT / "docs/failover.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| `([\w-]+)` \| ([\w, ]+) \| ([\w, ]+) \|", text, re.M)
    return {(vendor, failure): (before, middle) for vendor, failure, before, middle in rows}


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("chosen", [("deepgram", "groq"), ("elevenlabs",)], ids="-".join)
def test_whatever_fails_the_call_goes_on(serve, vendors, aicaller, caller, output, chosen):
    cases = [case for case in CASES if case[0] in chosen]
    vendors.set("deepgram", script=[WISH])
    vendors.set("elevenlabs", ms_per_char=40)
    vendors.set("groq", rules=[{"say": f"{BEGIN} {END}"}])
    vendors.set("openai", rules=[{"say": END}])
    server = serve({"providers": providers(vendors, cases), "agents": agents(cases)}, **KEYS)
    if "elevenlabs" in chosen:
        quiet(vendors, "elevenlabs")
    for case in cases:
        break_it(vendors, case)
    calls = {case: dial(server, aicaller, caller, name_of(case)) for case in cases}
    state = re.search(r'state_dir = "([^"]+)"', server.command[3].read_text())[1]
    stored = {case: ended(server, call, 90) for case, call in calls.items()}
    silences = {case: longest_silence_s(the_recording(state, call))
                for case, call in calls.items()}
    found = {case: outcome(stored[case], case) for case in cases}
    lines = [f"{' '.join(case):30} {silences[case]:4.2f} s  {found[case]}" for case in cases]
    (output / "matrix.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    for case in cases:
        assert_good(stored[case], case)
    assert max(silences.values()) <= MOST_SILENCE_S, silences
    told = documented()
    assert found == {case: told[case[:2]][case[2] == "middle"] for case in cases}
    assert len(told) == len(ROLES) * len(FAILURES)
    assert vendors.violations() == []
