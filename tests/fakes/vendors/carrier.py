# SPDX-License-Identifier: ISC
"""
A fake carrier: plays Twilio's active part for tests. It places calls to the application, fetches
and obeys its TwiML, opens media streams, and carries out what the REST API asks for. Use it through
the program `run` (control paths under /_control/twilio), or in a test's own event loop:

    carrier = Carrier(gateways={"voice.example.com": "http://127.0.0.1:8000"})
    call = carrier.call_in("+15005550006", "+15551230001",
                           url="https://voice.example.com/calls/inbound/")
    call.line.say(sound); await call.line.said.wait(); call.hang_up()
    await call.runner.over.wait(); assert not call.violations
"""
import asyncio
import copy

from .core.settings import Refused
from .twilio import plan as plans
from .twilio.call import Call, make_sid
from .twilio.callbacks import Callbacks
from .twilio.runner import Runner
from .twilio.verbs import Source
from .twilio.webhooks import Webhooks

SETTINGS = {
    "account_sid": "AC00000000000000000000000000000001",
    "auth_token": "aicaller_test_token_0123456789ab",
    "api_keys": {}, "numbers": {"+15005550006": {}}, "gateways": {}, "ca": "", "plan": {},
    "dial_created_calls": True,
}
CALLS = 2000
END_S = 2


class Carrier:
    """
    The calls, recordings and numbers of one account. `settings` are those above, all of them, and
    may change while it runs; `changes` is for who is content with the rest.
    """

    def __init__(self, settings=None, **changes):
        self.settings = copy.deepcopy(SETTINGS) if settings is None else settings
        self.settings.update(changes)
        self.webhooks = Webhooks(self.settings)
        self.calls, self.recordings, self.resources = {}, {}, {}

    def add(self, call):
        self.calls[call.sid] = call
        if len(self.calls) > CALLS:
            over = next((sid for sid, old in self.calls.items() if old.is_over), None)
            self.calls.pop(over, None)

    def find(self, sid):
        if sid not in self.calls:
            raise Refused(f"there is no call {sid}")
        return self.calls[sid]

    @property
    def violations(self):
        return [f"{call.sid}: {text}" for call in self.calls.values() for text in call.violations]

    def number(self, number):
        """What the account has configured for a number of its own, with its sid."""
        if number not in self.settings["numbers"]:
            return None
        if number not in self.resources:
            self.resources[number] = {
                "sid": make_sid("PN"), "phone_number": number, "friendly_name": number,
                "voice_url": "", "voice_method": "POST", "voice_fallback_url": "",
                "voice_fallback_method": "POST", "status_callback": "",
                "status_callback_method": "POST", "voice_caller_id_lookup": False,
                "voice_application_sid": "", "trunk_sid": None,
                **self.settings["numbers"][number]}
        return self.resources[number]

    def call_in(self, to, from_, url=None, plan=None):
        """Somebody calls one of the account's numbers."""
        number = self.number(to) or {}
        elsewhere = number.get("trunk_sid") or number.get("voice_application_sid")
        url = url or (None if elsewhere else number.get("voice_url"))
        if not url:
            raise Refused(f"{to} has no voice URL, or a trunk or application that comes before it")
        call = Call(self, "inbound", to, from_, plans.make(self.settings["plan"], plan or {}))
        self.add(call)
        callbacks = Callbacks(call, number.get("status_callback"),
                              number.get("status_callback_method", "POST"), ("completed",))
        source = Source(url, number.get("voice_method", "POST"),
                        number.get("voice_fallback_url") or None)
        Runner(call, source, callbacks)
        return call

    def create(self, options, plan=None):
        """The application dials by REST; `options` are checked already."""
        call = Call(self, "outbound-api", options["To"][-1], options["From"][-1],
                    plans.make(self.settings["plan"], plan or {}), options)
        self.add(call)
        callbacks = Callbacks(call, call.option("StatusCallback"),
                              call.option("StatusCallbackMethod", "POST"),
                              options.get("StatusCallbackEvent", ["completed"]))
        if self.settings["dial_created_calls"]:
            Runner(call, source_of(options), callbacks)
        return call

    def update(self, call, options):
        """The application changes a call by REST."""
        status = options.get("Status", [None])[-1]
        if status:
            hang_up(call, f"REST: Status={status}", status)
        elif options.get("Url") or options.get("Twiml"):
            call.runner.interrupt(source_of(options), "REST")

    async def close(self):
        """Hangs up all calls and waits a moment for their last callbacks."""
        running = {call.runner.task: call for call in self.calls.values()
                   if call.runner and not call.runner.task.done()}
        for call in running.values():
            hang_up(call, "the carrier closes")
        for seconds in (END_S, END_S):
            if running:
                _, left = await asyncio.wait(running, timeout=seconds)
                running = {task: running[task] for task in left}
            for task in running:
                task.cancel()
        await self.webhooks.close()


def hang_up(call, why="the caller hangs up", status="completed"):
    """Ends a call from the carrier's side."""
    if call.runner:
        call.runner.interrupt(None, why)
    elif not call.is_over:
        call.become(status)


def source_of(options):
    """Where the document of a REST request is."""
    def one(name, default=None):
        return options.get(name, [default])[-1]
    if one("Url"):
        return Source(one("Url"), one("Method", "POST"), one("FallbackUrl"))
    return Source(text=one("Twiml", ""))
