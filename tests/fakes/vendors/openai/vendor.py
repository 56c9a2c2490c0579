# SPDX-License-Identifier: ISC
"""Groq, and a server that speaks OpenAI's protocol in the dialect that the test sets."""
import time
import uuid

from ..core import keys, script
from ..core.exchange import Endpoint, Vendor
from ..media import voice
from . import audio, brain, chat, dialects

SHARED = {
    **keys.SETTINGS, **brain.SETTINGS, **script.SETTINGS, **voice.SETTINGS,
    "first_token_ms": 0, "token_every_ms": 0, "latency_ms": 0, "threshold": 300,
    "rate_limits": {}, "obfuscation": False,
}
GROQ_SETTINGS = {
    **SHARED, "dialect": "groq", "tone_hz": 700, "speech_chars": 200,
    "models": ["openai/gpt-oss-20b", "openai/gpt-oss-120b", "qwen/qwen3.8-27b",
               "whisper-large-v3", "whisper-large-v3-turbo", "canopylabs/orpheus-v1-english",
               "canopylabs/orpheus-arabic-saudi"],
    "rate_limits": {
        "x-ratelimit-limit-requests": "14400", "x-ratelimit-limit-tokens": "18000",
        "x-ratelimit-remaining-requests": "14370", "x-ratelimit-remaining-tokens": "17997",
        "x-ratelimit-reset-requests": "2m59.56s", "x-ratelimit-reset-tokens": "7.66s"},
}
OPENAI_SETTINGS = {**SHARED, "dialect": "openai", "tone_hz": 600, "speech_chars": 4096,
                   "models": None}
LOCAL_MODELS = ["simulated-model"]


def _headers(exchange):
    return {"x-request-id": "req_" + uuid.uuid4().hex[:24], **exchange.settings["rate_limits"]}


def _error(exchange, status, code, message):
    return {}, dialects.of(exchange).error(status, code, message)


def _models(exchange):
    dialect = dialects.of(exchange)
    refusal = chat.authorise(exchange, dialect)
    if refusal is not None:
        return refusal
    names = exchange.settings["models"] or LOCAL_MODELS
    return exchange.answer({"object": "list", "data": [_model(name) for name in names]})


def _model(name):
    return {"id": name, "object": "model", "created": int(time.time()), "owned_by": "simulator",
            "active": True, "context_window": 131072}


def _one_model(exchange):
    refusal = chat.authorise(exchange, dialects.of(exchange))
    if refusal is not None:
        return refusal
    name = exchange.request.match_info["model"]
    if name not in (exchange.settings["models"] or LOCAL_MODELS):
        return exchange.refuse(404)
    return exchange.answer(_model(name))


def _endpoints(vendor, base):
    return [
        Endpoint(vendor, "chat", "POST", base + "/chat/completions", chat.chat, "sse", chat.QUIRKS),
        Endpoint(vendor, "models", "GET", base + "/models", _models),
        Endpoint(vendor, "model", "GET", base + "/models/{model:.+}", _one_model),
        Endpoint(vendor, "transcriptions", "POST", base + "/audio/transcriptions",
                 audio.transcribe),
        Endpoint(vendor, "speech", "POST", base + "/audio/speech", audio.speak, "stream"),
    ]


GROQ = Vendor("groq", GROQ_SETTINGS, _endpoints("groq", "/openai/v1"), _error, _headers,
              {"dialect": ("groq",)})
OPENAI = Vendor("openai", OPENAI_SETTINGS, _endpoints("openai", "/v1"), _error, _headers,
                {"dialect": tuple(name for name in dialects.DIALECTS if name != "groq")})
