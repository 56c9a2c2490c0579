# SPDX-License-Identifier: ISC
"""
Deepgram and ElevenLabs as a caller meets them: a real server with a scripted dialogue, called by a
recorded voice, against the vendors' simulators, which fail in every way they know.
"""
import time

import pytest

import program

DEEPGRAM_KEY, ELEVEN_KEY = "dg-secret0123456789", "xi-secret0123456789"
KEYS = {"DEEPGRAM_API_KEY": DEEPGRAM_KEY, "ELEVENLABS_API_KEY": ELEVEN_KEY}
GREETING = "Hello, this is an automated assistant."
WISH = "I would like to change my appointment"
ANSWER = "Sure. Which day suits you?"


@pytest.fixture(autouse=True)
def obedient(vendors):
    """Good keys, a quick voice; afterwards: nobody did what the documentation forbids."""
    vendors.set("deepgram", keys=[DEEPGRAM_KEY], script=[WISH, "goodbye"])
    vendors.set("elevenlabs", keys=[ELEVEN_KEY], ms_per_char=20)
    yield
    assert vendors.violations() == []


def deepgram(vendors, **more):
    return {"plugin": "deepgram.so", "api_key": "env:DEEPGRAM_API_KEY",
            "url": vendors.url("deepgram"), **more}


def elevenlabs(vendors, **more):
    return {"plugin": "elevenlabs.so", "api_key": "env:ELEVENLABS_API_KEY",
            "url": vendors.url("elevenlabs"), **more}


def agent(**more):
    return {"telephony": ["callers"], "stt": ["ear", "spare"], "llm": ["reception"],
            "tts": ["mouth", "flite"], "greeting": GREETING, **more}


def start(serve, vendors, providers=None, agents=None):
    return serve({"providers": {
        "ear": deepgram(vendors), "spare": deepgram(vendors, model="flux-general-en"),
        "mouth": elevenlabs(vendors),
        "reception": {"plugin": "script.so", "script": "data:scripts/appointment.conf"},
        "callers": {"plugin": "wav.so", "after_end": "4s"}, **(providers or {})},
        "agents": agents or {"default": agent()}}, **KEYS)


def mulaw(start_s, end_s):
    """A piece of the recorded caller; the file is mu-law, 8000 bytes a second."""
    file = (program.ROOT / "tests/data/caller_rms.wav").read_bytes()
    at = file.index(b"data") + 8
    return file[at + int(start_s * 8000):at + int(end_s * 8000)]


def recording(path, sound):
    head = (b"RIFF" + (36 + len(sound)).to_bytes(4, "little") + b"WAVEfmt \x10\0\0\0\7\0\1\0"
            + (8000).to_bytes(4, "little") * 2 + b"\1\0\x08\0data"
            + len(sound).to_bytes(4, "little"))
    path.write_bytes(head + sound)
    return path


WISHES = mulaw(0, 2.5) + mulaw(6.24, 9.06) + mulaw(9.3, 12.6)


@pytest.fixture
def caller(tmp_path):
    """Waits for the greeting, says a sentence, hears the answer, says goodbye."""
    return recording(tmp_path / "caller.wav",
                     WISHES + mulaw(9.3, 11) + mulaw(12.86, 14.15) + mulaw(14.4, 17.4))


@pytest.fixture
def wisher(tmp_path):
    """Says one sentence and listens."""
    return recording(tmp_path / "wisher.wav", WISHES)


def dial(server, aicaller, caller, name="default"):
    made = aicaller("call", f"wav:{caller}", "--agent", name, "-c", server.command[3], **KEYS)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def ended(server, call, seconds=60):
    """What is stored of a call when it is over."""
    def find():
        answer = server.get(f"/calls/call-detail/{call}/")
        return answer.json if answer.status == 200 and answer.json["call"]["ended_at"] else None
    return program.eventually(find, f"the end of call {call}", seconds)


def spoken(shown, role):
    return [message["content"] for message in shown["messages"] if message["role"] == role]


def failovers(shown):
    return [event["detail"] for event in shown["events"] if event["type"] == "failover"]


def used(shown, role):
    return {item["provider"]: item["units"] for item in shown["cost"]["items"]
            if item["role"] == role}


def assert_nothing_leaked(server):
    for secret in (DEEPGRAM_KEY, ELEVEN_KEY, "appointment please", "change my appointment"):
        assert secret not in server.log


def quiet(vendors, vendor, seconds=2):
    """Returns when a vendor has not been asked for a while: sentences spoken ahead are done."""
    seen = [0, time.monotonic()]

    def has_been_quiet():
        count = len(vendors.received(vendor))
        if count != seen[0]:
            seen[:] = [count, time.monotonic()]
        return count > 0 and time.monotonic() - seen[1] > seconds
    program.eventually(has_been_quiet, f"{vendor} is left alone", 60)


