# SPDX-License-Identifier: ISC
"""
POST /v1/text-to-speech/{voice}[/stream][/with-timestamps]. Sources: API reference "Create speech",
"Stream speech" and the two forms with timing; header names as measured by third parties.
"""
import asyncio
import base64
import json
import uuid

from ..media.voice import Voice
from . import common

FIELDS = {"text", "model_id", "language_code", "voice_settings", "seed", "previous_text",
          "next_text", "previous_request_ids", "next_request_ids", "use_pvc_as_ivc",
          "pronunciation_dictionary_locators", "apply_text_normalization",
          "apply_language_text_normalization", "audio_effects"}
QUERY = {"output_format", "optimize_streaming_latency", "enable_logging"}


def _problem(body):
    """(HTTP status, code, message) of what is wrong with a body, or None."""
    model = body.get("model_id", "eleven_multilingual_v2")
    if model not in common.MODELS:
        return 404, "model_not_found", f"The model {model} was not found."
    if len(body["text"]) > common.MODELS[model]:
        return 400, "max_character_limit_exceeded", "The text is too long for this model."
    for name in ("previous_request_ids", "next_request_ids", "pronunciation_dictionary_locators"):
        if len(body.get(name) or ()) > 3:
            return 400, "invalid_parameters", f"{name} holds at most 3"
    seed = body.get("seed")
    if seed is not None and not 0 <= seed <= 4294967295:
        return 400, "invalid_parameters", "seed is out of range"
    try:
        common.check_voice_settings(body.get("voice_settings") or {})
    except ValueError as problem:
        return 400, "invalid_voice_settings", str(problem)
    return None


def _missing(exchange, name):
    """The 422 of the framework that the service is built with."""
    return exchange.answer({"detail": [{"loc": ["body", name], "msg": "Field required",
                                        "type": "missing"}]}, 422)


async def _prepare(exchange):
    """(refusal, body, Format, content type)"""
    data = await exchange.body()
    refusal = common.authorise(exchange)
    if refusal is not None:
        return refusal, None, None, None
    try:
        body = json.loads(data)
    except ValueError:
        return _missing(exchange, "text"), None, None, None
    if not isinstance(body, dict) or not isinstance(body.get("text"), str) or not body["text"]:
        return _missing(exchange, "text"), None, None, None
    for name in (set(body) - FIELDS) | (set(exchange.query) - QUERY):
        exchange.entry.violation(f"{name} is not documented")
    voices = exchange.settings["voices"]
    if voices is not None and exchange.request.match_info["voice"] not in voices:
        return exchange.refuse(404, "voice_not_found"), None, None, None
    problem = _problem(body)
    if problem:
        return exchange.refuse(*problem), None, None, None
    try:
        form, kind = common.output_format(exchange.query.get("output_format", "mp3_44100_128"))
    except ValueError as wrong:
        return exchange.refuse(400, "invalid_output_format", str(wrong)), None, None, None
    return None, body, form, kind


def _headers(exchange, body):
    model = body.get("model_id", "eleven_multilingual_v2")
    return {"request-id": uuid.uuid4().hex, "history-item-id": uuid.uuid4().hex,
            "character-cost": str(common.cost(model, body["text"])),
            "current-concurrent-requests": "1", "maximum-concurrent-requests": "10"}


async def _first_byte(exchange):
    await asyncio.sleep(exchange.settings["first_byte_ms"] / 1000)


async def speak(exchange):
    """Both with and without /stream: the sound as it is."""
    refusal, body, form, kind = await _prepare(exchange)
    if refusal is not None:
        return refusal
    pieces = Voice(exchange.settings, form).speak(body["text"])
    await _first_byte(exchange)
    stream = await exchange.stream(kind, _headers(exchange, body))
    if form.wav:
        await stream.write(form.header(None))
    for piece in pieces:
        await stream.write(piece.audio)
        await asyncio.sleep(exchange.settings["piece_every_ms"] / 1000)
    return await stream.finish()


async def speak_timed(exchange):
    """/with-timestamps: one JSON object."""
    refusal, body, form, _ = await _prepare(exchange)
    if refusal is not None:
        return refusal
    pieces = Voice({**exchange.settings, "piece_ms": 10 ** 9}, form).speak(body["text"])
    await _first_byte(exchange)
    audio = form.header(None) + b"".join(piece.audio for piece in pieces)
    alignment = common.rest_alignment(pieces[0], 0)
    return exchange.answer({"audio_base64": base64.b64encode(audio).decode(),
                            "alignment": alignment, "normalized_alignment": alignment},
                           headers=_headers(exchange, body))


async def stream_timed(exchange):
    """/stream/with-timestamps: a JSON object for each piece of sound, one in a line."""
    refusal, body, form, _ = await _prepare(exchange)
    if refusal is not None:
        return refusal
    await _first_byte(exchange)
    stream = await exchange.stream("application/json", _headers(exchange, body))
    begin_ms = 0
    for piece in Voice(exchange.settings, form).speak(body["text"]):
        alignment = common.rest_alignment(piece, begin_ms)
        begin_ms += sum(piece.durations_ms)
        line = {"audio_base64": base64.b64encode(piece.audio).decode(), "alignment": alignment,
                "normalized_alignment": alignment}
        await stream.write(json.dumps(line).encode() + b"\n")
        await asyncio.sleep(exchange.settings["piece_every_ms"] / 1000)
    return await stream.finish()
