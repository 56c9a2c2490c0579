# SPDX-License-Identifier: ISC
"""Every fault that a test can ask the simulators for really comes, once and as described."""
import asyncio
import base64
import gzip
import http.client
import json
import pathlib
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse

import aiohttp
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fakes"))

from vendors.client import Refused, Simulators, secret_hash  # noqa: E402
from vendors.core import faults  # noqa: E402
from vendors.deepgram import flux, listen, speak  # noqa: E402
from vendors.elevenlabs import streaming  # noqa: E402

CHAT = json.dumps({"model": "openai/gpt-oss-20b", "stream": True,
                   "messages": [{"role": "user", "content": "Größe"}]})
LISTEN = ("/v1/listen?model=nova-3&encoding=mulaw&sample_rate=8000&interim_results=true"
          "&endpointing=300&utterance_end_ms=1000&vad_events=true")
FLUX = "/v2/listen?model=flux-general-en&encoding=mulaw&sample_rate=8000&eager_eot_threshold=0.5"
MULTI = ("/v1/text-to-speech/v/multi-stream-input?model_id=eleven_flash_v2_5"
         "&output_format=ulaw_8000&sync_alignment=true")
SPEAK = "/v1/speak?model=aura-2-thalia-en&encoding=mulaw&sample_rate=8000"
TONE, QUIET = bytes([0x90] * 10 + [0x10] * 10) * 8, b"\xff" * 160
# Each is quick, all of them are not.
pytestmark = pytest.mark.slow
ANSWER_FAULTS = [name for name, kind in faults.KINDS.items() if "sse" in kind.before]


def post(vendors, path="/openai/v1/chat/completions", body=CHAT, port=None, seconds=10.0,
         headers=None):
    """(status, headers, body) of one request."""
    number = port or urllib.parse.urlsplit(vendors.ready["http"]).port
    connection = http.client.HTTPConnection("127.0.0.1", number, timeout=seconds)
    try:
        connection.request("POST", path, body, {
            "Authorization": "Bearer gsk_secret", "Content-Type": "application/json",
            **(headers or {})})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def told(body):
    """The text that a stream of chunks told, and whether it was complete."""
    chunks = [line[6:] for line in body.decode().splitlines() if line.startswith("data: ")]
    text = "".join(choice["delta"].get("content") or "" for chunk in chunks if chunk != "[DONE]"
                   for choice in json.loads(chunk)["choices"])
    return text, chunks[-1:] == ["[DONE]"]


def talk(vendors, path, messages, key="Token dg", gather=None):
    """
    Sends messages (dict or bytes) over a WebSocket and gathers what comes until it closes:
    (messages, close code, reason). A number is a pause in seconds.
    """
    async def run():
        got = [] if gather is None else gather
        headers = {"xi-api-key": "el"} if "text-to-speech" in path else {"Authorization": key}
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(vendors.ready["http"] + path, headers=headers,
                                          max_msg_size=0, timeout=5) as peer:
                async def send():
                    for each in messages:
                        if isinstance(each, (int, float)):
                            await asyncio.sleep(each)
                        elif isinstance(each, bytes):
                            await peer.send_bytes(each)
                        else:
                            await peer.send_str(each if isinstance(each, str)
                                                else json.dumps(each))
                sending = asyncio.ensure_future(send())
                while True:
                    message = await peer.receive(10)
                    if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                        got.append(message.data)
                        continue
                    sending.cancel()
                    return got, peer.close_code, message.extra
    return asyncio.run(run())


