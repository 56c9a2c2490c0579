# SPDX-License-Identifier: ISC
"""
GET /v1/listen, the streaming recogniser of the Nova models. Sources: API reference "Live Audio",
docs "Endpointing", "Utterance End", "Speech Started", "Finalize", "Close Stream",
"Audio Keep Alive", "Configure", "Recovering From Connection Errors".
"""
import asyncio
import json

from ..core import script
from ..core.outbox import Outbox
from ..media.hearing import Hearing
from . import common, results

MODELS = ("nova-3", "nova-2", "nova", "enhanced", "base")
FLAGS = ("multichannel", "interim_results", "vad_events", "punctuate", "smart_format", "numerals",
         "dictation", "profanity_filter", "filler_words", "no_delay", "diarize", "detect_entities",
         "mip_opt_out")
QUIRKS = {
    "speech_started_twice": "SpeechStarted comes twice for one utterance",
    "no_speech_started": "SpeechStarted is missing",
    "utterance_end_only": "UtteranceEnd comes without a speech_final before it",
    "no_from_finalize": "the answer to Finalize lacks from_finalize",
    "finalize_ignored": "there is no answer to Finalize",
    "duplicate_final": "each final result comes twice",
    "late_final": "the final result of an utterance comes when the next one has begun",
    "flags_absent": "is_final and speech_final are left out where they are false",
    "last_word_unknown": "last_word_end is -1",
}
PAUSE_MS = 500
KEYTERM_WORDS = 500


def read_query(query):
    """The parameters of a connection; raises common.Bad for what Deepgram refuses."""
    codec, rate = common.read_audio_form(query)
    model = query.text("model", "base-general")
    if not model.startswith(MODELS):
        raise common.Bad(f"No such model/language/tier combination found: {model}")
    values = {name: query.flag(name) for name in FLAGS}
    endpointing = query.text("endpointing", "10")
    values.update(
        codec=codec, rate=rate, model=model, version=query.text("version"),
        language=query.text("language", "en"), channels=query.number("channels", 1, 1),
        endpointing_ms=None if endpointing == "false" else query.number("endpointing", 10, 0),
        utterance_end_ms=query.number("utterance_end_ms", None, 1000),
        keyterms=query.list("keyterm"))
    if values["utterance_end_ms"] and not values["interim_results"]:
        raise common.Bad("utterance_end_ms requires interim_results=true")
    if values["keyterms"] and not model.startswith("nova-3"):
        raise common.Bad("keyterm is only supported by nova-3")
    if query.list("keywords") and model.startswith("nova-3"):
        raise common.Bad("keywords are not supported by nova-3; use keyterm")
    for name in ("redact", "search", "replace", "tag", "extra", "language_hint"):
        query.list(name)
    for name in ("diarize_model", "callback", "callback_method"):
        query.text(name)
    return values


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
    session = Listening(exchange, socket, parameters)
    try:
        await session.run()
    finally:
        session.stop()
    return await socket.finish()


