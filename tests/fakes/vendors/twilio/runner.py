# SPDX-License-Identifier: ISC
"""
The life of a call: it rings, is answered, runs TwiML, can be interrupted by the caller or by REST,
ends, and tells of it. Sources: docs "Call Resource", "Answering Machine Detection", "TwiML".
"""
import asyncio

from . import twiml
from .leg import VERBS
from .recording import Recording
from .verbs import HANG_UP, Source

DOCUMENTS = 50
XML_TYPES = ("text/xml", "application/xml")
REJECTED = {"busy": "busy", "rejected": "no-answer"}


class Runner:
    """Runs one call of the account as a task; `over` is set when the last request is answered."""

    def __init__(self, call, source, callbacks):
        self.call, self.source, self.callbacks = call, source, callbacks
        self.plan = call.plan
        self.verb = self.next = None
        self.interrupted = False
        self.over = asyncio.Event()
        self.extra_tasks = []
        self.answered = asyncio.Event()
        call.runner = self
        self.task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self):
        try:
            if self.call.direction == "inbound" or await self._ring():
                await self._talk()
        except asyncio.CancelledError:
            self.call.log("cancelled")
        except Exception as problem:
            self.call.violation(f"bug in the carrier: {problem!r}")
            raise
        finally:
            await self._end()

    async def _ring(self):
        """Is the call answered?"""
        call = self.call
        if not await self._wait(self.plan.queued_ms):
            return False
        self.callbacks.fire("initiated")
        call.become("ringing")
        self.callbacks.fire("ringing")
        if not await self._wait(self.plan.ring_ms):
            return False
        if self.plan.answer != "answered":
            self._finish(self.plan.answer)
            return False
        call.become("in-progress")
        self.callbacks.fire("answered")
        await self._detect_machine()
        return not call.is_over

    async def _wait(self, ms):
        """False when somebody has ended the call meanwhile."""
        await asyncio.sleep(ms / 1000)
        return not self.call.is_over

    async def _detect_machine(self):
        call = self.call
        if call.option("MachineDetection") in (None, "") or call.option("SendDigits"):
            return
        if call.option("AsyncAmd", "").lower() != "true":
            await asyncio.sleep(self.plan.amd_ms / 1000)
            call.answered_by = self.plan.answered_by
            self.source = Source(self.source.url, self.source.method, self.source.fallback,
                                 self.source.text, (*self.source.extra, *self._machine()))
        elif call.option("AsyncAmdStatusCallback"):
            self._later(self._tell_machine())
        else:
            call.violation("21262: answering machine detection without a callback")

    def _machine(self):
        return (("AnsweredBy", self.plan.answered_by),
                ("MachineDetectionDuration", str(self.plan.amd_ms)))

    async def _tell_machine(self):
        await asyncio.sleep(self.plan.amd_ms / 1000)
        call = self.call
        if call.is_over:
            return
        call.answered_by = self.plan.answered_by
        await call.carrier.webhooks.send(
            call, call.option("AsyncAmdStatusCallback"),
            [("CallSid", call.sid), ("AccountSid", call.account_sid), *self._machine()],
            call.option("AsyncAmdStatusCallbackMethod", "POST"))

    def _later(self, work):
        self.extra_tasks.append(asyncio.get_running_loop().create_task(work))

    async def _talk(self):
        if self.plan.hangup_after_ms:
            asyncio.get_running_loop().call_later(self.plan.hangup_after_ms / 1000,
                                                  self.interrupt, None, "the caller hangs up")
        if self.call.option("Record", "").lower() == "true":
            self.record(self.call.option("RecordingChannels", "mono"), "OutboundAPI",
                        self.call.option("RecordingStatusCallback"))
        source, count = self.source, 0
        while source is not None and count < DOCUMENTS and not self.call.is_over:
            count += 1
            self.interrupted = False
            self.verb = asyncio.get_running_loop().create_task(self._document(source))
            try:
                source = await self.verb
            except asyncio.CancelledError:
                if not self.interrupted:
                    raise
                source, self.next = self.next, None

    def interrupt(self, source, why):
        """Ends what is running: for another document, or for good."""
        if self.call.is_over:
            return
        self.call.log("interrupted", why=why, by=source.url or "inline" if source else None)
        self.next, self.interrupted = source, True
        if self.verb and not self.verb.done():
            self.verb.cancel()
        elif source is None:
            self._finish("completed" if self.call.start_time else "canceled")

    async def _document(self, source):
        """Runs a document; gives the source of the next one, or None at the end."""
        verbs = await self._fetch(source)
        if self.call.direction == "inbound" and not self.call.start_time:
            if not verbs or verbs[0].name != "Reject":
                self.call.become("in-progress")
                self.answered.set()
        for verb in verbs:
            result = await VERBS[verb.name](self.call, verb, source)
            if result is HANG_UP:
                return None
            if result is not None:
                return result
        return None

    async def _fetch(self, source):
        call, text = self.call, source.text
        if text is not None:
            return self._parse(text.encode(), source, inline=True)
        parameters = [*call.parameters(), *source.extra]
        reply = await call.carrier.webhooks.send(call, source.url, parameters, source.method,
                                                 source.fallback)
        if not reply.good:
            call.violation(f"11200: {source.url} was answered {reply.status} {reply.error}")
            return []
        kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in XML_TYPES:
            call.violation(f"12300: the content type of TwiML is {kind!r}")
        return self._parse(reply.body, source, inline=False)

    def _parse(self, data, source, inline):
        self.call.documents.append(data.decode(errors="replace"))
        try:
            return twiml.parse(data, inline)
        except twiml.Problem as problem:
            self.call.violation(f"{problem} (in the answer of {source.url or 'the request'})")
            return []

    def record(self, channels, source, callback):
        recording = Recording(self.call, 2 if channels == "dual" else 1, source, callback)
        self.call.recordings.append(recording)
        self.call.carrier.recordings[recording.sid] = recording
        return recording

    def _finish(self, status):
        if not self.call.is_over:
            self.call.become(status)

    async def _end(self):
        call = self.call
        self._finish(REJECTED.get(call.rejected, "completed" if call.start_time else "canceled"))
        for recording in call.recordings:
            if recording.status == "in-progress":
                recording.finish()
        self.callbacks.fire("completed")
        for recording in call.recordings:
            if recording.callback:
                await call.carrier.webhooks.send(call, recording.callback, recording.parameters())
        await self.callbacks.delivered()
        for task in self.extra_tasks:
            task.cancel()
        self.over.set()
