# SPDX-License-Identifier: ISC
"""
A call as the carrier knows it: what the REST API tells of it, what webhooks are told of it, and
what happened in it. Sources: docs "Call Resource", "TwiML for Programmable Voice".
"""
import email.utils
import re
import secrets
import time

from .stream import Line

API_VERSION = "2010-04-01"
TIMELINE = 20000
FINAL = ("completed", "busy", "failed", "no-answer", "canceled")
SUBRESOURCES = ("notifications", "recordings", "payments", "events", "siprec", "streams",
                "transcriptions", "user_defined_message_subscriptions", "user_defined_messages")


def make_sid(prefix):
    return prefix + secrets.token_hex(16)


def rfc2822(seconds):
    return None if seconds is None else email.utils.formatdate(seconds, usegmt=False)


def formatted(number):
    found = re.fullmatch(r"\+1(\d{3})(\d{3})(\d{4})", number)
    return f"({found[1]}) {found[2]}-{found[3]}" if found else number


class Call:
    """One leg. `options` are the parameters it was created with: {name: [value, ...]}."""

    def __init__(self, carrier, direction, to, from_, plan, options=None, parent=None):
        self.carrier, self.direction, self.plan = carrier, direction, plan
        self.to, self.from_, self.parent = to, from_, parent
        self.account_sid = carrier.settings["account_sid"]
        self.sid = make_sid("CA")
        self.options = options or {}
        self.status = "queued" if direction == "outbound-api" else "ringing"
        self.created = self.updated = time.time()
        self.begun = time.monotonic()
        self.start_time = self.end_time = None
        self.answered_by = None
        self.line = Line()
        self.streams, self.documents, self.recordings = [], [], []
        self.timeline, self.violations, self.callbacks = [], [], []
        self.runner = None
        self.rejected = None

    def option(self, name, default=None):
        return self.options.get(name, [default])[-1]

    def now_ms(self):
        return round((time.monotonic() - self.begun) * 1000, 1)

    def log(self, event, **detail):
        if len(self.timeline) < TIMELINE:
            self.timeline.append({"at_ms": self.now_ms(), "event": event, **detail})

    def violation(self, text):
        """The application did what the carrier's documentation forbids."""
        self.log("violation", text=text)
        self.violations.append(text)

    def become(self, status):
        self.log("status", status=status)
        self.status, self.updated = status, time.time()
        if status == "in-progress":
            self.start_time = self.updated
        elif status in FINAL:
            self.end_time = self.updated

    @property
    def is_over(self):
        return self.status in FINAL

    def duration_s(self):
        if self.start_time is None or self.end_time is None:
            return 0
        return max(1, round(self.end_time - self.start_time))

    def parameters(self, status=None):
        """What every request about the call carries."""
        fields = [
            ("AccountSid", self.account_sid), ("ApiVersion", API_VERSION), ("CallSid", self.sid),
            ("CallStatus", status or self.status), ("Called", self.to), ("CalledCity", ""),
            ("CalledCountry", "US"), ("CalledState", ""), ("CalledZip", ""),
            ("Caller", self.from_), ("CallerCity", "SAN FRANCISCO"), ("CallerCountry", "US"),
            ("CallerState", "CA"), ("CallerZip", "94105"), ("Direction", self.direction),
            ("From", self.from_), ("FromCity", "SAN FRANCISCO"), ("FromCountry", "US"),
            ("FromState", "CA"), ("FromZip", "94105"), ("To", self.to), ("ToCity", ""),
            ("ToCountry", "US"), ("ToState", ""), ("ToZip", "")]
        if self.parent:
            fields.append(("ParentCallSid", self.parent.sid))
        if self.direction == "inbound":
            fields += [("CallToken", "simulated-call-token"),
                       ("StirVerstat", "TN-Validation-Passed-A")]
        return fields

    def resource(self):
        """The JSON of the REST API."""
        base = f"/{API_VERSION}/Accounts/{self.account_sid}/Calls/{self.sid}"
        done = self.is_over
        return {
            "sid": self.sid, "account_sid": self.account_sid, "annotation": None,
            "parent_call_sid": self.parent.sid if self.parent else None,
            "phone_number_sid": None, "group_sid": None, "trunk_sid": None,
            "to": self.to, "to_formatted": formatted(self.to),
            "from": self.from_, "from_formatted": formatted(self.from_),
            "caller_name": None, "forwarded_from": None, "status": self.status,
            "direction": self.direction, "answered_by": self.answered_by,
            "api_version": API_VERSION, "date_created": rfc2822(self.created),
            "date_updated": rfc2822(self.updated), "start_time": rfc2822(self.start_time),
            "end_time": rfc2822(self.end_time),
            "duration": str(self.duration_s()) if done else None,
            "price": "-0.03000" if done and self.start_time else None, "price_unit": "USD",
            "queue_time": "0", "uri": base + ".json",
            "subresource_uris": {name: f"{base}/{name.title().replace('_', '')}.json"
                                 for name in SUBRESOURCES}}

    def show(self):
        """All of it, for a test."""
        return {"sid": self.sid, "status": self.status, "direction": self.direction,
                "to": self.to, "from": self.from_, "options": self.options,
                "parent": self.parent.sid if self.parent else None,
                "duration_s": self.duration_s(), "timeline": self.timeline,
                "violations": self.violations, "documents": self.documents,
                "callbacks": self.callbacks, "streams": [each.show() for each in self.streams],
                "recordings": [each.sid for each in self.recordings]}
