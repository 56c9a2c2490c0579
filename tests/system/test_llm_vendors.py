# SPDX-License-Identifier: ISC
"""
Groq, OpenAI and servers that speak their protocol, as a user meets them: a real server, talked to
by text and by telephone, against the vendors' simulators, which fail in every way they know.
"""
import base64
import json
import pathlib
import sys

import pytest

import program

sys.path.insert(0, str(program.ROOT / "tests/fakes"))

from vendors.client import Simulators  # noqa: E402

GROQ_KEY, OPENAI_KEY = "gsk_secret0123456789", "sk-secret0123456789"
KEYS = {"GROQ_API_KEY": GROQ_KEY, "OPENAI_API_KEY": OPENAI_KEY}
GREETING = "Hello, this is an automated assistant."
# What a caller, a recogniser and a model say is no business of a log.
SECRETS = ["marzipan", "nougat"]


@pytest.fixture(scope="module")
def simulators(tmp_path_factory):
    with Simulators(tmp_path_factory.mktemp("vendors")) as running:
        yield running


@pytest.fixture
def vendors(simulators):
    """Fresh simulators; afterwards: nobody did what the vendors' documentation forbids."""
    simulators.reset()
    simulators.set("groq", keys=[GROQ_KEY])
    simulators.set("openai", keys=[OPENAI_KEY], ms_per_char=20)
    yield simulators
    assert simulators.violations() == []


def groq(vendors, **more):
    return {"plugin": "groq.so", "api_key": "env:GROQ_API_KEY", "url": vendors.url("groq"), **more}


def openai(vendors, **more):
    return {"plugin": "openai.so", "api_key": "env:OPENAI_API_KEY", "url": vendors.url("openai"),
            "model": "gpt-4.1-mini", **more}


def agent(**more):
    return {"telephony": ["browser"], "stt": ["sphinx"], "llm": ["groq", "openai"],
            "tts": ["flite"], "greeting": GREETING, **more}


def start(serve, vendors, providers=None, agents=None, **more):
    """The server with both vendors and these changes."""
    return serve({"providers": {"groq": groq(vendors), "openai": openai(vendors),
                                **(providers or {})},
                  "agents": agents or {"default": agent()}, **more}, **KEYS)


def say(server, message, **more):
    """One line of a typed conversation; gives the whole answer."""
    answer = server.request("POST", "/calls/test-chat/", {"message": message, **more}, seconds=30)
    assert answer.status == 200, answer.text
    return answer.json


def detail(server, call, condition, seconds=20):
    """What is stored of a call, once the condition is fulfilled."""
    found = []

    def find():
        answer = server.get(f"/calls/call-detail/{call}/")
        found[:] = [answer.json]
        return answer.json if answer.status == 200 and condition(answer.json) else None
    try:
        return program.eventually(find, f"what is stored of call {call}", seconds)
    except AssertionError as problem:
        raise AssertionError(f"{problem}: {json.dumps(found, indent=1)}") from None


def events(shown, kind):
    return [event["detail"] for event in shown["events"] if event["type"] == kind]


def spoken(shown, role):
    return [message["content"] for message in shown["messages"] if message["role"] == role]


def assert_nothing_leaked(server, *texts):
    for place in (server.log, *texts):
        assert GROQ_KEY not in place and OPENAI_KEY not in place
    for secret in SECRETS:
        assert secret not in server.log.lower()


# Typed conversations.

def test_a_typed_conversation_is_answered_by_the_model(serve, vendors):
    server = start(serve, vendors)
    first = say(server, "Do you sell marzipan?")
    assert first["reply"] == "You said: Do you sell marzipan?"
    assert say(server, "And nougat?", session=first["session"])["reply"] == "You said: And nougat?"
    asked = vendors.received("groq", "chat")
    assert [entry["status"] for entry in asked] == [200, 200]
    body = asked[1]["body"]
    assert body["model"] == "openai/gpt-oss-20b" and body["stream"] is True
    assert body["reasoning_effort"] == "low" and body["include_reasoning"] is False
    assert [(each["role"], each["content"]) for each in body["messages"]][-3:] == [
        ("user", "Do you sell marzipan?"), ("assistant", "You said: Do you sell marzipan?"),
        ("user", "And nougat?")]
    assert not vendors.received("openai", "chat")
    assert_nothing_leaked(server)


