# SPDX-License-Identifier: ISC
"""
A media stream in real time: our WebSocket to the application, as Twilio runs it for
<Connect><Stream>. Source: docs "Media Streams WebSocket Messages", "TwiML Voice: <Stream>".
"""
import asyncio
import base64
import hashlib
import json
import secrets
import time

from ..media import g711
from . import media, peer, signature, webhooks

SLOW_READER_BYTES = 256 * 1024
HEARD_BYTES = 60 * 60 * 1000 * media.BYTES_PER_MS


class Stream:
    """One stream of a call. `run` returns when the application has ended it."""

    def __init__(self, call, verb):
        self.call, self.verb, self.plan = call, verb, call.plan
        self.sid = "MZ" + secrets.token_hex(16)
        self.name = verb.get("name") or self.sid
        self.peer = None
        self.playback = media.Playback()
        self.sequence = self.chunk = 0
        self.begun_ms = 0
        self.heard, self.spans = bytearray(), []
        self.sent = bytearray()
        self.payload_hash = hashlib.sha256()
        self.state = "new"
        self.counts = {}

    def position_ms(self):
        """Presentation time: how much of the stream has gone."""
        return len(self.sent) // media.BYTES_PER_MS

    async def run(self):
        await asyncio.sleep(self.plan.stream_delay_ms / 1000)
        url = self.verb.get("url")
        try:
            self.peer = await self._connect(url)
        except (peer.Refused, webhooks.Unreachable) as problem:
            self.call.violation(str(problem))
            await self._callback("stream-error", str(problem))
            return
        self.state = "open"
        self.begun_ms = self.call.now_ms()
        self.call.log("stream-started", stream=self.sid)
        started = asyncio.create_task(self._callback("stream-started"))
        speaking = asyncio.create_task(self._speak())
        try:
            await self._listen(speaking)
        finally:
            speaking.cancel()
            await self._stop()
            await started
            await self._callback("stream-stopped" if self.state == "closed" else "stream-error",
                                 "" if self.state == "closed"
                                 else "31903 - Stream - WebSocket - Connection Broken Pipe")

    async def _connect(self, url):
        hooks = self.call.carrier.webhooks
        route = webhooks.find_route(url, hooks.settings["gateways"])
        signed = signature.as_signed(url) + ("/" if self.plan.signature == "slash" else "")
        return await peer.connect(route.address, hooks.tls() if route.scheme == "https" else None,
                                  route.host, route.path,
                                  {**hooks.sign(signed, (), self.plan), **route.headers})

    def _send(self, event, content=None, numbered=True):
        message = {"event": event}
        if numbered:
            self.sequence += 1
            message["sequenceNumber"] = str(self.sequence)
        message.update(content or {})
        if numbered:
            message["streamSid"] = self.sid
        self.peer.send(json.dumps(message))

    def _begin(self):
        self._send("connected", {"protocol": "Call", "version": "1.0.0"}, numbered=False)
        parameters = {child.get("name"): child.get("value") for child in self.verb.children}
        self._send("start", {"start": {
            "accountSid": self.call.account_sid, "streamSid": self.sid, "callSid": self.call.sid,
            "tracks": ["inbound"], "customParameters": parameters,
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}}})

    async def _speak(self):
        """The caller's sound, every 20 ms of real time; at the same pace we play what we got."""
        self._begin()
        step = self.plan.frame_ms
        begun = time.monotonic()
        number = 0
        while True:
            number += 1
            wait = begun + number * step / 1000 - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            self._frame(step)
            for digit in self.call.line.digits():
                self._send("dtmf", {"dtmf": {"track": "inbound_track", "digit": digit}})
                self.call.log("dtmf-sent", digit=digit)

    def _frame(self, step):
        size = step * media.BYTES_PER_MS
        sound = self.call.line.take(size)
        position = self.position_ms()
        self.sent += sound
        self.chunk += 1
        if self.peer.backlog() > SLOW_READER_BYTES:
            self.call.violation("31930: the application does not read its stream")
        elif not self.plan.lose_every or self.chunk % self.plan.lose_every:
            self.payload_hash.update(sound)
            self._send("media", {"media": {
                "track": "inbound", "chunk": str(self.chunk), "timestamp": str(position),
                "payload": base64.b64encode(sound).decode()}})
        heard, sounding, marks = self.playback.advance(size)
        if sounding:
            self._note_span(position, position + sounding // media.BYTES_PER_MS)
        if len(self.heard) < HEARD_BYTES:
            self.heard += heard
        self._return(marks)

    def _note_span(self, begin_ms, end_ms):
        """When it sounded: joins what follows at once."""
        if self.spans and self.spans[-1][1] >= begin_ms:
            self.spans[-1][1] = end_ms
        else:
            self.spans.append([begin_ms, end_ms])
            self.call.log("heard", stream=self.sid, position_ms=begin_ms)

    def _return(self, marks):
        for name in marks:
            self._send("mark", {"mark": {"name": name}})
            self.call.log("mark-returned", name=name)

    async def _listen(self, speaking):
        """Until the application closes; messages are checked as they come."""
        first_problem = True
        while True:
            problems, self.peer.problems = self.peer.problems, []
            for problem in problems:
                self.call.violation(problem)
            try:
                got = await self._receive(speaking)
            except peer.Lost:
                self.call.log("stream-lost", stream=self.sid)
                self.state = "lost"
                return
            if got is None:
                self.call.log("stream-closed", stream=self.sid, code=self.peer.close_code,
                              reason=self.peer.close_reason)
                self.state = "closed"
                return
            try:
                self._take(*got)
            except media.Problem as problem:
                self.call.violation(str(problem) if first_problem else f"again: {problem}")
                first_problem = False

    async def _receive(self, speaking):
        """The next message; a fault of the speaking side is not lost."""
        reading = asyncio.ensure_future(self.peer.receive())
        try:
            await asyncio.wait({reading, speaking}, return_when=asyncio.FIRST_COMPLETED)
            if speaking.done():
                speaking.result()
            return await reading
        finally:
            reading.cancel()

    def _take(self, kind, payload):
        if kind == "binary":
            raise media.Problem("31950: a binary message")
        if not self.sequence:
            raise media.Problem("31951: a message before start")
        event, content = media.read(payload.decode(errors="replace"), self.sid)
        self.counts[event] = self.counts.get(event, 0) + 1
        if event == "media":
            if not self.playback.push(content):
                raise media.Problem("31931: more than 10 minutes of sound are buffered")
            if self.counts["media"] == 1:
                self.call.log("first-media", stream=self.sid)
        elif event == "mark":
            self.call.log("mark", name=content, buffered_ms=self.playback.buffered // 8)
            self._return(self.playback.mark(content))
        else:
            marks, dropped = self.playback.clear()
            self.call.log("clear", dropped_ms=dropped // media.BYTES_PER_MS)
            self._return(marks)

    async def _stop(self):
        """Ends it from our side where the application has not: the call is over or goes on."""
        if self.state == "open":
            self._send("stop", {"stop": {"accountSid": self.call.account_sid,
                                         "callSid": self.call.sid}})
            self.state = "closed"
            self.call.log("stream-stopped", stream=self.sid)
        await self.peer.close()

    def drop(self):
        """The network between us and the application is gone."""
        self.state = "lost"
        self.peer.drop()

    async def _callback(self, event, error=""):
        url = self.verb.get("statusCallback")
        if not url:
            return
        parameters = [("AccountSid", self.call.account_sid), ("CallSid", self.call.sid),
                      ("StreamSid", self.sid), ("StreamName", self.name), ("StreamEvent", event),
                      ("Timestamp", time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()))]
        if error:
            parameters.append(("StreamError", error))
        await self.call.carrier.webhooks.send(
            self.call, url, parameters, self.verb.get("statusCallbackMethod", "POST"))

    def show(self):
        return {"sid": self.sid, "state": self.state, "begun_ms": self.begun_ms,
                "parameters": {child.get("name"): child.get("value")
                               for child in self.verb.children},
                "counts": self.counts, "heard_spans_ms": self.spans,
                "heard_ms": len(self.heard) // media.BYTES_PER_MS,
                "buffered_ms": self.playback.buffered // media.BYTES_PER_MS,
                "played_bytes": self.playback.played,
                "played_sha256": self.playback.hash.hexdigest(),
                "sent_bytes": len(self.sent), "sent_sha256": self.payload_hash.hexdigest(),
                "close_code": self.peer.close_code if self.peer else None}


class Line:
    """The caller's mouth and fingers. Silence is what a quiet line has: 0xFF."""

    def __init__(self):
        self.waiting = bytearray()
        self.keys = []
        self.said = asyncio.Event()
        self.pressed = asyncio.Event()

    def say(self, sound):
        self.waiting += sound
        self.said.clear()

    def press(self, digits):
        self.keys += digits
        self.pressed.set()

    def digits(self):
        """At most one key at a time."""
        return [self.keys.pop(0)] if self.keys else []

    def take(self, size):
        sound = bytes(self.waiting[:size])
        del self.waiting[:size]
        if not self.waiting:
            self.said.set()
        return sound + g711.SILENCE * (size - len(sound))
