# SPDX-License-Identifier: ISC
"""
POST .../audio/transcriptions and .../audio/speech for Groq and all dialects. Sources: API
references "Create transcription" and "Create speech", Groq docs "Text to Speech".
"""
import asyncio
import base64
import hashlib
import json
import uuid

from aiohttp import web

from ..core import script
from ..media import hearing, sound, voice
from . import chat, dialects

LANGUAGES = {"en": "english", "hi": "hindi"}
TRANSCRIPTION_FIELDS = {"file", "url", "model", "language", "prompt", "response_format",
                        "temperature", "timestamp_granularities[]", "timestamp_granularities",
                        "stream", "include[]", "chunking_strategy"}
SPEECH_FIELDS = {"groq": {"input", "model", "voice", "response_format", "sample_rate", "speed"},
                 "openai": {"input", "model", "voice", "instructions", "response_format", "speed",
                            "stream_format"}}
VOICES = {"groq": ("autumn", "diana", "hannah", "austin", "daniel", "troy"),
          "openai": ("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova",
                     "onyx", "sage", "shimmer", "verse")}
FORMATS = {"wav": ("audio/wav", 24000), "pcm": ("audio/pcm", 24000), "mp3": ("audio/mpeg", 44100)}
GROQ_RATE = 48000


async def _form(exchange):
    """The fields of a multipart body; files are noted by size and hash."""
    form = await exchange.request.post()
    shown = {}
    for name, value in form.items():
        if isinstance(value, web.FileField):
            data = value.file.read()
            value.file.seek(0)
            exchange.entry.heard.add(data)
            shown[name] = {"filename": value.filename, "content_type": value.content_type,
                           "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        else:
            shown[name] = value
    exchange.entry.data["body"] = shown
    return form


async def transcribe(exchange):
    dialect = dialects.of(exchange)
    refusal = chat.authorise(exchange, dialect)
    form = await _form(exchange)
    if refusal is not None:
        return refusal
    for name in form:
        if name not in TRANSCRIPTION_FIELDS:
            exchange.entry.violation(f"the field {name} is not documented")
    upload = form.get("file")
    if not form.get("model") or not isinstance(upload, web.FileField):
        return exchange.refuse(400, None, "'model' and 'file' are required")
    if not chat.known_model(exchange, dialect, form["model"]):
        return exchange.refuse(404, None, f"The model `{form['model']}` does not exist or you do "
                               "not have access to it.")
    wav = sound.read_wav(upload.file.read())
    if wav is None:
        return exchange.refuse(400, None, "could not process file - is it a valid media file? "
                               "(the simulator reads WAV only)")
    codec, rate, channels, audio = wav
    width = 2 if codec == "pcm" else 1
    if channels != 1:
        exchange.entry.note("the simulator hears files of one channel only")
    seconds = len(audio) / (rate * width * channels)
    spoken = hearing.spans(codec, rate, audio, threshold=exchange.settings["threshold"])
    said = script.of(exchange).next(exchange.settings) if spoken else script.Utterance([""])
    await asyncio.sleep(exchange.settings["latency_ms"] / 1000)
    return await _tell(exchange, form, said, seconds)


async def _tell(exchange, form, said, seconds):
    kind = form.get("response_format", "json")
    if form.get("stream") == "true":
        return await _tell_streamed(exchange, said)
    if kind == "text":
        return exchange.answer(said.text + "\n", content_type="text/plain; charset=utf-8")
    answer = {"text": said.text}
    if exchange.vendor.name == "groq":
        answer["x_groq"] = {"id": "req_" + uuid.uuid4().hex[:24]}
    else:
        answer["usage"] = {"type": "duration", "seconds": round(seconds)}
    if kind == "verbose_json":
        answer.update(task="transcribe", duration=round(seconds, 2),
                      language=LANGUAGES.get(said.language, said.language))
        each = seconds / max(1, len(said.words))
        words = [{"word": word, "start": round(number * each, 2),
                  "end": round((number + 1) * each, 2)} for number, word in enumerate(said.words)]
        if "word" in form.getall("timestamp_granularities[]", []):
            answer["words"] = words
        answer["segments"] = [{
            "id": 0, "seek": 0, "start": 0, "end": round(seconds, 2), "text": " " + said.text,
            "tokens": [], "temperature": 0, "avg_logprob": -0.1, "compression_ratio": 1.0,
            "no_speech_prob": 0.9 if not said.text else 0.01}]
    elif kind != "json":
        return exchange.refuse(400, None, f"the simulator does not make response_format {kind}")
    return exchange.answer(answer)


async def _tell_streamed(exchange, said):
    events = await exchange.events()
    for number, word in enumerate(said.words):
        await events.event({"type": "transcript.text.delta",
                            "delta": word if number == 0 else " " + word})
    await events.event({"type": "transcript.text.done", "text": said.text, "usage": {
        "type": "tokens", "input_tokens": 10, "output_tokens": len(said.words),
        "total_tokens": 10 + len(said.words)}})
    return await events.finish()


async def speak(exchange):
    dialect = dialects.of(exchange)
    data = await exchange.body()
    refusal = chat.authorise(exchange, dialect)
    if refusal is not None:
        return refusal
    vendor = exchange.vendor.name
    try:
        body = json.loads(data)
    except ValueError:
        return exchange.refuse(400, None, "could not parse the body")
    problem = _speech_problem(exchange, body, vendor)
    if problem:
        exchange.entry.violation(problem)
        return exchange.refuse(400, None, problem)
    if not chat.known_model(exchange, dialect, body["model"]):
        return exchange.refuse(404, None, f"The model `{body['model']}` does not exist or you do "
                               "not have access to it.")
    kind = body.get("response_format") or ("wav" if vendor == "groq" else "mp3")
    content_type, rate = FORMATS[kind]
    form = sound.Format("mp3" if kind == "mp3" else "pcm", GROQ_RATE if vendor == "groq" else rate,
                        wav=kind == "wav")
    pieces = voice.Voice(exchange.settings, form).speak(body["input"])
    await asyncio.sleep(exchange.settings["first_byte_ms"] / 1000)
    if body.get("stream_format") == "sse":
        return await _speak_events(exchange, form, pieces)
    stream = await exchange.stream(content_type)
    if form.wav:
        await stream.write(form.header(None))
    for piece in pieces:
        await stream.write(piece.audio)
        await asyncio.sleep(exchange.settings["piece_every_ms"] / 1000)
    return await stream.finish()


async def _speak_events(exchange, form, pieces):
    events = await exchange.events()
    for number, piece in enumerate(pieces):
        audio = (form.header(None) if number == 0 else b"") + piece.audio
        await events.event({"type": "speech.audio.delta",
                            "audio": base64.b64encode(audio).decode()})
    await events.event({"type": "speech.audio.done", "usage": {
        "input_tokens": 5, "output_tokens": 50, "total_tokens": 55}})
    return await events.finish()


def _speech_problem(exchange, body, vendor):
    """What is wrong with a request for speech, or None."""
    strict = dialects.of(exchange).strict is not None
    for name in ("model", "input", "voice"):
        if not isinstance(body.get(name), str) or not body[name]:
            return f"'{name}' is required"
    for name in body if strict else ():
        if name not in SPEECH_FIELDS[vendor]:
            return f"property '{name}' is unsupported"
    most = exchange.settings["speech_chars"]
    if most is not None and len(body["input"]) > most:
        return f"'input' is longer than {most} characters"
    if strict and body["voice"] not in VOICES[vendor]:
        return f"'voice' must be one of {', '.join(VOICES[vendor])}"
    kind = body.get("response_format", "wav")
    if vendor == "groq" and kind != "wav":
        return "'response_format' must be wav"
    if kind not in FORMATS:
        return f"the simulator does not make response_format {kind}"
    return None
