# SPDX-License-Identifier: ISC
"""
The official elevenlabs library against the simulator of ElevenLabs. Its own WebSocket client knows
the single form over TLS only; the messages of the other form are checked by its types.
"""
import base64
import json

import elevenlabs
from elevenlabs import VoiceSettings
from elevenlabs.client import ElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.errors import NotFoundError, UnauthorizedError, UnprocessableEntityError
from elevenlabs.types import (AudioOutput, AudioOutputMulti, FinalOutput, FinalOutputMulti,
                              WebsocketTtsServerMessageMulti)
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from common import main, only_over_tls, raises
from conform import conforms, sent_conforms

VOICE = "21m00Tcm4TlvDq8ikWAM"
TEXT = "Hello there, this is a test. "
FLASH = "eleven_flash_v2_5"
SOUND = ("audio", "alignment", "normalizedAlignment")


def client(context, key="el-test-key"):
    return ElevenLabs(api_key=key, base_url=context.base, timeout=20)


def stream(context):
    speech = client(context).text_to_speech
    with speech.with_raw_response.stream(VOICE, text=TEXT, model_id=FLASH,
                                         output_format="ulaw_8000") as answer:
        audio = b"".join(answer.data)
        headers = answer.headers
    assert len(audio) == len(TEXT) * 60 * 8
    assert headers["character-cost"] == "15" and headers["request-id"] and headers["x-trace-id"]
    assert b"".join(speech.convert(VOICE, text=TEXT, output_format="pcm_16000")) and audio
    mp3 = b"".join(speech.stream(VOICE, text=TEXT))
    assert mp3[:2] == b"\xff\xfb"


def timings(context):
    speech = client(context).text_to_speech
    whole = speech.convert_with_timestamps(VOICE, text=TEXT, output_format="ulaw_8000")
    conforms(whole)
    assert "".join(whole.alignment.characters) == TEXT
    assert whole.alignment.character_end_times_seconds[-1] == len(TEXT) * 0.06
    parts = list(speech.stream_with_timestamps(VOICE, text=TEXT, output_format="ulaw_8000"))
    assert "".join("".join(part.alignment.characters) for part in parts) == TEXT
    audio = b"".join(base64.b64decode(part.audio_base_64) for part in parts)
    assert audio == base64.b64decode(whole.audio_base_64)


@only_over_tls
def realtime(context):
    """The library's WebSocket client."""
    def words():
        yield from ("Hello there, ", "this is ", "a test. ")

    audio = b"".join(client(context).text_to_speech.convert_realtime(
        VOICE, text=words(), model_id=FLASH, output_format="ulaw_8000",
        voice_settings=VoiceSettings(stability=0.5, similarity_boost=0.75)))
    assert len(audio) >= len(TEXT) * 60 * 8, len(audio)
    context.control.fault("elevenlabs", "stream-input", "error", at="middle",
                          code="quota_exceeded", message="This request exceeds your quota.")
    problem = raises(ApiError, lambda: list(client(context).text_to_speech.convert_realtime(
        VOICE, text=words(), output_format="ulaw_8000")))
    assert problem.status_code == 1008 and "quota" in str(problem.body), problem


def open_socket(context, form, **query):
    values = "&".join(f"{name}={value}" for name, value in {
        "model_id": FLASH, "output_format": "ulaw_8000", "sync_alignment": "true", **query}.items())
    return connect(f"{context.socket}/v1/text-to-speech/{VOICE}/{form}?{values}",
                   additional_headers={"xi-api-key": "el-test-key"})


def without(message, *fields):
    """A message less fields that the service sends although the library's type lacks them."""
    return {name: value for name, value in message.items() if name not in fields}


def single_frames(context):
    context.control.set("elevenlabs", voices=[VOICE])
    with open_socket(context, "stream-input") as socket:
        for message in ({"text": " ", "voice_settings": {"stability": 0.5}}, {"text": TEXT},
                        {"text": ""}):
            socket.send(json.dumps(message))
        messages = [json.loads(text) for text in socket]
    chars = ""
    for message in messages[:-1]:
        sent_conforms(AudioOutput, without(message, "isFinal"))
        chars += "".join(message["alignment"]["chars"])
        assert message["alignment"]["charStartTimesMs"][0] == 0, "times are those of the chunk"
        assert len(base64.b64decode(message["audio"])) == len(message["alignment"]["chars"]) * 480
    assert chars == TEXT
    sent_conforms(FinalOutput, without(messages[-1], *SOUND))
    assert socket.close_code == 1000