class Listening:
    """One connection. Times are those of the audio, so the same audio gives the same results."""

    def __init__(self, exchange, socket, query):
        self.exchange, self.socket, self.query = exchange, socket, query
        self.settings, self.entry = exchange.settings, exchange.entry
        self.script = script.of(exchange)
        self.outbox = Outbox(socket)
        self.hearing = Hearing(query["codec"] or "pcm", query["rate"] or 8000,
                               self.settings["threshold"], self.settings["start_ms"])
        self.cursor_ms = 0
        self.utterance, self.shown = None, 0
        self.interim_ms = self.empty_ms = 0
        self.last_word_ms, self.awaits_end = None, False
        self.late = None
        self.loop = asyncio.get_running_loop()
        self.begun = self.received = self.loop.time()
        self.had_audio = False
        self.watch = self.loop.create_task(self._watch())

    def stop(self):
        self.watch.cancel()
        self.outbox.stop()

    async def run(self):
        while True:
            message = await self.socket.receive()
            if message is None:
                return
            self.received = self.loop.time()
            if isinstance(message, str):
                if not await self._command(message):
                    return
            elif not message:
                self.entry.violation("an empty binary message; it ends the stream")
                return await self._close_stream()
            elif not await self._audio(message):
                return

    async def _watch(self):
        """Deepgram closes a connection that sends nothing, or never any audio."""
        idle = self.settings["idle_timeout_ms"] / 1000
        while True:
            since = self.received if self.had_audio or self.settings["keepalive_suffices"] \
                else self.begun
            wait = since + idle - self.loop.time()
            if wait <= 0:
                return await self.socket.close(1011, "NET-0001")
            await asyncio.sleep(wait)

    async def _audio(self, data):
        if data[:1] == b"{" and b'"type"' in data[:40]:
            self.entry.violation("a command in a binary message: it is taken for audio")
        if self.query["codec"] is None:
            self.entry.note("the simulator decodes linear16, mulaw and alaw only")
            await self.socket.close(1008, "DATA-0000")
            return False
        self.had_audio = True
        self.entry.heard.add(data)
        first = data[::self.query["channels"]] if self.query["codec"] != "pcm" else data
        for event, at_ms in self.hearing.feed(first):
            self._heard(event, at_ms)
        return True

    def _heard(self, event, at_ms):
        if event == "start":
            self._begin(at_ms)
        elif event == "frame":
            if at_ms - self.interim_ms >= self.settings["interim_every_ms"]:
                self._interim(at_ms)
        elif event == "pause":
            self._pause()
        elif at_ms - self.empty_ms >= self.settings["empty_every_ms"]:
            self.empty_ms = at_ms
            self._send([], True, False)
        if self.awaits_end and not self.hearing.speaking:
            self._utterance_end()

    def _begin(self, at_ms):
        self.utterance, self.shown = self.script.next(self.settings), 0
        self.interim_ms, self.awaits_end = at_ms, False
        if self.late:
            self.outbox.post(self.late)
            self.late = None
        if self.query["vad_events"] and not self.exchange.quirk("no_speech_started"):
            for _ in range(2 if self.exchange.quirk("speech_started_twice") else 1):
                self.outbox.post(results.speech_started(at_ms))

    def _interim(self, at_ms):
        self.interim_ms = at_ms
        self.shown = min(self.shown + self.settings["interim_words"], len(self.utterance.words))
        if self.query["interim_results"]:
            self._send(self.utterance.words[:self.shown], False, False)

    def _pause(self):
        limit = self.query["endpointing_ms"]
        if self.settings["endpointing_ms"] is not None:
            limit = self.settings["endpointing_ms"]
        if self.hearing.silence_ms >= (PAUSE_MS if limit is None else max(limit, 20)):
            self._final(speech_final=limit is not None)

    def _final(self, speech_final, **flags):
        """The end of what was being said: all segments of the script's entry are final."""
        if self.exchange.quirk("utterance_end_only"):
            speech_final = False
        *first, last = self.utterance.segments if self.hearing.speaking else [""]
        for segment in first:
            self._send(segment.split(), True, False)
        self._send(last.split(), True, speech_final, **flags)
        if self.hearing.speaking:
            self.last_word_ms, self.awaits_end = self.hearing.voiced_ms, True
        self.utterance = None
        self.empty_ms = self.hearing.now_ms
        self.hearing.finish()

    def _utterance_end(self):
        wanted = self.query["utterance_end_ms"]
        if self.exchange.quirk("utterance_end_only"):
            wanted = wanted or 1000
        if wanted and self.hearing.now_ms - self.last_word_ms >= wanted:
            unknown = self.exchange.quirk("last_word_unknown")
            self.outbox.post(results.utterance_end(None if unknown else self.last_word_ms),
                             self.settings["latency_ms"])
            self.awaits_end = False

    def _send(self, words, is_final, speech_final, **flags):
        spoken = self.hearing.speaking
        now = self.hearing.now_ms
        segment = results.Segment(
            words, self.cursor_ms, now, self.hearing.started_ms if spoken else now,
            self.hearing.voiced_ms if spoken else now,
            self.utterance.confidence if self.utterance else 0.98,
            self.utterance.language if self.utterance else "en")
        if self.exchange.quirk("flags_absent"):
            is_final, speech_final = is_final or None, speech_final or None
        message = results.results(segment, self.query, self.exchange.request_id,
                                  is_final=is_final, speech_final=speech_final, **flags)
        if is_final:
            self.cursor_ms = now
        if is_final and words and self.exchange.quirk("late_final"):
            self.late = message
            return
        twice = is_final and words and self.exchange.quirk("duplicate_final")
        for _ in range(2 if twice else 1):
            self.outbox.post(message, self.settings["latency_ms"] if is_final
                             else self.settings["interim_latency_ms"])

    async def _command(self, text):
        """False when the connection is over."""
        try:
            command = json.loads(text)
            kind = command["type"]
        except (ValueError, TypeError, KeyError):
            command, kind = {}, None
        if kind == "KeepAlive":
            return True
        if kind == "CloseStream":
            return await self._close_stream()
        if kind == "Finalize":
            self._finalize()
        elif kind == "Configure":
            self.outbox.post(self._configure(command))
        else:
            self.entry.violation(f"the text message {text[:80]!r} is none of the documented ones")
            self.outbox.post({"type": "Error", "variant": "SchemaError", "message": text[:1000],
                              "description": "Could not deserialize last text message"})
        return True

    def _finalize(self):
        unheard = self.hearing.now_ms - self.cursor_ms
        if self.exchange.quirk("finalize_ignored") or (
                not self.hearing.speaking and unheard < self.settings["finalize_least_ms"]):
            return
        flags = {} if self.exchange.quirk("no_from_finalize") else {"from_finalize": True}
        self._final(self.settings["finalize_speech_final"], **flags)

    def _configure(self, command):
        answer = {"type": "ConfigureSuccess", "request_id": self.exchange.request_id}
        terms, features = command.get("keyterms"), command.get("features", {})
        if terms is None:
            problem = None
        elif not isinstance(terms, list) or not all(isinstance(term, str) for term in terms):
            problem = ("CONFIGURE_INTERNAL_ERROR", "keyterms is a list of texts")
        elif not self.query["model"].startswith("nova-3"):
            problem = ("CONFIGURE_KEYTERMS_NOT_SUPPORTED", "the model takes no keyterms")
        elif sum(len(term.split()) for term in terms) > KEYTERM_WORDS:
            problem = ("CONFIGURE_KEYTERM_LIMIT_EXCEEDED", "the keyterms exceed 500 tokens")
        else:
            problem = None
            self.query["keyterms"] = answer["keyterms"] = terms
        if not all(isinstance(value, bool) for value in features.values()):
            problem = ("CONFIGURE_INTERNAL_ERROR", "a feature is true or false")
        if problem:
            return {"type": "ConfigureFailure", "request_id": self.exchange.request_id,
                    "code": problem[0], "description": problem[1]}
        return answer

    async def _close_stream(self):
        if self.hearing.speaking:
            self._final(speech_final=True)
        if self.late:
            self.outbox.post(self.late)
        self.outbox.post(results.metadata(
            self.exchange.request_id, self.entry.heard.hash.hexdigest(), self.hearing.now_ms,
            self.query["channels"]))
        await self.outbox.drained()
        await self.socket.close(1000)
        return False
