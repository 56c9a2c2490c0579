# SPDX-License-Identifier: ISC
"""
Telephone calls over Twilio as an operator meets them: a real server, and a fake carrier that plays
Twilio's part in real time. What the carrier signs and reads is checked by the official library,
Debian's python3-twilio.
"""
import html
import json
import pathlib
import re
import subprocess
import sys
import urllib.parse
import wave
import xml.etree.ElementTree

import pytest

import program
from websocket import Closed, Refused, WebSocket

sys.path.insert(0, str(program.ROOT / "tests/fakes"))

from vendors.client import Simulators  # noqa: E402
from vendors.media import g711  # noqa: E402
from vendors.twilio import signature  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
PUBLIC = "https://voice.example.com"
ACCOUNT = "AC00000000000000000000000000000001"
KEY = "aicaller_test_token_0123456789ab"
OURS, THEIRS = "+15005550006", "+15551230001"
INBOUND, STATUS, MEDIA = "/calls/inbound/", "/calls/call-status/", "/media-stream/"
GREETING = "Hello, this is an automated assistant. How can I help you?"
FORM = {"AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "CallStatus": "ringing",
        "Direction": "inbound", "From": THEIRS, "To": OURS}
# Where nobody forbids it: what the gate allows is its own tests' business.
OUTBOUND = {"allow": ["+1555"], "hours": "00:00-24:00", "calls_per_second": 20.0}


@pytest.fixture(scope="module")
def simulators(tmp_path_factory):
    with Simulators(tmp_path_factory.mktemp("vendors")) as running:
        yield running


@pytest.fixture
def vendors(simulators):
    simulators.reset()
    yield simulators


class Line:
    """A server that the carrier reaches, and its configuration."""

    def __init__(self, server, conf, vendors, aicaller):
        self.server, self.conf, self.vendors, self.aicaller = server, conf, vendors, aicaller
        vendors.set("twilio", gateways={"voice.example.com": server.url})

    def ring(self, **wish):
        """Somebody calls."""
        return self.vendors.call_in(THEIRS, url=PUBLIC + INBOUND, **wish)

    def dial(self, number=THEIRS):
        """`aicaller call`; what it printed."""
        return self.aicaller("call", number, "-c", self.conf, "--json")

    def hang_up(self):
        """`aicaller hangup` of the one call that lives."""
        live = json.loads(self.aicaller("calls", "-c", self.conf, "--json").stdout)
        [call] = live["calls"] if isinstance(live, dict) else live
        return self.aicaller("hangup", call["call_id"], "-c", self.conf)

    def detail(self, call_id, condition=lambda shown: shown["call"]["ended_at"], seconds=20):
        """What is stored of a call, once the condition is fulfilled."""
        found = []

        def find():
            answer = self.server.get(f"/calls/call-detail/{call_id}/")
            found[:] = [answer.json]
            return answer.json if answer.status == 200 and condition(answer.json) else None
        try:
            return program.eventually(find, f"what is stored of call {call_id}", seconds)
        except AssertionError as problem:
            raise AssertionError(f"{problem}: {json.dumps(found, indent=1)}") from None

    def history(self):
        """What is stored of all calls, newest first; it takes a moment to get there."""
        return self.server.get("/calls/call-history/?per_page=100").json["calls"]

    def post(self, path, form, sign=True):
        """A webhook of our own making."""
        body = urllib.parse.urlencode(form).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if sign:
            headers["X-Twilio-Signature"] = sign if isinstance(sign, str) else signature.sign(
                KEY, PUBLIC + path, form.items())
        return self.server.post(path, body, headers=headers)


@pytest.fixture
def line(serve, make_conf, vendors, aicaller):
    """line(provider={...}, agent={...}) -> Line"""
    def start(provider=None, agent=None, workers=1):
        changes = {
            "server": {"public_url": PUBLIC, "workers": workers},
            "providers": {"twilio": {"plugin": "twilio.so", "account_sid": ACCOUNT,
                                     "auth_token": KEY, "from": OURS,
                                     "calls_per_second": 20.0,
                                     "url": vendors.url("twilio"), **(provider or {})}},
            "agents": {"default": {"telephony": ["twilio"], "greeting": GREETING,
                                   **(agent or {})}},
            "outbound": OUTBOUND,
        }
        conf = make_conf(changes)
        return Line(serve(conf=conf), conf[0], vendors, aicaller)
    return start


