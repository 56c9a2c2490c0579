# SPDX-License-Identifier: ISC
"""
What ElevenLabs' endpoints have in common: error envelopes, audio formats, models, alignments.
Sources: docs "Errors", API reference "Create speech" and "WebSocket", the official library's types.
"""
import re
import uuid

from ..core import keys
from ..media.sound import Format

DOCS = "https://elevenlabs.io/docs/eleven-api/resources/errors"
# HTTP status: (type, code, legacy status, message)
ERRORS = {
    400: ("validation_error", "invalid_parameters", "invalid_parameters", "Invalid parameters."),
    401: ("authentication_error", "invalid_api_key", "invalid_api_key", "Invalid API key"),
    402: ("payment_required", "insufficient_credits", "quota_exceeded",
          "This request exceeds your quota. You have 11 credits remaining."),
    403: ("authorization_error", "feature_not_available", "only_for_creator+", "Not permitted."),
    404: ("not_found", "voice_not_found", "voice_not_found",
          "A voice with the given voice_id was not found."),
    409: ("conflict", "conflict", "conflict", "Conflict."),
    413: ("validation_error", "max_character_limit_exceeded", "max_character_limit_exceeded",
          "The text is too long."),
    422: ("validation_error", "unprocessable_entity", "unprocessable_entity", "Invalid input."),
    425: ("too_early", "too_early", "too_early", "Too early."),
    429: ("rate_limit_error", "concurrent_limit_exceeded", "too_many_concurrent_requests",
          "Too many concurrent requests. Your current subscription allows 10."),
    500: ("internal_error", "internal_error", "internal_error", "An internal error occurred."),
    503: ("service_unavailable", "service_unavailable", "service_unavailable",
          "The service is unavailable."),
}
# Codes that come with more than one meaning of their HTTP status: (type, legacy status, message)
CODES = {
    "quota_exceeded": ("quota_error", "quota_exceeded",
                       "This request exceeds your quota. You have 11 credits remaining."),
    "missing_permissions": ("authentication_error", "missing_permissions",
                            "The API key lacks the permission text_to_speech."),
    "detected_unusual_activity": ("authentication_error", "detected_unusual_activity",
                                  "Unusual activity detected. Free Tier usage disabled."),
    "paid_plan_required": ("payment_required", "paid_plan_required", "A paid plan is required."),
    "voice_access_denied": ("authorization_error", "voice_access_denied", "Voice not permitted."),
    "model_access_denied": ("authorization_error", "model_access_denied", "Model not permitted."),
    "model_not_found": ("not_found", "model_not_found", "The model was not found."),
    "max_character_limit_exceeded": ("validation_error", "max_character_limit_exceeded",
                                     "The text is too long."),
    "rate_limit_exceeded": ("rate_limit_error", "rate_limit_exceeded", "Too many requests."),
    "system_busy": ("rate_limit_error", "system_busy", "Our service is experiencing high traffic."),
}
MODELS = {"eleven_flash_v2_5": 40000, "eleven_turbo_v2_5": 40000, "eleven_flash_v2": 30000,
          "eleven_turbo_v2": 30000, "eleven_multilingual_v2": 10000, "eleven_v3": 5000}
CHEAP = ("eleven_flash", "eleven_turbo")
OUTPUT_FORMAT = re.compile(r"(mp3|pcm|wav|ulaw|alaw|opus)_(\d+)(?:_(\d+))?")
RATES = {"pcm": (8000, 16000, 22050, 24000, 32000, 44100, 48000), "ulaw": (8000,), "alaw": (8000,),
         "wav": (8000, 16000, 22050, 24000, 32000, 44100, 48000), "mp3": (22050, 24000, 44100)}
TYPES = {"mp3": "audio/mpeg", "pcm": "audio/pcm", "wav": "audio/wav", "ulaw": "audio/basic",
         "alaw": "audio/x-alaw-basic"}
VOICES = {"21m00Tcm4TlvDq8ikWAM": "Rachel", "EXAVITQu4vr4xnSDxMaL": "Sarah",
          "pNInz6obpgDQGcFmaJgB": "Adam"}


def headers(exchange):
    exchange.trace_id = uuid.uuid4().hex
    return {"x-trace-id": exchange.trace_id, "x-region": "simulated"}


def error(exchange, status, code, message):
    """In the shape that the setting `error_shape` names: new, legacy, or text."""
    kind, default_code, legacy, text = ERRORS.get(status, ERRORS[500])
    if code in CODES:
        kind, legacy, text = CODES[code]
    code, message = code or default_code, message or text
    shape = exchange.settings["error_shape"]
    if shape == "text":
        return {}, {"detail": message}
    detail = {"status": legacy, "message": message}
    if shape == "new":
        detail = {"type": kind, "code": code, **detail, "request_id": exchange.trace_id,
                  "docs_url": DOCS, "param": None}
    return {}, {"detail": detail}


def authorise(exchange):
    """A refusal, or None."""
    key = exchange.request.headers.get("xi-api-key") or keys.bearer(exchange.request)
    return None if keys.is_good(exchange.settings, key) else exchange.refuse(401)


def output_format(text):
    """(Format, content type); raises ValueError for what does not exist or cannot be made here."""
    found = OUTPUT_FORMAT.fullmatch(text)
    if not found:
        raise ValueError(f"output_format {text} does not exist")
    codec, rate = found[1], int(found[2])
    if codec == "opus":
        raise ValueError("the simulator cannot make opus")
    if rate not in RATES[codec]:
        raise ValueError(f"output_format {text} does not exist")
    form = Format({"ulaw": "mulaw", "wav": "pcm"}.get(codec, codec), rate, wav=codec == "wav")
    return form, TYPES[codec]


def check_voice_settings(wanted):
    """Raises ValueError."""
    if not isinstance(wanted, dict):
        raise ValueError("voice_settings is an object")
    limits = {"stability": (0, 1), "similarity_boost": (0, 1), "style": (0, 1), "speed": (0.7, 1.2)}
    for name, (least, most) in limits.items():
        value = wanted.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))
                                  or not least <= value <= most):
            raise ValueError(f"voice_settings.{name} is between {least} and {most}")


def cost(model, text):
    """Credits: the fast models cost half a credit for a character."""
    return (len(text) + 1) // 2 if model.startswith(CHEAP) else len(text)


def socket_alignment(piece, odd_spelling=False):
    """The alignment of a WebSocket message; its times are relative to the message's sound."""
    names = (("charsStartTimesMs", "charsDurationsMs") if odd_spelling
             else ("charStartTimesMs", "charDurationsMs"))
    return {"chars": piece.chars, names[0]: piece.starts_ms, names[1]: piece.durations_ms}


def rest_alignment(piece, begin_ms):
    """The alignment of an HTTP answer, in seconds of the whole sound."""
    starts = [(begin_ms + start) / 1000 for start in piece.starts_ms]
    return {"characters": piece.chars, "character_start_times_seconds": starts,
            "character_end_times_seconds": [round(start + duration / 1000, 3) for start, duration
                                            in zip(starts, piece.durations_ms)]}