def multi_frames(context):
    with open_socket(context, "multi-stream-input", auto_mode="true") as socket:
        for message in ({"text": " ", "context_id": "a", "voice_settings": {"speed": 1.1}},
                        {"text": TEXT, "context_id": "a", "flush": True},
                        {"text": " ", "context_id": "b"},
                        {"text": "never heard ", "context_id": "a", "flush": False},
                        {"text": "", "context_id": "b"},
                        {"context_id": "a", "close_context": True},
                        {"text": "Second. ", "context_id": "b", "flush": True},
                        {"close_socket": True}):
            socket.send(json.dumps(message))
        messages = [json.loads(text) for text in socket]
    assert socket.close_code == 1000
    spoken = {"a": "", "b": ""}
    finals = []
    for message in messages:
        sent_conforms(WebsocketTtsServerMessageMulti, without(message, "isFinal"))
        if message["audio"]:
            sent_conforms(AudioOutputMulti, without(message, "isFinal"))
            spoken[message["contextId"]] += "".join(message["alignment"]["chars"])
        else:
            sent_conforms(FinalOutputMulti, without(message, *SOUND))
            finals.append(message["contextId"])
    assert sorted(finals) == ["a", "b"] and spoken["b"] == "Second. "
    assert spoken["a"].startswith(TEXT)


def sockets_that_fail(context):
    with open_socket(context, "stream-input", inactivity_timeout=1) as socket:
        socket.send(json.dumps({"text": " "}))
        frame = json.loads(socket.recv(timeout=5))
        assert frame["error"] == "input_timeout_exceeded" and frame["code"] == 1008
        problem = raises(ConnectionClosed, lambda: socket.recv(timeout=5))
        assert problem.rcvd.code == 1008 and "timeout of 1 seconds" in problem.rcvd.reason
    with open_socket(context, "multi-stream-input") as socket:
        socket.send("this is no JSON")
        assert json.loads(socket.recv())["error"] == "invalid_input_message"
        problem = raises(ConnectionClosed, lambda: socket.recv(timeout=5))
        assert problem.rcvd.code == 1008
    context.control.ask("DELETE", "/received")


def account(context):
    known = client(context)
    user = known.user.get()
    conforms(user)
    assert user.subscription.character_limit == 100000
    voices = known.voices.get_all()
    conforms(voices)
    assert VOICE in [voice.voice_id for voice in voices.voices]
    models = known.models.list()
    for model in models:
        conforms(model)
    assert FLASH in [model.model_id for model in models]


def errors_by_status(context):
    context.control.set("elevenlabs", keys=["el-test-key"], voices=[VOICE])
    speech = client(context).text_to_speech
    problem = raises((ApiError, UnauthorizedError), lambda: client(context, "bad").user.get())
    assert problem.status_code == 401 and problem.body["detail"]["code"] == "invalid_api_key"
    problem = raises((ApiError, NotFoundError), lambda: list(speech.stream("gone", text="x")))
    assert problem.status_code == 404 and problem.body["detail"]["code"] == "voice_not_found"
    raises(UnprocessableEntityError, lambda: list(speech.stream(VOICE, text="")))
    for status, code in ((401, "quota_exceeded"), (402, "insufficient_credits"), (403, None),
                         (429, "concurrent_limit_exceeded"), (429, "system_busy"), (500, None)):
        for shape in ("new", "legacy", "text"):
            context.control.set("elevenlabs", error_shape=shape)
            context.control.fault("elevenlabs", "stream", "status", status=status, code=code,
                                  times=None)
            problem = raises(ApiError, lambda: list(speech.stream(
                VOICE, text="x", request_options={"max_retries": 0})))
            detail = problem.body["detail"]
            assert problem.status_code == status
            assert shape != "new" or code in (None, detail["code"]), detail
            assert shape == "text" or detail["status"] and detail["message"]
            context.control.heal()


main([stream, timings, realtime, single_frames, multi_frames, sockets_that_fail, account,
      errors_by_status], elevenlabs)