def utterances(*lengths_ms):
    """Frames of speech of these lengths, each with 1.6 s of silence after it."""
    return [frame for length in lengths_ms
            for frame in [TONE] * (length // 20) + [QUIET] * 80]


def test_without_faults_the_answer_is_whole(vendors):
    status, headers, body = post(vendors)
    assert status == 200 and told(body) == ("You said: Größe", True)
    assert headers["x-simulator"] == "aicaller-tests"


def test_every_kind_of_fault_is_tried_here():
    assert set(ANSWER_FAULTS) == set(ANSWERS) | {
        "status", "bad_json", "slow", "hang", "half_open", "refuse", "garbage", "truncated"}


ANSWERS = {
    "html": lambda status, headers, body: status == 502 and b"<html>" in body
    and headers["Content-Type"].startswith("text/html"),
    "empty": lambda status, headers, body: status == 200 and body == b"",
    "huge": lambda status, headers, body: len(body) > 100000
    and headers["Transfer-Encoding"] == "chunked",
    "gzip_bomb": lambda status, headers, body: len(body) < 2000
    and len(gzip.decompress(body)) > 100000 and headers["content-encoding"] == "gzip",
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_is_replaced_once(vendors, kind):
    parameters = {"bytes": 100000} if kind in ("huge", "gzip_bomb") else {}
    vendors.fault("groq", "chat", kind, **parameters)
    assert ANSWERS[kind](*post(vendors))
    assert told(post(vendors)[2]) == ("You said: Größe", True)
    assert [entry["faults"] for entry in vendors.received("groq")] == [[kind], []]


@pytest.mark.parametrize("kind, problem", [
    ("refuse", ConnectionResetError), ("garbage", http.client.BadStatusLine),
    ("truncated", http.client.IncompleteRead), ("hang", socket.timeout),
    ("half_open", socket.timeout)])
def test_a_connection_fails_once(vendors, kind, problem):
    vendors.fault("groq", "chat", kind)
    with pytest.raises(problem):
        post(vendors, seconds=0.3 if problem is socket.timeout else 10)
    assert post(vendors)[0] == 200


@pytest.mark.parametrize("variant", faults.VARIANTS)
def test_json_can_be_bad_in_many_ways(vendors, variant):
    vendors.fault("groq", "chat", "bad_json", variant=variant)
    assert post(vendors)[2].decode() == faults.VARIANTS[variant]


def test_a_slow_answer_is_slow(vendors):
    vendors.fault("groq", "chat", "slow", delay_ms=150)
    begun = time.monotonic()
    assert post(vendors)[0] == 200 and time.monotonic() - begun >= 0.15


def test_an_error_has_the_status_headers_and_body_of_the_vendor(vendors):
    vendors.fault("groq", "chat", "status", status=429, retry_after=2)
    status, headers, body = post(vendors)
    assert status == 429 and headers["retry-after"] == "2"
    assert headers["x-ratelimit-reset-tokens"] == "7.66s"
    assert json.loads(body)["error"]["code"] == "rate_limit_exceeded"
    vendors.fault("groq", "chat", "status", status=429)
    assert "retry-after" not in post(vendors)[1]
    vendors.fault("groq", "chat", "status", status=500, body={"other": 1}, headers={"x-a": "b"})
    status, headers, body = post(vendors)
    assert (status, headers["x-a"], json.loads(body)) == (500, "b", {"other": 1})


@pytest.mark.parametrize("kind, complete", [
    ("short", False), ("bad_json", True), ("huge", True), ("unknown_field", True),
    ("packed", True), ("slow", True), ("status", False)])
def test_a_stream_of_events_is_spoiled_in_the_middle(vendors, kind, complete):
    parameters = {"bytes": 50000} if kind == "huge" else {"delay_ms": 20} if kind == "slow" else {}
    vendors.fault("groq", "chat", kind, at="middle", after=2, **parameters)
    body = post(vendors)[2].decode()
    assert body.rstrip().endswith("[DONE]") == complete, body
    marks = {"bad_json": faults.VARIANTS["cut"], "huge": "x" * 50000, "status": "event: error",
             "unknown_field": "simulated_unknown_field"}
    assert marks.get(kind, "You") in body


@pytest.mark.parametrize("kind, problem", [
    ("reset", (ConnectionResetError, http.client.IncompleteRead)),
    ("eof", http.client.IncompleteRead), ("hang", socket.timeout), ("half_open", socket.timeout),
    ("garbage", (http.client.HTTPException, ValueError))])
def test_a_stream_breaks_in_the_middle(vendors, kind, problem):
    vendors.fault("groq", "chat", kind, at="middle", after=2)
    with pytest.raises(problem):
        post(vendors, seconds=0.4 if problem is socket.timeout else 10)


def test_a_tone_breaks_in_the_middle(vendors):
    path = "/v1/text-to-speech/v/stream?output_format=ulaw_8000"
    body, key = json.dumps({"text": "x" * 50}), {"xi-api-key": "el"}
    assert len(post(vendors, path, body, headers=key)[2]) == 50 * 480
    vendors.fault("elevenlabs", "stream", "short", at="middle", after=3)
    assert len(post(vendors, path, body, headers=key)[2]) == 3 * 3 * 480
    vendors.fault("elevenlabs", "stream", "eof", at="middle", after=3)
    with pytest.raises(http.client.IncompleteRead):
        post(vendors, path, body, headers=key)


@pytest.mark.parametrize("code, reason", [
    (1000, ""), (1001, ""), (1003, "MESSAGE-0000"), (1008, "DATA-0000"), (1008, "DATA-0001"),
    (1009, "BIG-0000"), (1009, "BIG-0001"), (1011, "NET-0000"), (1011, "NET-0001"), (None, "")])
def test_a_socket_closes_with_every_code(vendors, code, reason):
    vendors.fault("deepgram", "listen", "close", at="middle", after=1, code=code, reason=reason)
    got, found, _ = talk(vendors, LISTEN, utterances(400))
    assert found == (code or 1005) or code is None and found in (None, 0, 1000), found
    assert len(got) == 1
    assert vendors.received("deepgram")[0]["closed"] == {"by": "server", "code": code,
                                                         "reason": reason}


@pytest.mark.parametrize("kind", ["fragmented", "packed", "unknown_field", "unknown_message",
                                  "huge", "slow"])
def test_a_socket_is_odd_but_right(vendors, kind):
    parameters = {"delay_ms": 5} if kind == "slow" else {}
    vendors.fault("deepgram", "listen", kind, at="middle", **parameters)
    vendors.set("deepgram", script=["all is well"])
    got, code, _ = talk(vendors, LISTEN, [*utterances(400), {"type": "CloseStream"}])
    messages = [json.loads(text) for text in got]
    finals = [message["channel"]["alternatives"][0]["transcript"] for message in messages
              if message["type"] == "Results" and message["speech_final"]]
    assert finals == ["all is well"] and code == 1000
    marks = {"unknown_field": "simulated_unknown_field", "unknown_message": "SimulatedUnknown",
             "huge": "x" * 1310720}
    assert marks.get(kind, "") in "".join(got)


@pytest.mark.parametrize("kind", ["reset", "eof", "garbage"])
def test_a_socket_breaks_in_the_middle(vendors, kind):
    vendors.fault("deepgram", "listen", kind, at="middle", after=1)
    got, code, _ = talk(vendors, LISTEN, utterances(400, 400))
    # What the client has not read yet may be lost with a reset, and with garbage right behind it.
    assert len(got) == 1 or kind != "eof" and not got
    assert code in (1006, 1002, 1007, None), code


@pytest.mark.parametrize("kind", ["hang", "half_open"])
def test_a_socket_falls_silent(vendors, kind):
    vendors.fault("deepgram", "listen", kind, at="middle", after=1)
    got = []
    vendors.set("deepgram", idle_timeout_ms=60000)
    with pytest.raises(asyncio.TimeoutError):
        async def run():
            async with aiohttp.ClientSession() as session:
                async with session.ws_connect(vendors.ready["http"] + LISTEN, headers={
                        "Authorization": "Token dg"}, timeout=0.1) as peer:
                    for frame in utterances(400):
                        await peer.send_bytes(frame)
                    while True:
                        got.append((await peer.receive(2)).data)
        asyncio.run(run())
    assert len(got) == 1


def test_upgrades_are_refused_with_every_status(vendors):
    for status in (400, 401, 402, 403, 404, 413, 429, 499, 500, 502, 503, 504):
        vendors.fault("deepgram", "flux", "status", status=status)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            talk(vendors, FLUX, [])
        assert refused.value.status == status and refused.value.headers["dg-error"]


NOVA_QUIRKS = {
    "speech_started_twice": lambda kinds, messages: kinds.count("SpeechStarted") == 4,
    "no_speech_started": lambda kinds, messages: "SpeechStarted" not in kinds,
    "utterance_end_only": lambda kinds, messages: kinds.count("UtteranceEnd") == 2
    and not any(message.get("speech_final") for message in messages),
    "no_from_finalize": lambda kinds, messages: not any(
        "from_finalize" in message for message in messages),
    "finalize_ignored": lambda kinds, messages: not any(
        "from_finalize" in message for message in messages),
    "duplicate_final": lambda kinds, messages: sum(
        message.get("speech_final", False) for message in messages) == 4,
    "late_final": lambda kinds, messages: [
        kind for kind, message in zip(kinds, messages)
        if kind == "SpeechStarted" or message.get("speech_final")] == [
            "SpeechStarted", "Results", "SpeechStarted", "Results"],
    "flags_absent": lambda kinds, messages: any(
        kind == "Results" and "is_final" not in message for kind, message in zip(kinds, messages)),
    "last_word_unknown": lambda kinds, messages: [
        message["last_word_end"] for message in messages
        if message["type"] == "UtteranceEnd"] == [-1, -1],
}


@pytest.mark.parametrize("quirk", listen.QUIRKS)
def test_each_misbehaviour_of_nova_comes(vendors, quirk):
    vendors.fault("deepgram", "listen", quirk)
    got, _, _ = talk(vendors, LISTEN, [*utterances(1400, 1400), {"type": "Finalize"},
                                       {"type": "CloseStream"}])
    messages = [json.loads(text) for text in got]
    assert NOVA_QUIRKS[quirk]([message["type"] for message in messages], messages), messages


FLUX_QUIRKS = {
    "eager_then_resume": lambda events, messages: events == [
        "StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EagerEndOfTurn", "EndOfTurn"]
    and messages[-2]["transcript"] == "book a table for two",
    "no_eager": lambda events, messages: events == ["StartOfTurn", "EndOfTurn"],
    "no_trigger": lambda events, messages: not any("trigger" in each for each in messages),
    "sequence_jumps": lambda events, messages: messages[1]["sequence_id"] == 2,
    "start_twice": lambda events, messages: events[:2] == ["StartOfTurn", "StartOfTurn"],
}


@pytest.mark.parametrize("quirk", flux.QUIRKS)
def test_each_misbehaviour_of_flux_comes(vendors, quirk):
    vendors.fault("deepgram", "flux", quirk)
    vendors.set("deepgram", script=[{"segments": ["book a table", "for two"]}])
    got, _, _ = talk(vendors, FLUX, [*utterances(800), {"type": "CloseStream"}])
    messages = [json.loads(text) for text in got]
    events = [each["event"] for each in messages if each.get("event", "Update") != "Update"]
    told_last = [each for each in messages if each.get("event") in ("EndOfTurn", "Update")]
    ends = [each for each in messages if each.get("event") == "EndOfTurn"]
    assert FLUX_QUIRKS[quirk](events, [*messages[:2], *ends, told_last[-1]]), messages


def test_flux_tells_of_errors_in_its_own_form(vendors):
    vendors.fault("deepgram", "flux", "error", at="middle", after=1)
    got, code, _ = talk(vendors, FLUX, utterances(400))
    last = json.loads(got[-1])
    assert code == 1011 and last["type"] == "Error" and last["code"] == "INTERNAL_SERVER_ERROR"


@pytest.mark.parametrize("quirk", speak.QUIRKS)
def test_each_misbehaviour_of_aura_comes(vendors, quirk):
    vendors.fault("deepgram", "speak-socket", quirk)
    wish = [{"type": "Speak", "text": "Hello"}, {"type": "Flush"}, 0.1,
            {"type": "Speak", "text": "dropped"}, {"type": "Clear"}, 0.1]
    wish += [{"type": "Flush"}] * 20 if quirk == "legacy_warning" else []
    got, code, _ = talk(vendors, SPEAK, [*wish, {"type": "Close"}])
    order = ["sound" if isinstance(each, bytes) else json.loads(each)["type"] for each in got]
    cleared = order.index("Cleared")
    expected = {
        "no_flushed": "Flushed" not in order,
        "audio_after_clear": order[cleared - 1] == "sound",
        "audio_after_cleared": "sound" in order[cleared:],
        "legacy_warning": any("warn_code" in each for each in got if isinstance(each, str))}
    assert expected[quirk] and code == 1000, order


MULTI_QUIRKS = {
    "is_final_snake": lambda messages: messages[-1]["is_final"] and "isFinal" not in messages[0],
    "is_final_false": lambda messages: messages[0]["isFinal"] is False,
    "alignment_spelling": lambda messages: "charsStartTimesMs" in messages[0]["alignment"],
    "no_alignment": lambda messages: messages[0]["alignment"] is None,
    "one_message": lambda messages: len(base64.b64decode(messages[0]["audio"])) == 50 * 480,
    "final_missing": lambda messages: not any(each["isFinal"] for each in messages),
    "context_id_snake": lambda messages: messages[0]["context_id"] == "a",
    "flush_done": lambda messages: {"type": "flush_done", "context_id": "a"} in messages,
    "audio_after_close": lambda messages: messages[-1]["audio"] is not None,
}


@pytest.mark.parametrize("quirk", streaming.MULTI_QUIRKS)
def test_each_misbehaviour_of_elevenlabs_comes(vendors, quirk):
    vendors.fault("elevenlabs", "multi-stream-input", quirk)
    got, code, _ = talk(vendors, MULTI, [
        {"text": " ", "context_id": "a"}, {"text": "x" * 49 + " ", "context_id": "a",
                                           "flush": True}, 0.1,
        {"context_id": "a", "close_context": True}, 0.1, {"close_socket": True}])
    assert MULTI_QUIRKS[quirk]([json.loads(each) for each in got]) and code == 1000


def test_audio_that_is_not_what_was_declared_closes_1008(vendors):
    got, code, reason = talk(vendors, "/v1/listen?model=nova-3&encoding=opus&sample_rate=48000",
                             [b"OggS...."])
    assert (got, code, reason) == ([], 1008, "DATA-0000")


def test_idle_sockets_are_closed_as_documented(vendors):
    vendors.set("deepgram", idle_timeout_ms=200)
    _, code, reason = talk(vendors, LISTEN, [0.1, {"type": "KeepAlive"}, 0.1,
                                             {"type": "KeepAlive"}])
    assert (code, reason) == (1011, "NET-0001")


def test_ports_can_be_closed_mute_and_badly_certified(vendors):
    port = vendors.open_port("closed", "groq")["port"]
    with pytest.raises(ConnectionRefusedError):
        post(vendors, port=port)
    vendors.change_port(port, "plain")
    assert post(vendors, port=port)[0] == 200
    assert post(vendors, "/v1/chat/completions", port=port)[0] == 404, "it is of one vendor"
    vendors.change_port(port, "mute")
    with pytest.raises(socket.timeout):
        post(vendors, port=port, seconds=0.3)
    trusting = ssl.create_default_context(cafile=vendors.ca)
    for kind, reason in (("tls-expired", "expired"), ("tls-wrong-host", "mismatch"),
                         ("tls-unknown-ca", "unable to get local issuer")):
        vendors.change_port(port, kind)
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=trusting, timeout=5)
        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            connection.connect()
    vendors.change_port(port, "tls")
    connection = http.client.HTTPSConnection("localhost", port, context=trusting, timeout=5)
    connection.request("GET", "/openai/v1/models", headers={"Authorization": "Bearer x"})
    assert connection.getresponse().status == 200
    connection.close()


def test_the_journal_tells_what_was_received(vendors):
    got, _, _ = talk(vendors, LISTEN, [TONE, QUIET, {"type": "CloseStream"}], key="Token dg-secret")
    entry = vendors.received("deepgram", "listen", frames=True)[0]
    assert ["model", "nova-3"] in entry["query"] and entry["heard"]["bytes"] == 320
    assert vendors.sound(entry["id"]) == TONE + QUIET
    headers = dict(entry["headers"])
    assert headers["Authorization"] == "Token " + secret_hash("dg-secret")
    assert [frame["type"] for frame in entry["frames"] if frame["from"] == "client"][:3] == [
        "binary", "binary", "text"]
    assert json.loads(got[-1])["sha256"] == entry["heard"]["sha256"]


def test_what_does_not_exist_is_refused_with_what_does(vendors):
    with pytest.raises(Refused, match="there are: .*half_open"):
        vendors.fault("groq", "chat", "no such fault")
    with pytest.raises(Refused, match="first_token_ms"):
        vendors.set("groq", first_token=1)
    status, headers, _ = post(vendors, "/nowhere")
    assert status == 404 and headers["x-simulator"] == "aicaller-tests"


def test_the_program_says_what_it_is_and_ends_on_a_signal(tmp_path):
    run = pathlib.Path(__file__).resolve().parents[1] / "fakes/vendors/run"
    said = subprocess.run([run, "--help"], capture_output=True, text=True, check=True).stdout
    assert "simulators" in said.lower() and "SIGTERM" in said
    running = Simulators(tmp_path)
    try:
        assert running.ready["simulator"] == "aicaller-tests"
        assert pathlib.Path(running.ca).read_text(encoding="ascii").startswith("-----BEGIN")
    finally:
        running.stop()
    assert running.process.returncode == 0
