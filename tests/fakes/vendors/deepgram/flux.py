# SPDX-License-Identifier: ISC
"""
GET /v2/listen, the conversational recogniser Flux. Sources: API reference "Turn-based Audio
(Flux)", docs "Flux: State Machine", "Configuration", "Configure", "Close Stream", "Force End Turn".
"""
import asyncio
import json

from ..core import script
from ..core.outbox import Outbox
from ..media.hearing import Hearing
from . import common

MODELS = ("flux-general-en", "flux-general-multi")
THRESHOLDS = {"eager_eot_threshold": (0.3, 0.9), "eot_threshold": (0.5, 1.0),
              "eot_timeout_ms": (500, 60000)}
QUIRKS = {
    "eager_then_resume": "after EagerEndOfTurn comes TurnResumed, then the turn ends later",
    "no_eager": "EagerEndOfTurn is missing although asked for",
    "no_trigger": "EndOfTurn has no trigger",
    "sequence_jumps": "sequence_id leaves out numbers",
    "start_twice": "StartOfTurn comes twice",
}
RESUMED_AFTER_MS = 160


def read_query(query):
    codec, rate = common.read_audio_form(query)
    model = query.text("model")
    if model not in MODELS:
        raise common.Bad(f"model must be one of {', '.join(MODELS)}")
    hints = query.list("language_hint")
    if hints and model != "flux-general-multi":
        raise common.Bad("language_hint is only valid with flux-general-multi")
    thresholds = {
        "eager_eot_threshold": query.number("eager_eot_threshold", None, 0.3, 0.9, float),
        "eot_threshold": query.number("eot_threshold", 0.7, 0.5, 1.0, float),
        "eot_timeout_ms": query.number("eot_timeout_ms", 5000, 500, 60000)}
    for name in ("profanity_filter", "mip_opt_out"):
        query.flag(name)
    for name in ("tag", "redact"):
        query.list(name)
    if query.number("channels", 1, 1) != 1:
        raise common.Bad("Flux takes one channel")
    return {"codec": codec, "rate": rate, "model": model, "thresholds": thresholds,
            "keyterms": query.list("keyterm"), "language_hints": hints,
            "numerals": query.flag("numerals")}


async def listen(exchange):
    refusal, protocols = common.authorise(exchange)
    if refusal is not None:
        return refusal
    query = common.Query(exchange.query)
    try:
        parameters = read_query(query)
    except common.Bad as problem:
        return exchange.refuse(400, "INVALID_QUERY_PARAMETER", str(problem))
    for name in query.strangers():
        exchange.entry.violation(f"the query parameter {name} is not documented")
    socket = await exchange.socket(protocols)
    session = Turns(exchange, socket, parameters)
    try:
        await session.run()
    finally:
        session.stop()
    return await socket.finish()