STREAMS = ["crlf", "split_utf8", "split_data", "split_lines", "bytewise", "no_space", "comments",
           "many_lines", "no_last_line", "usage_missing", "choices_empty", "content_null",
           "no_done", "finish_missing"]


def test_a_stream_may_be_cut_and_written_in_many_ways(serve, vendors):
    vendors.set("groq", rules=[{"say": "Grüße, 10 € für नमस्ते 🙂 und Tschüß."}])
    server = start(serve, vendors)
    for number, quirk in enumerate(STREAMS):
        vendors.fault("groq", "chat", quirk)
        assert say(server, "Hello")["reply"] == "Grüße, 10 € für नमस्ते 🙂 und Tschüß.", quirk
        assert vendors.received("groq", "chat")[number]["faults"] == [quirk]
    assert not vendors.received("openai", "chat")


# Ollama, llama.cpp and vLLM: written from their documentation and source, see
# tests/fakes/vendors/README.md; no such program runs here.
@pytest.mark.parametrize("dialect", ["vllm", "llama.cpp", "llama.cpp-old", "ollama"])
def test_a_server_of_ones_own_is_a_url_and_no_key(serve, vendors, dialect):
    vendors.set("openai", dialect=dialect, keys=None, reasoning="Is nougat sweet? Quite.")
    own = openai(vendors, model="llama3.2", reasoning_effort="low", max_tokens=200)
    del own["api_key"]
    server = start(serve, vendors, {"own": own}, {"default": agent(llm=["own"])})
    answer = say(server, "Hello")
    assert answer["reply"] == "You said: Hello"
    entry = vendors.received("openai", "chat")[0]
    assert "authorization" not in {name.lower() for name, _ in entry["headers"]}
    assert entry["body"]["max_tokens"] == 200
    vendors.set("openai", answers=[{"say": "Bye.", "tools": [{"name": "end_call"}]}])
    assert say(server, "That was all", session=answer["session"])["reply"] == "Bye."
    shown = detail(server, answer["session"], lambda shown: shown["call"]["ended_at"])
    assert shown["call"]["end_reason"] == "agent_ended", shown
    assert_nothing_leaked(server, json.dumps(shown))


def test_thoughts_are_not_spoken_wherever_they_stand(serve, vendors):
    vendors.set("openai", reasoning="The caller wants nougat.")
    server = start(serve, vendors, agents={"default": agent(llm=["openai"])})
    assert say(server, "Hello")["reply"] == "You said: Hello"
    vendors.set("openai", rules=[{"say": "<think>Hm, nougat.</think>\n\nGood day."}])
    assert say(server, "Hello")["reply"] == "Good day."


def test_arguments_that_are_no_json_are_told_to_the_model(serve, vendors):
    vendors.set("groq", answers=[{"tools": [{"name": "transfer", "arguments": {"to": "x"}}]},
                                 "I can not do that."])
    vendors.fault("groq", "chat", "tool_json")
    server = start(serve, vendors)
    assert say(server, "A human please")["reply"] == "I can not do that."
    told = vendors.received("groq", "chat")[1]["body"]["messages"]
    assert told[-1]["role"] == "tool" and "error" in json.loads(told[-1]["content"])
    # Servers read what they wrote: what is no JSON would fail each request from now on.
    json.loads(told[-2]["tool_calls"][0]["function"]["arguments"])
    assert say(server, "Well")["reply"] == "You said: Well"