def settled(vendors):
    """Nobody did what the documentation forbids."""
    assert vendors.violations() == []


def listens(call):
    """The agent has said what it had to say; all its sound was heard."""
    before = []

    def is_quiet(state):
        marks = [each["event"] for each in state["timeline"] if each["event"].startswith("mark")]
        before.append(len(marks))
        return (marks and marks.count("mark") == marks.count("mark-returned")
                and len(before) > 25 and len(set(before[-25:])) == 1)
    call.wait(is_quiet, "the end of what the agent says")


def told(call, path):
    """The parameters of every webhook to a path."""
    return [event["parameters"] for event in call.events("webhook")
            if urllib.parse.urlsplit(event["url"]).path == path]


def endings(vendors):
    """The forms with which calls were changed by REST."""
    return [entry["body"] for entry in vendors.received("twilio", "update-call")]


# Calls that come in.


@pytest.mark.slow
def test_a_recorded_caller_is_greeted_understood_answered_and_said_goodbye_to(line, vendors):
    here = line(agent={"record": True})
    call = here.ring()
    call.wait_for("stream-started")
    caller = program.ROOT / "tests/data/caller_rms.wav"
    call.say(file=str(caller))
    shown = call.wait_end(120)
    assert shown["status"] == "completed"
    assert endings(vendors)[-1] == {"Status": ["completed"]}, "the agent hung up, by REST"
    stored = here.detail(call.sid)
    kept = stored["call"]
    assert (kept["call_sid"], kept["direction"], kept["from"], kept["to"], kept["status"]) == (
        call.sid, "inbound", THEIRS, OURS, "completed")
    said = [each["content"] for each in stored["messages"] if each["role"] == "user"]
    assert len(said) >= 4, said
    heard = [each["heard"] for each in stored["messages"] if each["role"] == "assistant"]
    assert heard[0] == GREETING and len(heard) > len(said), heard
    assert shown["streams"][0]["state"] == "closed"
    assert_recorded_as_it_was(here, call, kept["call_id"])
    assert all(secret not in here.server.log
               for secret in (KEY, THEIRS, "Wednesday", "Mary Smith"))
    settled(vendors)


def assert_recorded_as_it_was(here, call, call_id):
    """mu-law goes through unchanged: the caller's every sample is on the left."""
    folder = pathlib.Path(re.search(r'state_dir = "([^"]+)"', here.conf.read_text())[1])
    (file,) = (folder / "recordings").glob(f"{call_id}-*.wav")
    with wave.open(str(file)) as recording:
        pcm = recording.readframes(recording.getnframes())
    left = b"".join(pcm[at:at + 2] for at in range(0, len(pcm), 4))
    sent = call.simulators.ask("GET", f"/twilio/calls/{call.sid}/sent", raw=True)
    spoken = g711.decode_mulaw(sent).tobytes()
    assert len(left) > 30 * 16000
    assert spoken.startswith(left) or left.startswith(spoken)


def test_a_caller_who_hangs_up_ends_the_call(line, vendors):
    here = line()
    call = here.ring()
    listens(call)
    call.hang_up()
    assert call.wait_end()["status"] == "completed"
    stored = here.detail(call.sid)
    assert stored["call"]["status"] == "completed"
    assert stored["call"]["end_reason"] == "caller_hung_up"
    assert endings(vendors) == [] and here.server.get("/calls/health/").json["active_calls"] == 0
    settled(vendors)


def test_an_operator_hangs_up_and_twilio_is_told(line, vendors):
    here = line()
    call = here.ring()
    call.wait_for("heard")
    result = here.hang_up()
    assert result.returncode == 0, result.stderr
    assert call.wait_end()["status"] == "completed"
    assert endings(vendors) == [{"Status": ["completed"]}]
    assert here.detail(call.sid)["call"]["status"] == "completed"
    assert call.events("stream-stopped")
    settled(vendors)


def test_the_call_ends_even_where_the_api_is_down(line, vendors):
    """The stream is closed, the call asks what to do next, and is told to hang up."""
    here = line()
    call = here.ring()
    call.wait_for("heard")
    vendors.fault("twilio", "update-call", "status", status=500, times=None)
    result = here.hang_up()
    assert result.returncode == 0, result.stderr
    assert call.wait_end()["status"] == "completed"
    assert call.events("hangup-verb")
    assert here.detail(call.sid)["call"]["status"] == "completed"


