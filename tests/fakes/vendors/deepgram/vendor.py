# SPDX-License-Identifier: ISC
"""Deepgram: its endpoints and settings, and the small requests that deep checks make."""
import uuid

from ..core import keys, script
from ..core.exchange import Endpoint, Vendor
from ..media import voice
from . import common, flux, listen, speak

PROJECT = {"project_id": "5f9b2c9e-0000-4000-8000-00000000000a", "name": "simulated project"}
SETTINGS = {
    **keys.SETTINGS, **script.SETTINGS, **voice.SETTINGS, "tone_hz": 500,
    "threshold": 300, "start_ms": 60,
    "latency_ms": 0, "interim_latency_ms": 0,
    "endpointing_ms": None, "interim_every_ms": 1000, "interim_words": 2, "empty_every_ms": 3000,
    "idle_timeout_ms": 10000, "keepalive_suffices": False,
    "finalize_least_ms": 100, "finalize_speech_final": False,
    "eager_silence_ms": 200, "end_silence_ms": 400, "idle_updates": True,
    "error_shape": "legacy",
}


def _authorised(answer):
    def handle(exchange):
        refusal, _ = common.authorise(exchange)
        return exchange.answer(answer(exchange)) if refusal is None else refusal
    return handle


def _models(_):
    stt = [{"name": name, "canonical_name": name, "architecture": name, "languages": ["en"],
            "version": "2026-01-01.0", "uuid": uuid.UUID(int=number).hex, "batch": True,
            "streaming": True, "formatted_output": True}
           for number, name in enumerate(("nova-3", "nova-2", "flux-general-en"), 1)]
    return {"stt": stt, "tts": [{"name": "thalia", "canonical_name": "aura-2-thalia-en",
                                 "architecture": "aura-2", "languages": ["en"],
                                 "version": "2026-01-01.0", "uuid": speak.MODEL_UUID}]}


ENDPOINTS = [
    Endpoint("deepgram", "listen", "GET", "/v1/listen", listen.listen, "socket", listen.QUIRKS),
    Endpoint("deepgram", "flux", "GET", "/v2/listen", flux.listen, "socket", flux.QUIRKS),
    Endpoint("deepgram", "speak", "POST", "/v1/speak", speak.speak, "stream"),
    Endpoint("deepgram", "speak-socket", "GET", "/v1/speak", speak.stream_speech, "socket",
             speak.QUIRKS),
    Endpoint("deepgram", "projects", "GET", "/v1/projects",
             _authorised(lambda _: {"projects": [PROJECT]})),
    Endpoint("deepgram", "project", "GET", "/v1/projects/" + PROJECT["project_id"],
             _authorised(lambda _: PROJECT)),
    Endpoint("deepgram", "token", "GET", "/v1/auth/token", _authorised(
        lambda _: {"api_key_id": "simulated", "scopes": ["usage:write"]})),
    Endpoint("deepgram", "grant", "POST", "/v1/auth/grant", _authorised(common.grant)),
    Endpoint("deepgram", "models", "GET", "/v1/models", _authorised(_models)),
]
VENDOR = Vendor("deepgram", SETTINGS, ENDPOINTS, common.error, common.headers,
                {"error_shape": ("legacy", "modern")})


def claims(request):
    return request.headers.get("authorization", "").lower().startswith("token ")
