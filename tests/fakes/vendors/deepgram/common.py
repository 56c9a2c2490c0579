# SPDX-License-Identifier: ISC
"""
What all of Deepgram's endpoints have in common: request ids, credentials, error bodies, and the
parameters of the query. Sources: docs "Errors", "Token-Based Authentication",
"Using the Sec-WebSocket-Protocol", and the parameters of the API reference.
"""
import time
import uuid

from ..core import keys

ERRORS = {
    400: ("Bad Request", "The request is not valid."),
    401: ("INVALID_AUTH", "Invalid credentials."),
    402: ("ASR_PAYMENT_REQUIRED", "Project does not have enough credits for an ASR request."),
    403: ("INSUFFICIENT_PERMISSIONS", "The project may not use the requested model."),
    404: ("PROJECT_NOT_FOUND", "Project not found."),
    413: ("PAYLOAD_TOO_LARGE", "The payload is too large."),
    422: ("UNPROCESSABLE_ENTITY", "The text is too long."),
    429: ("TOO_MANY_REQUESTS", "Too many requests. Please try again later."),
    499: ("CLIENT_CLOSED_REQUEST", "The client closed the request."),
    500: ("INTERNAL_SERVER_ERROR", "An internal error occurred."),
    502: ("BAD_GATEWAY", "Bad gateway."),
    503: ("SERVICE_UNAVAILABLE", "Please try again later."),
    504: ("GATEWAY_TIMEOUT", "The request timed out."),
}
GRANT_SECONDS = 30


def headers(exchange):
    exchange.request_id = str(uuid.uuid4())
    return {"dg-request-id": exchange.request_id}


def error(exchange, status, code, message):
    """Two shapes of body are documented; the setting `error_shape` picks one."""
    default_code, default_message = ERRORS.get(status, ("ERROR", "An error occurred."))
    code, message = code or default_code, message or default_message
    if exchange.settings["error_shape"] == "modern":
        body = {"category": code, "message": message, "details": message,
                "request_id": exchange.request_id}
    else:
        body = {"err_code": code, "err_msg": message, "request_id": exchange.request_id}
    return {"dg-error": message}, body


def authorise(exchange):
    """(refusal or None, WebSocket protocols to choose from)."""
    request, settings = exchange.request, exchange.settings
    offered = [part.strip() for part in
               request.headers.get("sec-websocket-protocol", "").split(",") if part.strip()]
    if len(offered) == 2 and offered[0] in ("token", "bearer"):
        scheme, secret = offered
    else:
        scheme = "token" if keys.bearer(request, "Token") is not None else "bearer"
        secret = keys.bearer(request, scheme)
    good = (keys.is_good(settings, secret) if scheme == "token"
            else secret in _tokens(exchange) and _tokens(exchange)[secret] > time.monotonic())
    return (None if good else exchange.refuse(401)), (scheme,) if offered else ()


def _tokens(exchange):
    return exchange.simulator.state("deepgram tokens", dict)


def grant(exchange):
    """A temporary token, good for connecting within half a minute."""
    token = f"simulated.{uuid.uuid4().hex}.token"
    _tokens(exchange)[token] = time.monotonic() + GRANT_SECONDS
    return {"access_token": token, "expires_in": GRANT_SECONDS}


class Bad(Exception):
    """A parameter that Deepgram refuses with status 400."""


class Query:
    """The query, read by kind. What nobody asked for is noted at the end."""

    def __init__(self, query):
        self.query = query
        self.read = set()

    def text(self, name, default=None, allowed=None):
        self.read.add(name)
        values = self.query.getall(name, [])
        if len(values) > 1:
            raise Bad(f"{name} is given {len(values)} times")
        value = values[0] if values else default
        if values and allowed and value not in allowed:
            raise Bad(f"{name}={value} is not one of {', '.join(allowed)}")
        return value

    def flag(self, name):
        return self.text(name, "false", ("true", "false")) == "true"

    def number(self, name, default=None, least=None, most=None, kind=int):
        value = self.text(name)
        if value is None:
            return default
        try:
            number = kind(value)
        except ValueError:
            raise Bad(f"{name}={value} is not a number") from None
        if least is not None and number < least or most is not None and number > most:
            raise Bad(f"{name}={value} is out of range")
        return number

    def list(self, name):
        self.read.add(name)
        return self.query.getall(name, [])

    def strangers(self):
        return sorted(set(self.query) - self.read)


RAW = {"linear16": "pcm", "mulaw": "mulaw", "alaw": "alaw"}
ENCODINGS = ("linear16", "linear32", "flac", "alaw", "mulaw", "amr-nb", "amr-wb", "opus",
             "ogg-opus", "speex", "g729")


def read_audio_form(query):
    """(codec, rate) of raw audio; (None, None) for what the simulator cannot decode."""
    encoding = query.text("encoding", None, ENCODINGS)
    rate = query.number("sample_rate", None, 8000, 48000)
    if encoding in (*RAW, "linear32") and rate is None:
        raise Bad("sample_rate is required with this encoding")
    return RAW.get(encoding), rate
