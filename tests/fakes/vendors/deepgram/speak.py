# SPDX-License-Identifier: ISC
"""
POST /v1/speak and the WebSocket of the same path (Aura). Sources: API reference "Text to Speech",
docs "TTS Media Output Settings", "Streaming Text to Speech", "TTS Troubleshooting WebSocket".
"""
import asyncio
import collections
import json

from ..core.outbox import Outbox
from ..media.sound import Format
from ..media.voice import Voice
from . import common

MODEL_UUID = "5f9b2c9e-0000-4000-8000-000000000002"
RATES = {"linear16": (8000, 16000, 24000, 32000, 48000), "mulaw": (8000, 16000),
         "alaw": (8000, 16000)}
COMPRESSED = ("mp3", "opus", "flac", "aac")
SPEAK_CHARS, MINUTE_CHARS, MINUTE_FLUSHES = 2000, 2400, 20
QUIRKS = {
    "audio_after_clear": "sound of the dropped text still comes between Clear and Cleared",
    "audio_after_cleared": "sound of the dropped text comes even after Cleared",
    "no_flushed": "there is no Flushed",
    "legacy_warning": "Warning has warn_code and warn_msg instead of code and description",
}


def read_query(query, streamed):
    """(model, Format, content type, is it raw)."""
    model = query.text("model", "aura-asteria-en")
    if not model.startswith("aura-"):
        raise common.Bad(f"No such model: {model}")
    encoding = query.text("encoding", "linear16" if streamed else "mp3",
                          tuple(RATES) + (() if streamed else COMPRESSED))
    rate = query.number("sample_rate", {"mp3": 44100, "linear16": 24000}.get(encoding, 8000))
    container = query.text("container", "none" if streamed or encoding not in RATES else "wav",
                           ("none", "wav", "ogg"))
    query.number("bit_rate")
    query.number("speed", None, 0.7, 1.5, float)
    query.flag("mip_opt_out")
    query.list("tag")
    for name in ("callback", "callback_method"):
        query.text(name)
    if encoding in RATES and rate not in RATES[encoding]:
        raise common.Bad(f"sample_rate={rate} is not supported with {encoding}")
    if encoding in ("opus", "flac", "aac"):
        raise common.Bad(f"the simulator cannot make {encoding}")
    if encoding == "mp3":
        return model, Format("mp3", 44100), "audio/mpeg"
    form = Format(common.RAW[encoding], rate, wav=container == "wav")
    kind = {"linear16": "l16", "mulaw": "mulaw", "alaw": "alaw"}[encoding]
    return model, form, "audio/wav" if form.wav else f"audio/{kind};rate={rate}"


async def speak(exchange):
    """The REST form: one text, its sound in chunks."""
    body = await exchange.body()
    refusal, _ = common.authorise(exchange)
    if refusal is not None:
        return refusal
    query = common.Query(exchange.query)
    try:
        model, form, content_type = read_query(query, streamed=False)
        request = json.loads(body)
        if not isinstance(request, dict) or ("text" in request) == ("url" in request):
            raise common.Bad("exactly one of text and url is required")
        text = request.get("text", "")
        if not isinstance(text, str) or not text.strip():
            raise common.Bad("text is empty")
    except ValueError:
        return exchange.refuse(400, "INVALID_JSON", "The body is not JSON")
    except common.Bad as problem:
        return exchange.refuse(400, "Bad Request", str(problem))
    for name in query.strangers():
        exchange.entry.violation(f"the query parameter {name} is not documented")
    if len(text) > SPEAK_CHARS:
        return exchange.refuse(413, "Payload Too Large", "Input text exceeds 2000 characters")
    pieces = Voice(exchange.settings, form).speak(text)
    await asyncio.sleep(exchange.settings["first_byte_ms"] / 1000)
    stream = await exchange.stream(content_type, {
        "dg-model-name": model, "dg-model-uuid": MODEL_UUID, "dg-char-count": str(len(text))})
    if form.wav:
        await stream.write(form.header(None))
    for piece in pieces:
        await stream.write(piece.audio)
        await asyncio.sleep(exchange.settings["piece_every_ms"] / 1000)
    return await stream.finish()