@pytest.mark.parametrize("plan", [{"frame_ms": 60}, {"lose_every": 5}, {"signature": "slash"}])
def test_a_line_may_have_its_ways(line, vendors, plan):
    here = line()
    call = here.ring(plan=plan)
    listens(call)
    call.hang_up()
    assert call.wait_end()["status"] == "completed"
    assert here.detail(call.sid)["call"]["end_reason"] == "caller_hung_up"


# Calls that go out.


def test_a_call_is_dialled_answered_and_followed(line, vendors):
    here = line()
    result = here.dial()
    assert result.returncode == 0, result.stdout + result.stderr
    answer = json.loads(result.stdout)
    call = vendors.calls()[0]
    assert answer["call_sid"] == call.sid and answer["status"] == "queued"
    call.wait_for("heard")
    assert {form["CallStatus"] for form in told(call, STATUS)
            if "CallStatus" in form} >= {"initiated", "ringing", "in-progress"}
    call.hang_up()
    call.wait_end()
    stored = here.detail(answer["call_id"])["call"]
    assert (stored["call_sid"], stored["direction"], stored["to"], stored["status"]) == (
        call.sid, "outbound", THEIRS, "completed")
    options = call.show()["options"]
    assert options["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]
    assert options["From"] == [OURS] and options["Method"] == ["POST"]
    settled(vendors)


def test_a_call_is_placed_over_http(line, vendors):
    here = line()
    answer = here.server.post("/calls/make-call/", {"to": THEIRS})
    assert answer.status == 201, answer.text
    call = vendors.calls()[0]
    assert (answer.json["call_sid"], answer.json["status"]) == (call.sid, "queued")
    call.wait_for("heard")
    call.hang_up()
    call.wait_end()
    assert here.detail(answer.json["call_id"])["call"]["status"] == "completed"
    settled(vendors)


@pytest.mark.parametrize("twilio, stored", [
    ("busy", "busy"), ("no-answer", "no_answer"), ("failed", "failed"), ("canceled", "canceled")])
def test_a_call_that_is_not_answered_is_written_down_as_such(line, vendors, twilio, stored):
    vendors.set("twilio", plan={"answer": twilio, "callbacks": "reversed"})
    here = line()
    answer = json.loads(here.dial().stdout)
    assert here.detail(answer["call_id"])["call"]["status"] == stored
    assert vendors.calls()[0].wait_end()["status"] == twilio
    settled(vendors)


def test_a_telephone_that_rings_falls_silent_when_an_operator_hangs_up(line, vendors):
    vendors.set("twilio", plan={"ring_ms": 30000})
    here = line()
    answer = json.loads(here.dial().stdout)
    here.hang_up()
    assert vendors.calls()[0].wait_end()["status"] in ("canceled", "completed")
    assert here.detail(answer["call_id"])["call"]["status"] == "canceled"
    settled(vendors)


def test_it_does_not_matter_which_worker_is_told(line, vendors):
    vendors.set("twilio", plan={"answer": "busy"})
    here = line(workers=3)
    ids = [json.loads(here.dial().stdout)["call_id"] for _ in range(6)]
    assert [here.detail(each)["call"]["status"] for each in ids] == ["busy"] * len(ids)
    settled(vendors)


@pytest.mark.parametrize("order", ["reversed", "shuffled", "repeated"])
def test_callbacks_may_come_in_any_order_and_twice(line, vendors, order):
    vendors.set("twilio", plan={"callbacks": order})
    here = line()
    answer = json.loads(here.dial().stdout)
    call = vendors.calls()[0]
    call.wait_for("heard")
    call.hang_up()
    call.wait_end()
    assert here.detail(answer["call_id"])["call"]["status"] == "completed"
    settled(vendors)


@pytest.mark.parametrize("fault", [
    {"kind": "answer_lost"}, {"kind": "status", "status": 429, "times": 2},
    {"kind": "refuse"}, {"kind": "truncated"}], ids=lambda fault: fault["kind"])
def test_nobody_is_rung_twice_whatever_becomes_of_the_answer(line, vendors, fault):
    here = line()
    vendors.fault("twilio", "create-call", **fault)
    here.dial()
    if fault["kind"] in ("answer_lost", "status"):
        program.eventually(lambda: vendors.calls() and vendors.calls()[0].events("heard"),
                           "the call is answered", 20)
        vendors.calls()[0].hang_up()
        vendors.calls()[0].wait_end()
    else:
        program.eventually(lambda: len(vendors.received("twilio", "list-calls")) >= 3,
                           "the list was looked at", 30)
    posted = [entry["status"] for entry in vendors.received("twilio", "create-call")]
    assert len(vendors.calls()) <= 1, posted
    assert len(posted) == (3 if fault["kind"] == "status" else 1), posted


def test_what_twilio_refuses_is_told_to_the_one_who_asked(line, vendors):
    here = line({"auth_token_secondary": KEY, "auth_token": "wrong"})
    result = here.dial()
    assert result.returncode == 1
    assert "check account_sid and auth_token" in result.stdout + result.stderr
    program.eventually(lambda: [call["status"] for call in here.history()] == ["failed"],
                       "the call is written down as failed")
    assert vendors.calls() == []


def test_what_can_not_be_dialled_is_said_by_name(line, vendors):
    here = line()
    for words in (("--json",), ()):
        result = here.aicaller("call", THEIRS, "--agent", "nobody", "-c", here.conf, *words)
        assert result.returncode == 1
        assert 'there is no agent "nobody"' in (result.stdout + result.stderr).replace("\\", "")
    refused = here.dial("+442079460123")
    answer = json.loads(refused.stdout)
    assert refused.returncode == 1 and answer["status"] == "failed"
    assert answer["reason"] == "destination_not_allowed" and answer["error"]
    assert vendors.calls() == []


# Those who are not Twilio.


def test_what_twilio_has_not_signed_is_refused(line, vendors):
    here = line()
    form = {**FORM, "CallSid": "CA" + "1" * 32}
    other = signature.sign("another token", PUBLIC + INBOUND, form.items())
    elsewhere = signature.sign(KEY, "https://evil.example.com" + INBOUND, form.items())
    for sign in (False, "", other, elsewhere, "x" * 28):
        for path in (INBOUND, STATUS, "/calls/twiml/", "/calls/resume/"):
            answer = here.post(path, form, sign)
            assert answer.status == 403, (sign, path)
            assert b"token" not in answer.body.lower() and b"<" not in answer.body
    changed = signature.sign(KEY, PUBLIC + INBOUND, form.items())
    assert here.post(INBOUND, {**form, "From": "+15559990000"}, changed).status == 403
    assert here.history() == []
    for how in ("missing", "wrong"):
        call = here.ring(plan={"signature": how})
        assert call.wait_end()["streams"] == []
    assert here.history() == []


def test_a_request_that_was_recorded_is_worth_nothing(line, vendors):
    here = line()
    form = {**FORM, "CallSid": "CA" + "2" * 32}
    first = here.post(INBOUND, form)
    assert first.status == 200
    token = parameters(first.text)["token"]
    with open_media(here) as socket:
        start_media(socket, form["CallSid"], parameters(first.text))
        assert "media" in json.dumps(socket.receive()), "the greeting begins"
        assert here.post(INBOUND, form).status == 403
        # The token is good for one socket.
        with open_media(here) as second:
            start_media(second, form["CallSid"], parameters(first.text))
            assert is_closed(second)
        socket.send({"event": "stop", "streamSid": STREAM})
        assert is_closed(socket)
    assert here.post(INBOUND, form).status == 403
    assert len(here.history()) == 1 and token not in here.server.log


STREAM = "MZ" + "3" * 32


def parameters(twiml):
    return {name: html.unescape(value)
            for name, value in re.findall(r'<Parameter name="(\w+)" value="([^"]*)"/>', twiml)}


def open_media(here, sign=True):
    headers = {}
    if sign:
        headers["X-Twilio-Signature"] = signature.sign(KEY, "wss://voice.example.com" + MEDIA)
    return WebSocket(here.server, MEDIA, headers)


def start_media(socket, sid, custom):
    socket.send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
    socket.send({"event": "start", "sequenceNumber": "1", "streamSid": STREAM, "start": {
        "accountSid": ACCOUNT, "streamSid": STREAM, "callSid": sid, "tracks": ["inbound"],
        "customParameters": custom,
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}}})


