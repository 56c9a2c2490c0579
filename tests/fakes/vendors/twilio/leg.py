# SPDX-License-Identifier: ISC
"""<Dial>: a second leg with callbacks of its own. Source: docs "TwiML: <Dial>", "<Number>"."""
import asyncio

from . import twiml, verbs
from .call import Call
from .callbacks import Callbacks


async def dial(call, verb, source):
    """How the leg ends is in the plan."""
    number = verb.children[0] if verb.children else verb
    caller_id = verb.get("callerId", call.from_)
    known = {call.from_, call.to, *call.carrier.settings["numbers"]}
    if number.name in ("Number", "Dial") and caller_id not in known:
        call.violation(f"13214: callerId {caller_id} is neither a number of this call nor of the "
                       "account")
    leg = Call(call.carrier, "outbound-dial", number.text, caller_id, call.plan, parent=call)
    call.carrier.add(leg)
    call.log("dial", to=number.text, leg=leg.sid, caller_id=caller_id)
    bridged = await Leg(leg, number, source).run()
    if not verb.get("action"):
        return None
    extra = [("DialCallStatus", call.plan.dial), ("DialCallSid", leg.sid),
             ("DialBridged", "true" if bridged else "false")]
    if bridged:
        extra.append(("DialCallDuration", str(leg.duration_s())))
    return source.join(verb, "action", extra)


VERBS = {**verbs.VERBS, "Dial": dial}


class Leg:
    """The dialled leg of a <Dial>; its whisper runs before the two are bridged."""

    def __init__(self, call, noun, source):
        self.call, self.noun, self.source = call, noun, source
        wanted = (noun.get("statusCallbackEvent") or "completed").split()
        self.callbacks = Callbacks(call, noun.get("statusCallback"),
                                   noun.get("statusCallbackMethod", "POST"), wanted)

    async def run(self):
        """Were the two connected?"""
        call, plan = self.call, self.call.plan
        bridged = plan.dial in ("completed", "answered")
        try:
            self.callbacks.fire("initiated")
            call.become("ringing")
            self.callbacks.fire("ringing")
            await asyncio.sleep(plan.dial_ring_ms / 1000)
            if bridged:
                call.become("in-progress")
                self.callbacks.fire("answered")
                await self._whisper()
                call.parent.log("bridged", leg=call.sid)
                await asyncio.sleep(plan.dial_talk_ms / 1000)
        finally:
            call.become("completed" if bridged else plan.dial)
            self.callbacks.fire("completed")
        await self.callbacks.delivered()
        return bridged

    async def _whisper(self):
        if not self.noun.get("url"):
            return
        source = self.source.join(self.noun, "url")
        reply = await self.call.carrier.webhooks.send(self.call, source.url,
                                                      self.call.parameters(), source.method)
        try:
            for verb in twiml.parse(reply.body):
                await VERBS[verb.name](self.call, verb, source)
        except twiml.Problem as problem:
            self.call.parent.violation(f"{problem} (for the dialled party)")