def test_tool_calls_come_in_one_piece_or_in_many(serve, vendors):
    wanted = [("book", {"day": "Größe", "at": [10, 30]}), ("price", {})]
    server = start(serve, vendors)
    for quirk in (None, "tool_whole", "tool_no_id", "tool_interleaved"):
        before = len(vendors.received("groq", "chat"))
        vendors.set("groq", answers=[
            {"tools": [{"name": name, "arguments": given} for name, given in wanted]}, "Done."])
        if quirk:
            vendors.fault("groq", "chat", quirk)
        assert say(server, "Hello")["reply"] == "Done.", quirk
        asked = vendors.received("groq", "chat")[before + 1]["body"]["messages"]
        calls = asked[-3]["tool_calls"]
        assert [(call["function"]["name"], json.loads(call["function"]["arguments"]))
                for call in calls] == wanted, quirk
        assert [each["tool_call_id"] for each in asked[-2:]] == [call["id"] for call in calls]
        assert len({call["id"] for call in calls}) == 2


# Failures.

STATUSES = [400, 401, 403, 404, 413, 422, 429, 498, 500, 502, 503]
BEFORE = {**{str(status): {"kind": "status", "status": status} for status in STATUSES},
          "later": {"kind": "status", "status": 429, "retry_after": 30},
          "echo": {"kind": "status", "status": 401, "message": f"Wrong key: {GROQ_KEY}"},
          "parrot": {"kind": "status", "status": 400, "message": "not valid: I like marzipan"},
          "boast": {"kind": "status", "status": 500, "message": f"You sent Bearer {GROQ_KEY}"},
          **{kind: {"kind": kind} for kind in ("refuse", "html", "empty", "truncated", "garbage",
                                               "hang", "half_open", "done_only")},
          **{variant: {"kind": "bad_json", "variant": variant}
             for variant in ("cut", "text", "wrong_types", "deep", "nul", "array", "null")}}
MIDDLE = {**{kind: {"kind": kind, "at": "middle"} for kind in ("eof", "reset", "short", "garbage",
                                                              "bad_json")},
          "error": {"kind": "status", "at": "middle", "status": 500},
          "error_data": {"kind": "error_data"}, "x_groq_error": {"kind": "x_groq_error"}}


def test_each_failure_is_answered_by_the_second_model_in_the_same_turn(serve, vendors):
    """A provider of its own for each case, so that none is kept out for what another did."""
    vendors.set("groq", rules=[{"say": "The groq answer"}])
    vendors.set("openai", rules=[{"say": "The other answer"}])
    server = start(serve, vendors, {f"groq_{name}": groq(vendors) for name in BEFORE},
                   {"default": agent(), **{f"agent_{name}": agent(llm=[f"groq_{name}", "openai"])
                                           for name in BEFORE}})
    for number, (name, fault) in enumerate(BEFORE.items()):
        vendors.heal()
        vendors.fault("groq", "chat", times=None, **fault)
        answer = say(server, "I like marzipan", agent=f"agent_{name}")
        assert answer["reply"] == "The other answer", name
        assert len(vendors.received("openai", "chat")) == number + 1, name
        shown = detail(server, answer["session"], lambda shown: events(shown, "failover"))
        switched = events(shown, "failover")
        assert [(each["role"], each["from"], each["to"]) for each in switched] == [
            ("llm", f"groq_{name}", "openai")], name
        assert_nothing_leaked(server, json.dumps(shown))
    # Who asked to be left alone is, and so is who refuses the key.
    vendors.heal()
    asked = len(vendors.received("groq", "chat"))
    for name in ("later", "401"):
        assert say(server, "Hello", agent=f"agent_{name}")["reply"] == "The other answer"
    assert len(vendors.received("groq", "chat")) == asked
    assert say(server, "Hello", agent="agent_500")["reply"] == "The groq answer"


def test_a_stream_that_breaks_is_continued_by_the_second_model(serve, vendors):
    vendors.set("groq", rules=[{"say": "We have dates on Monday and on Friday."}])
    vendors.set("openai", rules=[{"say": " and many more."}])
    server = start(serve, vendors, {f"groq_{name}": groq(vendors) for name in MIDDLE},
                   {"default": agent(), **{f"agent_{name}": agent(llm=[f"groq_{name}", "openai"])
                                           for name in MIDDLE}})
    for number, (name, fault) in enumerate(MIDDLE.items()):
        vendors.heal()
        vendors.fault("groq", "chat", after=4, **fault)
        answer = say(server, "When?", agent=f"agent_{name}")
        said = answer["reply"].removesuffix(" and many more.")
        assert said != answer["reply"], (name, answer)
        assert "We have dates on Monday and on Friday.".startswith(said), (name, answer)
        notes = vendors.received("openai", "chat")[number]["body"]["messages"]
        assert not said or any(said in each["content"] for each in notes), name