@pytest.mark.slow
@pytest.mark.parametrize("model, path", [("nova-3", "listen"), ("flux-general-en", "flux")])
@pytest.mark.parametrize("transport", ["websocket", "http"])
def test_a_whole_call(serve, vendors, aicaller, caller, model, path, transport):
    server = start(serve, vendors, {"ear": deepgram(vendors, model=model),
                                    "mouth": elevenlabs(vendors, transport=transport)})
    quiet(vendors, "elevenlabs")
    before = len(vendors.received("elevenlabs"))
    shown = ended(server, dial(server, aicaller, caller))
    assert shown["call"]["status"] == "completed", shown
    assert spoken(shown, "user") == [WISH, "goodbye"]
    answers = [message for message in shown["messages"] if message["role"] == "assistant"]
    assert [answer["content"] for answer in answers][:2] == [GREETING, ANSWER]
    assert [answer["heard"] for answer in answers] == [answer["content"] for answer in answers]
    assert not failovers(shown)
    # Sound goes out as it came in, and comes in the form that goes to the caller.
    heard = vendors.received("deepgram", path)
    assert len(heard) == 1
    sound = vendors.sound(heard[0]["id"])
    assert len(sound) > 80000 and caller.read_bytes().endswith(mulaw(14.4, 17.4))
    assert caller.read_bytes()[44:].startswith(sound[:80000])
    said = [frame["data"] for frame in vendors.frames(heard[0]["id"])
            if frame["from"] == "client" and frame["type"] == "text"]
    assert said[-1] == {"type": "CloseStream"}, said
    asked = vendors.received("elevenlabs")[before:]
    assert asked and all(["output_format", "ulaw_8000"] in entry["query"] for entry in asked)
    ear, mouth = used(shown, "stt")["ear"], used(shown, "tts")["mouth"]
    assert ear["connection_us"] > 8000000 and ear["audio_in_us"] > 8000000
    assert mouth["chars_in"] >= len(ANSWER)
    assert ("credits" in mouth) == (transport == "http")
    assert_nothing_leaked(server)


@pytest.mark.slow
def test_deepgram_hears_and_speaks(serve, vendors, aicaller, caller):
    vendors.set("deepgram", ms_per_char=20)
    server = start(serve, vendors, agents={"default": agent(tts=["ear"])})
    shown = ended(server, dial(server, aicaller, caller))
    assert spoken(shown, "user") == [WISH, "goodbye"]
    answers = [message for message in shown["messages"] if message["role"] == "assistant"]
    assert [answer["content"] for answer in answers][:2] == [GREETING, ANSWER]
    assert [answer["heard"] for answer in answers] == [answer["content"] for answer in answers]
    assert not failovers(shown)
    asked = vendors.received("deepgram", "speak")
    assert asked and all(["container", "none"] in entry["query"] for entry in asked)
    assert used(shown, "tts")["ear"]["chars_billed"] >= len(ANSWER)
    assert_nothing_leaked(server)


HEARING_FAULTS = [
    ("refuse", {}), ("status", {"status": 401}), ("status", {"status": 402}),
    ("status", {"status": 429}), ("status", {"status": 500}), ("hang", {}), ("half_open", {}),
    ("garbage", {}), ("slow", {"delay_ms": 1500}),
    ("close", {"at": "middle", "code": 1011, "reason": "NET-0000"}), ("reset", {"at": "middle"}),
    ("garbage", {"at": "middle"}), ("bad_json", {"at": "middle", "variant": "cut"}),
    ("hang", {"at": "middle"}), ("half_open", {"at": "middle"}),
    ("fragmented", {"at": "middle"}), ("unknown_message", {"at": "middle"})]
SPEAKING_FAULTS = [
    ("refuse", {}), ("status", {"status": 401}), ("status", {"status": 402}),
    ("status", {"status": 404}), ("status", {"status": 429}), ("status", {"status": 500}),
    ("hang", {}), ("half_open", {}), ("garbage", {}), ("slow", {"delay_ms": 1000}),
    ("close", {"at": "middle", "code": 1008, "reason": "This request exceeds your quota"}),
    ("reset", {"at": "middle"}), ("garbage", {"at": "middle"}),
    ("bad_json", {"at": "middle", "variant": "text"}), ("hang", {"at": "middle"}),
    ("error", {"at": "middle"}), ("fragmented", {"at": "middle"}), ("final_missing", {})]


# What a good client puts up with; anything else costs the vendor this call.
HARMLESS = ("slow", "fragmented", "unknown_message", "final_missing")


REQUEST_FAULTS = [
    ("refuse", {}), ("status", {"status": 401}), ("status", {"status": 402}),
    ("status", {"status": 429}), ("status", {"status": 500}), ("html", {}), ("empty", {}),
    ("garbage", {}), ("truncated", {}), ("hang", {}), ("half_open", {}),
    ("slow", {"delay_ms": 500}),
    ("reset", {"at": "middle", "after": 2}), ("eof", {"at": "middle", "after": 2}),
    ("hang", {"at": "middle", "after": 2})]


