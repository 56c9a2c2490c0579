# SPDX-License-Identifier: ISC
"""
The WebSockets /stream-input (one voice) and /multi-stream-input (several contexts). Sources: API
reference "WebSocket" and "Multi-Context WebSocket"; closes as reported in public threads, see
README.md.
"""
import asyncio
import json

from ..core import keys
from . import context

SINGLE_FIELDS = {"text", "voice_settings", "generation_config", "generator_config", "flush",
                 "try_trigger_generation", "pronunciation_dictionary_locators", "xi_api_key",
                 "xi-api-key", "authorization"}
MULTI_FIELDS = SINGLE_FIELDS | {"context_id", "close_context", "close_socket"}
MULTI_QUIRKS = {
    **context.QUIRKS,
    "context_id_snake": "context_id instead of contextId",
    "flush_done": 'a message {"type": "flush_done"} comes after flushed sound',
    "audio_after_close": "sound of a closed context comes after its last message",
}


async def stream_input(exchange):
    return await _serve(exchange, Single)


async def multi_stream_input(exchange):
    return await _serve(exchange, Multi)


async def _serve(exchange, kind):
    request = exchange.request
    key = request.headers.get("xi-api-key") or keys.bearer(request) or \
        exchange.query.get("authorization") or exchange.query.get("single_use_token")
    if key and not keys.is_good(exchange.settings, key):
        return exchange.refuse(401)
    voices = exchange.settings["voices"]
    if voices is not None and request.match_info["voice"] not in voices:
        return exchange.refuse(404, "voice_not_found")
    try:
        options = context.Options(exchange)
    except ValueError as problem:
        return exchange.refuse(400, "invalid_parameters", str(problem))
    socket = await exchange.socket()
    socket.error_form = context.error_form
    session = kind(exchange, socket, options, bool(key))
    try:
        await session.run()
    finally:
        session.stop()
    return await socket.finish()


class Session:
    """What both forms do: read, check, time out, tell of errors."""

    fields = SINGLE_FIELDS

    def __init__(self, exchange, socket, options, authorised):
        self.exchange, self.socket, self.options = exchange, socket, options
        self.authorised = authorised
        self.loop = asyncio.get_running_loop()
        self.received = self.loop.time()
        self.watch = self.loop.create_task(self._watch())

    def contexts(self):
        raise NotImplementedError

    async def take(self, message):
        """Handles a message; False when the connection is over."""
        raise NotImplementedError

    def stop(self):
        self.watch.cancel()
        for each in self.contexts():
            each.outbox.stop()

    async def run(self):
        while True:
            text = await self.socket.receive()
            if text is None:
                return
            self.received = self.loop.time()
            try:
                message = self._read(text)
                self._authorise(message)
                if not await self.take(message):
                    return
            except context.Refuse as problem:
                self.exchange.entry.violation(str(problem))
                return await self.socket.fail(problem.error, str(problem))

    def _read(self, text):
        try:
            message = json.loads(text)
        except ValueError:
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("text", ""), str):
            raise context.Refuse("invalid_input_message", "the message is no JSON object with text")
        for name in set(message) - self.fields:
            self.exchange.entry.violation(f"the field {name} is not documented")
        return message

    def _authorise(self, message):
        if self.authorised:
            return
        key = message.get("xi_api_key") or message.get("xi-api-key") or message.get("authorization")
        if not keys.is_good(self.exchange.settings, key):
            raise context.Refuse("invalid_api_key", "Invalid API key")
        self.authorised = True

    async def _watch(self):
        limit = self.options.inactivity_s
        while True:
            wait = self.received + limit - self.loop.time()
            if wait <= 0:
                return await self.socket.fail("input_timeout_exceeded", context.silence(limit))
            await asyncio.sleep(wait)

    async def end(self):
        for each in self.contexts():
            await each.outbox.drained()
        await self.socket.close(1000)
        return False


class Single(Session):
    """One utterance for each connection; an empty text ends it."""

    def __init__(self, *arguments):
        self.context = None
        super().__init__(*arguments)
        self.context = context.Context(self.exchange, self.socket, self.options, {})

    def contexts(self):
        return [self.context] if self.context else []

    async def take(self, message):
        if "text" not in message:
            raise context.Refuse("invalid_input_message", "text is missing")
        if not self.context.begun:
            if message["text"] != " ":
                self.exchange.entry.violation("the text of the first message is not one space")
            self.context.begin(message)
        if message["text"] == "":
            self.context.generate()
            self.context.finish()
            return await self.end()
        self.context.add(message)
        return True


class Multi(Session):
    """Several contexts; an empty text only keeps its context alive."""

    fields = MULTI_FIELDS

    def __init__(self, *arguments):
        self.open = {}
        self.closed = []
        super().__init__(*arguments)

    def contexts(self):
        return [*self.open.values(), *self.closed]

    async def take(self, message):
        self._expire()
        if message.get("close_socket"):
            for each in list(self.open):
                self._close(each)
            return await self.end()
        name = message.get("context_id") or "default"
        if message.get("close_context"):
            if name in self.open:
                self._close(name)
            return True
        found = self.open.get(name) or self._begin(name, message)
        found.received = self.loop.time()
        found.add(message)
        flushes = message.get("flush") or self.options.auto_mode
        found.flushed = not found.text and bool(flushes or found.flushed)
        if message.get("flush") and self.exchange.quirk("flush_done"):
            found.outbox.post({"type": "flush_done", "context_id": name})
        return True

    def _begin(self, name, message):
        most = self.exchange.settings["max_contexts"]
        if len(self.open) >= most:
            raise context.Refuse("max_contexts_exceeded", f"at most {most} contexts may be open")
        if message.get("text", "") != " ":
            self.exchange.entry.violation("the text of a context's first message is not one space")
        field = "context_id" if self.exchange.quirk("context_id_snake") else "contextId"
        found = context.Context(self.exchange, self.socket, self.options, {field: name})
        found.begin(message)
        found.flushed = False
        self.open[name] = found
        return found

    def _close(self, name):
        """Flushed, it finishes what it has; otherwise the rest is dropped."""
        found = self.open.pop(name)
        if not found.flushed:
            found.text = ""
            found.outbox.drop()
        found.finish()
        if self.exchange.quirk("audio_after_close"):
            found.text = "sound of a closed context "
            found.generate()
        self.closed.append(found)
        for old in self.closed[:-20]:
            old.outbox.stop()
        del self.closed[:-20]

    def _expire(self):
        limit = self.loop.time() - self.options.inactivity_s
        for name in [name for name, each in self.open.items() if each.received < limit]:
            self._close(name)