def test_with_one_model_a_hiccup_is_tried_again(serve, vendors):
    server = start(serve, vendors, agents={"default": agent(llm=["groq"])})
    vendors.fault("groq", "chat", "status", status=503)
    assert say(server, "Hello")["reply"] == "You said: Hello"
    assert [entry["status"] for entry in vendors.received("groq", "chat")] == [503, 200]


VOICES = {"401": {"kind": "status", "status": 401}, "429": {"kind": "status", "status": 429},
          "500": {"kind": "status", "status": 500},
          **{kind: {"kind": kind} for kind in ("refuse", "garbage", "html", "empty", "hang")},
          **{f"{kind}_later": {"kind": kind, "at": "middle", "after": 2}
             for kind in ("eof", "reset")}}


def test_a_voice_that_fails_is_replaced_by_the_second(serve, vendors):
    vendors.set("groq", rules=[{"say": "We have dates on Monday and on Friday."}])
    server = start(serve, vendors, {f"voice_{name}": openai(vendors) for name in VOICES},
                   {"default": agent(), **{f"agent_{name}": agent(tts=[f"voice_{name}", "flite"])
                                           for name in VOICES}})
    for name, fault in VOICES.items():
        vendors.heal()
        vendors.fault("openai", "speech", times=None, **fault)
        answer = server.request("POST", "/calls/test-voice/", {
            "message": "When?", "agent": f"agent_{name}"}, seconds=30).json
        assert answer["reply"] == "We have dates on Monday and on Friday.", name
        assert len(base64.b64decode(answer["audio"])) > 32000, name
        shown = detail(server, answer["session"], lambda shown: events(shown, "failover"))
        assert (f"voice_{name}", "flite") in [(each["from"], each["to"]) for each
                                              in events(shown, "failover")], name
    assert_nothing_leaked(server)


def test_a_voice_of_groq_is_a_matter_of_configuration(serve, vendors):
    voice = {"plugin": "openai.so", "url": vendors.url("groq"), "api_key": "env:GROQ_API_KEY",
             "tts_model": "canopylabs/orpheus-v1-english", "tts_format": "wav",
             "sample_rate": 48000, "voice": "hannah"}
    server = start(serve, vendors, {"orpheus": voice}, {"default": agent(tts=["orpheus"])})
    answer = server.request("POST", "/calls/test-voice/", {"message": "Hello"}, seconds=30).json
    assert answer["reply"] == "You said: Hello"
    assert len(base64.b64decode(answer["audio"])) > 16000
    assert {entry["body"]["voice"] for entry in vendors.received("groq", "speech")} == {"hannah"}


# Telephone calls.

def mulaw(start_s, end_s):
    """A piece of the recorded caller; the file is mu-law, 8000 bytes a second."""
    file = (program.ROOT / "tests/data/caller_rms.wav").read_bytes()
    at = file.index(b"data") + 8
    return file[at + int(start_s * 8000):at + int(end_s * 8000)]


@pytest.fixture
def caller(tmp_path):
    """A caller who waits for the greeting, says a sentence, waits, and says another."""
    sound = mulaw(0, 3) + mulaw(6.24, 9.06) + mulaw(9.3, 12.6) + mulaw(9.3, 11) + mulaw(
        12.86, 14.15) + mulaw(14.4, 17.4)
    head = (b"RIFF" + (36 + len(sound)).to_bytes(4, "little") + b"WAVEfmt \x10\0\0\0\7\0\1\0"
            + (8000).to_bytes(4, "little") * 2 + b"\1\0\x08\0data"
            + len(sound).to_bytes(4, "little"))
    path = pathlib.Path(tmp_path / "caller.wav")
    path.write_bytes(head + sound)
    return path