def calls_with_faults(vendors, endpoint, faults, call):
    """call(number) for each fault, all at the same time; the next begins when one has struck."""
    vendor = {"listen": "deepgram", "multi-stream-input": "elevenlabs"}[endpoint]
    calls = []
    for number, (kind, more) in enumerate(faults):
        fault = vendors.fault(vendor, endpoint, kind, **more)
        calls.append(call(number))

        def has_struck(fault=fault):
            wanted = {each["id"]: each for each in vendors.ask("GET", "/faults")}
            return fault not in wanted or wanted[fault]["used"] > 0
        program.eventually(has_struck, f"{kind} {more}", 20)
    return calls


@pytest.mark.slow
def test_the_caller_is_understood_whatever_the_recogniser_does(serve, vendors, aicaller, wisher):
    vendors.set("deepgram", script=[WISH])
    many = range(len(HEARING_FAULTS))
    server = start(serve, vendors, {f"ear{number}": deepgram(vendors) for number in many},
                   {"default": agent(tts=["flite"]),
                    **{f"a{number}": agent(stt=[f"ear{number}", "spare"], tts=["flite"])
                       for number in many}})
    calls = calls_with_faults(vendors, "listen", HEARING_FAULTS,
                              lambda number: dial(server, aicaller, wisher, f"a{number}"))
    for fault, call in zip(HEARING_FAULTS, calls):
        shown = ended(server, call)
        assert spoken(shown, "user") == [WISH], (fault, shown)
        assert spoken(shown, "assistant")[:2] == [GREETING, ANSWER], (fault, shown)
        # One that falls silent after its last word may not even be missed.
        if fault[0] not in ("hang", "half_open") or not fault[1]:
            assert bool(failovers(shown)) == (fault[0] not in HARMLESS), (fault, shown["events"])
        assert shown["call"]["status"] == "completed", (fault, shown)
    assert_nothing_leaked(server)


@pytest.mark.slow
def test_the_caller_is_answered_whatever_the_voice_does(serve, vendors, aicaller, wisher):
    vendors.set("deepgram", script=[WISH])
    many = range(len(SPEAKING_FAULTS))
    server = start(serve, vendors, {f"mouth{number}": elevenlabs(vendors) for number in many},
                   {"default": agent(tts=["flite"]),
                    **{f"a{number}": agent(tts=[f"mouth{number}", "flite"]) for number in many}})
    quiet(vendors, "elevenlabs")
    calls = calls_with_faults(vendors, "multi-stream-input", SPEAKING_FAULTS,
                              lambda number: dial(server, aicaller, wisher, f"a{number}"))
    for fault, call in zip(SPEAKING_FAULTS, calls):
        shown = ended(server, call)
        assert spoken(shown, "user") == [WISH], (fault, shown)
        answers = [message for message in shown["messages"] if message["role"] == "assistant"]
        assert [answer["heard"] for answer in answers][:2] == [GREETING, ANSWER], (fault, shown)
        if fault[1].get("at") == "middle":
            assert bool(failovers(shown)) == (fault[0] not in HARMLESS), (fault, shown["events"])
        assert shown["call"]["status"] == "completed", (fault, shown)
    assert_nothing_leaked(server)


@pytest.mark.slow
def test_the_caller_is_answered_whatever_requests_come_to(serve, vendors, aicaller, wisher):
    """One request and one fault for each call; which of them meet does not matter."""
    vendors.set("deepgram", script=[WISH])
    vendors.set("elevenlabs", piece_ms=40)
    many = range(len(REQUEST_FAULTS))
    server = start(serve, vendors,
                   {f"mouth{number}": elevenlabs(vendors, transport="http") for number in many},
                   {"default": agent(tts=["flite"]),
                    **{f"a{number}": agent(tts=[f"mouth{number}", "flite"]) for number in many}})
    quiet(vendors, "elevenlabs")
    for number, (kind, more) in enumerate(REQUEST_FAULTS):
        vendors.fault("elevenlabs", "stream", kind, skip=number, **more)
    calls = [dial(server, aicaller, wisher, f"a{number}") for number in many]
    shown = [ended(server, call) for call in calls]
    assert not [each for each in vendors.ask("GET", "/faults") if each["used"] == 0]
    for each in shown:
        answers = [message for message in each["messages"] if message["role"] == "assistant"]
        assert [answer["heard"] for answer in answers][:2] == [GREETING, ANSWER], each
        assert each["call"]["status"] == "completed", each
    # All but the slow one; a call that asks twice may meet two.
    failed = sum(bool(failovers(each)) for each in shown)
    assert len(REQUEST_FAULTS) // 2 < failed < len(REQUEST_FAULTS)
    assert_nothing_leaked(server)
