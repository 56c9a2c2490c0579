# SPDX-License-Identifier: ISC
"""
Status callbacks of a call: which, with what in them, and in which order they arrive. Source: docs
"Call Resource", section "StatusCallback", which promises no order of delivery.
"""
import asyncio
import random
import time

from .call import rfc2822

STATUS_OF = {"initiated": "initiated", "ringing": "ringing", "answered": "in-progress"}


class Callbacks:
    """`fire` never waits. `wanted` are the events that were asked for."""

    def __init__(self, call, url, method, wanted):
        self.call, self.url, self.method, self.wanted = call, url, method, wanted
        self.sequence = 0
        self.held = []
        self.last = None
        self.tasks = []
        self.random = random.Random(call.sid)

    def fire(self, event):
        """One of initiated, ringing, answered, completed."""
        if not self.url or event not in self.wanted or self.call.plan.callbacks == "none":
            return
        parameters = [*self.call.parameters(STATUS_OF.get(event, self.call.status)),
                      ("Timestamp", rfc2822(time.time())), ("SequenceNumber", str(self.sequence)),
                      ("CallbackSource", "call-progress-events")]
        self.sequence += 1
        if event == "completed":
            parameters += self._ending()
        self._order(event, parameters)

    def _ending(self):
        seconds = self.call.duration_s()
        fields = [("CallDuration", str(seconds)), ("Duration", str(-(-seconds // 60))),
                  ("SipResponseCode", self.call.plan.sip_code)]
        for recording in self.call.recordings[:1]:
            fields += [("RecordingUrl", recording.url()), ("RecordingSid", recording.sid),
                       ("RecordingDuration", str(recording.duration_s()))]
        return fields

    def _order(self, event, parameters):
        how = self.call.plan.callbacks
        if how == "reversed":
            self.held.insert(0, (event, parameters))
            if event == "completed":
                for each in self.held:
                    self._queue(*each)
            return
        if how == "shuffled":
            self._task(self._send(event, parameters, self.random.random() * 0.2))
            return
        self._queue(event, parameters)
        if how == "repeated":
            self._queue(event, parameters)

    def _queue(self, event, parameters):
        """One after the other."""
        before = self.last
        self.last = self._task(self._send(event, parameters, 0, before))

    def _task(self, work):
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.append(task)
        return task

    async def _send(self, event, parameters, delay_s, before=None):
        if before:
            await asyncio.wait({before})
        await asyncio.sleep(delay_s)
        reply = await self.call.carrier.webhooks.send(self.call, self.url, parameters, self.method)
        self.call.callbacks.append({"event": event, "parameters": dict(parameters),
                                    "status": reply.status, "error": reply.error})
        if not reply.good:
            self.call.violation(f"11200: the status callback was answered {reply.status} "
                                f"{reply.error}")

    async def delivered(self):
        if self.tasks:
            await asyncio.wait(self.tasks)