def telephone(**more):
    return agent(**{"telephony": ["callers"], "stt": ["openai", "groq"], "tts": ["openai", "flite"],
                    **more})


def call(server, aicaller, caller, condition=lambda shown: True):
    """A whole call; gives what is stored of it when it is over."""
    made = aicaller("call", f"wav:{caller}", "-c", server.command[3], **KEYS)
    assert made.returncode == 0, made.stderr
    return detail(server, made.stdout.strip(),
                  lambda shown: shown["call"]["ended_at"] and condition(shown), seconds=60)


CALLERS = {"callers": {"plugin": "wav.so", "after_end": "3s"}}


@pytest.mark.slow
def test_a_telephone_call_with_groq_and_openai(serve, vendors, aicaller, caller):
    vendors.set("openai", script=["I would like some marzipan", "goodbye"])
    vendors.set("groq", rules=[{"match": "marzipan", "say": "How much marzipan do you want?"},
                               {"say": "Have a good day."}])
    server = start(serve, vendors, CALLERS, {"default": telephone()}, prices={
        "groq": {"tokens_in_million": 1000.0, "tokens_out_million": 1000000.0},
        "openai": {"audio_in_minute": 60.0, "chars_thousand": 1000.0}})
    shown = call(server, aicaller, caller, lambda shown: len(shown["cost"]["items"]) == 3)
    assert shown["call"]["status"] == "completed", shown
    assert spoken(shown, "user") == ["I would like some marzipan", "goodbye"]
    assert spoken(shown, "assistant") == [GREETING, "How much marzipan do you want?",
                                          "Have a good day."]
    assert [message["heard"] for message in shown["messages"] if message["role"] == "assistant"
            ] == spoken(shown, "assistant")
    heard = vendors.received("openai", "transcriptions")
    assert [entry["status"] for entry in heard] == [200, 200]
    assert heard[0]["body"]["file"]["filename"] == "speech.wav"
    assert not events(shown, "failover")
    costs = {each["role"]: each for each in shown["cost"]["items"]}
    assert costs["tts"]["cost"] == sum(map(len, spoken(shown, "assistant")))
    assert costs["stt"]["cost"] == pytest.approx(costs["stt"]["units"]["audio_in_us"] / 1e6)
    assert costs["llm"]["units"]["tokens_out"] == 10 and not costs["llm"]["estimated"]
    assert costs["llm"]["cost"] == pytest.approx(costs["llm"]["units"]["tokens_in"] / 1e3 + 10)
    assert_nothing_leaked(server)


@pytest.mark.slow
def test_a_telephone_call_survives_the_failure_of_every_vendor(serve, vendors, aicaller, caller):
    vendors.set("groq", script=["I would like some marzipan", "goodbye"],
                rules=[{"say": "This is never said."}])
    vendors.set("openai", rules=[{"match": "marzipan", "say": "How much marzipan do you want?"},
                                 {"say": "Have a good day."}])
    server = start(serve, vendors, CALLERS, {"default": telephone()})
    vendors.fault("openai", "transcriptions", "status", status=500, times=None)
    vendors.fault("groq", "chat", "hang", times=None)
    vendors.fault("openai", "speech", "eof", at="middle", after=2, times=None)
    shown = call(server, aicaller, caller)
    assert shown["call"]["status"] == "completed", shown
    assert spoken(shown, "user") == ["I would like some marzipan", "goodbye"]
    # While the first model hangs the caller is asked for patience.
    said = spoken(shown, "assistant")
    assert said == [GREETING, "One moment, please. How much marzipan do you want?",
                    "Just a second. Have a good day."]
    assert [message["heard"] for message in shown["messages"] if message["heard"]] == said
    switched = {(each["role"], each["from"], each["to"]) for each in events(shown, "failover")}
    assert switched >= {("stt", "openai", "groq"), ("llm", "groq", "openai"),
                        ("tts", "openai", "flite")}
    assert_nothing_leaked(server, json.dumps(shown))