def is_closed(socket):
    """Reads until the server closes; it may say something before."""
    try:
        while True:
            socket.receive()
    except Closed:
        return True
    except TimeoutError:
        return False


def test_no_socket_is_taken_without_a_signature_and_none_lives_without_a_call(line, vendors):
    here = line()
    with pytest.raises(Refused) as refused:
        open_media(here, sign=False)
    assert refused.value.status == 403
    with pytest.raises(Refused) as refused:
        WebSocket(here.server, MEDIA, {"X-Twilio-Signature": signature.sign(
            KEY, PUBLIC + MEDIA)})
    assert refused.value.status == 403
    unknown = "0190aaaa-0000-7000-8000-000000000001"
    for custom in ({}, {"token": "x"}, {"token": "a.b.c", "call": unknown}, {"call": unknown},
                   {"token": "<b>", "call": "'; --"}):
        with open_media(here) as socket:
            start_media(socket, "CA" + "4" * 32, custom)
            assert is_closed(socket), custom
    for early in ({"event": "media", "streamSid": STREAM, "media": {"payload": "/w=="}},
                  {"event": "stop", "streamSid": STREAM}, [1],
                  {"event": "mark", "mark": {"name": "0:1"}}):
        with open_media(here) as socket:
            socket.send(early)
            assert is_closed(socket), early
    assert here.history() == []
    assert here.server.get("/calls/health/").json["active_calls"] == 0