async def stream_speech(exchange):
    """The WebSocket form."""
    refusal, protocols = common.authorise(exchange)
    if refusal is not None:
        return refusal
    query = common.Query(exchange.query)
    try:
        model, form, _ = read_query(query, streamed=True)
    except common.Bad as problem:
        return exchange.refuse(400, "INVALID_QUERY_PARAMETER", str(problem))
    for name in query.strangers():
        exchange.entry.violation(f"the query parameter {name} is not documented")
    socket = await exchange.socket(protocols)
    session = Speaking(exchange, socket, model, form)
    try:
        await session.run()
    finally:
        session.outbox.stop()
    return await socket.finish()


class Speaking:
    """One connection: texts wait for Flush, Clear drops what has not been sent."""

    def __init__(self, exchange, socket, model, form):
        self.exchange, self.socket, self.model = exchange, socket, model
        self.settings, self.entry = exchange.settings, exchange.entry
        self.voice = Voice(self.settings, form)
        self.outbox = Outbox(socket)
        self.text = ""
        self.sequence = 0
        self.loop = asyncio.get_running_loop()
        self.recent_chars = collections.deque()
        self.recent_flushes = collections.deque()

    async def run(self):
        self.outbox.post({
            "type": "Metadata", "request_id": self.exchange.request_id, "model_name": self.model,
            "model_version": "2026-01-01.0", "model_uuid": MODEL_UUID,
            "additional_model_uuids": []})
        while True:
            message = await self.socket.receive()
            if message is None:
                return
            if isinstance(message, bytes):
                self.entry.violation("a binary message; commands are text")
                return await self.socket.close(1003, "MESSAGE-0000")
            try:
                command = json.loads(message)
                action = getattr(self, "_" + command["type"].lower(), None)
            except (ValueError, TypeError, KeyError, AttributeError):
                command, action = {}, None
            if action is None:
                self.entry.violation(f"the message {message[:80]!r} is not documented")
                return await self.socket.close(1008, "DATA-0000")
            if not await action(command):
                return

    def _in_last_minute(self, events, amount):
        now = self.loop.time()
        events.append((now, amount))
        while events[0][0] < now - 60:
            events.popleft()
        return sum(each for _, each in events)

    async def _speak(self, command):
        text = command.get("text", "")
        if len(text) > SPEAK_CHARS:
            self.entry.violation("more than 2000 characters in one Speak")
            await self.socket.close(1009, "BIG-0001")
            return False
        if self._in_last_minute(self.recent_chars, len(text)) > MINUTE_CHARS:
            self.entry.violation("more than 2400 characters in a minute")
            await self.socket.close(1008, "DATA-0001")
            return False
        self.text += text
        return True

    async def _flush(self, _):
        if self._in_last_minute(self.recent_flushes, 1) > MINUTE_FLUSHES:
            self.entry.violation("more than 20 Flush in a minute")
            names = (("warn_msg", "warn_code") if self.exchange.quirk("legacy_warning")
                     else ("description", "code"))
            self.outbox.post({"type": "Warning", names[0]: "Too many Flush messages",
                              names[1]: "EXCESSIVE_FLUSH"})
            return True
        text, self.text = self.text, ""
        delay = self.settings["first_byte_ms"]
        for piece in self.voice.speak(text):
            self.outbox.post(piece.audio, delay)
            delay += self.settings["piece_every_ms"]
        if not self.exchange.quirk("no_flushed"):
            self.outbox.post({"type": "Flushed", "sequence_id": self.sequence}, delay)
            self.sequence += 1
        return True

    async def _clear(self, _):
        dropped, self.text = self.text or "dropped", ""
        self.outbox.drop()
        rest = self.voice.speak(dropped[:40])
        if self.exchange.quirk("audio_after_clear"):
            for piece in rest:
                self.outbox.post(piece.audio)
        self.outbox.post({"type": "Cleared", "sequence_id": self.sequence})
        self.sequence += 1
        if self.exchange.quirk("audio_after_cleared"):
            for piece in rest:
                self.outbox.post(piece.audio)
        return True

    async def _close(self, _):
        if self.text:
            await self._flush({})
        await self.outbox.drained()
        await self.socket.close(1000)
        return False