class Turns:
    """One connection: audio in, the states of turns out."""

    def __init__(self, exchange, socket, query):
        self.exchange, self.socket, self.query = exchange, socket, query
        self.settings, self.entry = exchange.settings, exchange.entry
        self.script = script.of(exchange)
        self.outbox = Outbox(socket)
        self.hearing = Hearing(query["codec"] or "pcm", query["rate"] or 8000,
                               self.settings["threshold"], self.settings["start_ms"])
        self.sequence = self.turn = 0
        self.window_ms = self.update_ms = 0
        self.utterance, self.shown = None, 0
        self.eager = self.resumed = False
        self.quiet_until_ms = None
        self.loop = asyncio.get_running_loop()
        self.received = self.loop.time()
        self.watch = self.loop.create_task(self._watch())
        socket.error_form = self._error

    def stop(self):
        self.watch.cancel()
        self.outbox.stop()

    async def run(self):
        self._post({"type": "Connected"})
        while True:
            message = await self.socket.receive()
            if message is None:
                return
            self.received = self.loop.time()
            if isinstance(message, bytes):
                if self.query["codec"] is None:
                    self.entry.note("the simulator decodes linear16, mulaw and alaw only")
                    return await self.socket.close(1008, "DATA-0000")
                self.entry.heard.add(message)
                for event, at_ms in self.hearing.feed(message):
                    self._heard(event, at_ms)
            elif not await self._command(message):
                return

    async def _watch(self):
        idle = self.settings["idle_timeout_ms"] / 1000
        while True:
            wait = self.received + idle - self.loop.time()
            if wait <= 0:
                return await self.socket.close(1011, "NET-0001")
            await asyncio.sleep(wait)

    def _post(self, message, delay_ms=0):
        step = 2 if self.exchange.quirk("sequence_jumps") else 1
        kind = message.pop("type")
        self.outbox.post({"type": kind, "request_id": self.exchange.request_id,
                          "sequence_id": self.sequence, **message}, delay_ms)
        self.sequence += step

    def _error(self, code, message):
        error = {"type": "Error", "sequence_id": self.sequence,
                 "code": code or "INTERNAL_SERVER_ERROR",
                 "description": message or "An internal error occurred"}
        return [error], 1011, error["code"]

    def _heard(self, event, at_ms):
        if event == "start":
            self.utterance, self.shown = self.script.next(self.settings), 1
            self.eager = self.resumed = False
            for _ in range(2 if self.exchange.quirk("start_twice") else 1):
                self._turn_info("StartOfTurn", 0.05)
        elif event == "frame" and self.eager:
            self._resume()
        elif event == "pause":
            self._pause()
        if at_ms - self.update_ms >= 240 and (
                self.hearing.speaking or self.settings["idle_updates"]):
            self._update()

    def _update(self):
        if self.utterance and not self.eager:
            self.shown = min(self.shown + 1, len(self._known()))
        self._turn_info("Update", 0.1 if self.hearing.speaking else 0.0)

    def _known(self):
        """The words that are said so far as the script goes: all, or those before it resumes."""
        if self.exchange.quirk("eager_then_resume") and not self.resumed:
            return self.utterance.segments[0].split()
        return self.utterance.words

    def _pause(self):
        silence, limits = self.hearing.silence_ms, self.query["thresholds"]
        if self.quiet_until_ms is not None:
            if self.hearing.now_ms < self.quiet_until_ms:
                return
            self.quiet_until_ms = None
            self._resume()
            return
        manual = limits["eot_threshold"] >= 1.0
        if silence >= limits["eot_timeout_ms"]:
            self._end("timeout")
        elif not manual and silence >= self.settings["end_silence_ms"]:
            if self.exchange.quirk("eager_then_resume") and not self.resumed and self.eager:
                self.quiet_until_ms = self.hearing.now_ms + RESUMED_AFTER_MS
            else:
                self._end("model")
        elif (limits["eager_eot_threshold"] is not None and not self.eager
              and not self.exchange.quirk("no_eager")
              and silence >= self.settings["eager_silence_ms"]):
            self.eager = True
            self.shown = len(self._known())
            self._turn_info("EagerEndOfTurn", limits["eager_eot_threshold"] + 0.05)

    def _resume(self):
        self.eager, self.resumed = False, True
        self.hearing.voiced_ms = self.hearing.now_ms
        self._turn_info("TurnResumed", 0.1)

    def _end(self, trigger):
        self.shown = len(self._known())
        extra = {} if self.exchange.quirk("no_trigger") else {"trigger": trigger}
        self._turn_info("EndOfTurn", max(self.query["thresholds"]["eot_threshold"], 0.8), **extra)
        self.turn += 1
        self.utterance, self.eager = None, False
        self.window_ms = self.hearing.now_ms
        self.hearing.finish()

    def _turn_info(self, event, confidence, **extra):
        self.update_ms = self.hearing.now_ms
        words = self._known()[:self.shown] if self.utterance else []
        if self.query["model"] == "flux-general-multi" and words:
            extra["languages"] = [self.utterance.language]
        if self.query["language_hints"]:
            extra["languages_hinted"] = self.query["language_hints"]
        self._post({
            "type": "TurnInfo", "event": event, "turn_index": self.turn,
            "audio_window_start": round(self.window_ms / 1000, 3),
            "audio_window_end": round(self.hearing.now_ms / 1000, 3),
            "transcript": " ".join(words),
            "words": [{"word": word, "confidence": 0.98} for word in words],
            "end_of_turn_confidence": round(confidence, 3), **extra},
            self.settings["latency_ms"] if event == "EndOfTurn"
            else self.settings["interim_latency_ms"])

    async def _command(self, text):
        """False when the connection is over."""
        try:
            command = json.loads(text)
            kind = command["type"]
        except (ValueError, TypeError, KeyError):
            command, kind = {}, None
        if kind == "CloseStream":
            if self.utterance:
                self.shown = len(self._known())
            self._turn_info("Update", 0.1)
            await self.outbox.drained()
            await self.socket.close(None)
            return False
        if kind == "ForceEndTurn":
            if self.utterance:
                self._end("manual")
        elif kind == "Configure":
            self._configure(command)
        elif kind in ("KeepAlive", "Finalize"):
            self.entry.violation(f"{kind} is documented for /v1/listen only")
        else:
            self.entry.violation(f"the text message {text[:80]!r} is none of the documented ones")
            self.socket.error_form = lambda code, message: (
                [{"type": "Error", "sequence_id": self.sequence, "code": "INVALID_MESSAGE",
                  "description": "The message could not be understood"}], 1008, "DATA-0000")
            await self.outbox.drained()
            await self.socket.fail()
            return False
        return True

    def _configure(self, command):
        wanted = command.get("thresholds") or {}
        problem = None
        for name, value in wanted.items():
            least, most = THRESHOLDS.get(name, (1, 0))
            if value is not None and not least <= value <= most:
                problem = f"{name}={value} is out of range"
        if command.get("language_hints") is not None and \
                self.query["model"] != "flux-general-multi":
            problem = "language_hints is only valid with flux-general-multi"
        if problem:
            return self._post({"type": "ConfigureFailure", "code": "INVALID_CONFIGURATION",
                               "description": problem})
        self.query["thresholds"].update(
            {name: value for name, value in wanted.items() if value is not None})
        for name in ("keyterms", "language_hints", "numerals"):
            if command.get(name) is not None:
                self.query[name] = command[name]
        answer = {"type": "ConfigureSuccess", "keyterms": self.query["keyterms"], "thresholds": {
            name: value for name, value in self.query["thresholds"].items() if value is not None}}
        if self.query["language_hints"]:
            answer["language_hints"] = self.query["language_hints"]
        return self._post(answer)