# The official library.


def library(script, content):
    """Runs a script with the official library."""
    result = subprocess.run(["/usr/bin/python3", HERE / "sdks" / script], input=json.dumps(content),
                            capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_the_official_library_and_we_believe_the_same_requests(line, vendors):
    here = line()
    forms = [
        {**FORM, "CallSid": "CA" + "5" * 32, "CallerName": "José Ñandú", "FromCity": ""},
        {"AccountSid": ACCOUNT, "CallSid": "CA" + "6" * 32, "CallStatus": "completed",
         "SpeechResult": " a b&c=d+e%20 ", "a": "1", "A": "2", "a-b": "3", "a_b": "4"},
    ]
    urls = [PUBLIC + STATUS, PUBLIC + STATUS + "?call=7f3a&x=%20y"]
    requests = [{"url": url, "form": form} for url in urls for form in forms]
    for request, sign in zip(requests, library("twilio_requests.py", {
            "key": KEY, "sign": requests})["signatures"]):
        path = request["url"].removeprefix(PUBLIC)
        assert here.post(path, request["form"], sign).status == 204
        # And each change that the library does not believe we do not believe either.
        for changed in ({**request["form"], "CallStatus": "busy"},
                        {**request["form"], "More": ""}):
            assert here.post(path, changed, sign).status == 403
        assert here.post(path + ("&" if "?" in path else "?") + "more=1", request["form"],
                         sign).status == 403
    # What the fake carrier signs is what Twilio would sign.
    call = here.ring()
    call.wait_for("heard")
    call.hang_up()
    call.wait_end()
    hooks = [{"url": event["url"], "form": event["parameters"],
              "signature": signature.sign(KEY, event["url"], event["parameters"].items())}
             for event in call.events("webhook")]
    assert hooks and all(library("twilio_requests.py", {
        "key": KEY, "check": hooks})["valid"])


def canonical(text):
    return xml.etree.ElementTree.canonicalize(text, strip_text=True)


def test_our_documents_are_those_that_the_official_library_writes(line, vendors):
    here = line()
    sid = "CA" + "7" * 32
    answer = here.post(INBOUND, {**FORM, "CallSid": sid})
    custom = parameters(answer.text)
    made = library("twilio_requests.py", {"key": KEY, "stream": {
        "url": "wss://voice.example.com" + MEDIA,
        "status_callback": f"{PUBLIC}{STATUS}?call={custom['call']}",
        "parameters": custom, "redirect": f"{PUBLIC}/calls/resume/?call={custom['call']}"}})
    assert canonical(answer.text) == canonical(made["twiml"])
    assert answer.headers["Content-Type"].startswith("text/xml")
    ended = here.post("/calls/resume/?call=" + custom["call"], {
        **FORM, "CallSid": "CA" + "8" * 32})
    assert canonical(ended.text) == canonical(made["hangup"])
