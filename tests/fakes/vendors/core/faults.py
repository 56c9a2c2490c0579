# SPDX-License-Identifier: ISC
"""
Which faults there are, which of them a test has asked for, and which of those a request gets.
Pure bookkeeping: answer.py, stream.py and socket.py carry them out.
"""
import dataclasses
import itertools

from .settings import Refused

# A kind says at which endpoints it makes sense, by their shape, and in which places.
# "answer": one request, one answer. "stream": the body of the answer comes bit by bit. "sse": it
# is of server-sent events. "socket": a WebSocket.
ANY = ("answer", "stream", "sse", "socket")
BODIES = ("answer", "stream", "sse")


@dataclasses.dataclass(frozen=True)
class Kind:
    text: str
    before: tuple = ()
    middle: tuple = ()
    parameters: tuple = ()


KINDS = {
    "refuse": Kind("the connection is reset as soon as the request is there", before=ANY),
    "status": Kind("an error answer with the vendor's documented body and headers; in the middle "
                   "of a chat it is an error event", before=ANY, middle=("sse",),
                   parameters=("status", "code", "message", "headers", "retry_after", "body")),
    "html": Kind("the page of a gateway instead of the API's answer", before=ANY,
                 parameters=("status",)),
    "empty": Kind("status 200 and no body", before=BODIES),
    "garbage": Kind("bytes that are not HTTP; in the middle, bytes that fit no message", before=ANY,
                    middle=("stream", "sse", "socket")),
    "truncated": Kind("the answer ends early although its length said more", before=BODIES),
    "bad_json": Kind("a message that is no good JSON; `variant` says how bad", before=BODIES,
                     middle=("sse", "socket"), parameters=("variant",)),
    "huge": Kind("a good message made large by an unknown field; before: an endless body",
                 before=BODIES, middle=("sse", "socket"), parameters=("bytes",)),
    "gzip_bomb": Kind("a small body that unpacks to a large one", before=BODIES,
                      parameters=("bytes",)),
    "slow": Kind("waits; before the answer or the upgrade, or before each message",
                 before=ANY, middle=("stream", "sse", "socket"), parameters=("delay_ms",)),
    "hang": Kind("never answers, but takes what is sent", before=ANY,
                 middle=("stream", "sse", "socket")),
    "half_open": Kind("never answers and stops reading, as when the peer has vanished", before=ANY,
                      middle=("stream", "sse", "socket")),
    "reset": Kind("the connection is reset", middle=("stream", "sse", "socket")),
    "eof": Kind("the connection ends without the protocol's goodbye",
                middle=("stream", "sse", "socket")),
    "short": Kind("the body ends properly but early", middle=("stream", "sse")),
    "close": Kind("a close frame with `code` and `reason`; no code: 1005", middle=("socket",),
                  parameters=("code", "reason")),
    "error": Kind("the vendor's error message for `code`, then its close", middle=("socket",),
                  parameters=("code", "message")),
    "unknown_message": Kind("a message of an unknown type comes first", middle=("socket",)),
    "unknown_field": Kind("every message has a field that nobody knows", middle=("sse", "socket")),
    "fragmented": Kind("every message comes in several frames with pings between",
                       middle=("socket",)),
    "packed": Kind("messages come two at a time in one segment", middle=("sse", "socket")),
}

VARIANTS = {
    "cut": '{"type":"Results","channel":{"alterna',
    "text": "Service temporarily unavailable",
    "wrong_types": '{"type":7,"choices":"none","channel":[1],"audio":{"a":1},"error":null}',
    "duplicate_keys": '{"type":"Results","type":"Metadata","choices":[],"choices":{}}',
    "nan": '{"type":"Results","start":NaN,"duration":Infinity,"choices":[]}',
    "deep": "[" * 100000,
    "lone_surrogate": '{"type":"Results","choices":[{"index":0,"delta":{"content":"\\ud800"}}]}',
    "nul": '{"type":"Res\\u0000ults","choices":[]}',
    "array": "[]",
    "null": "null",
}


@dataclasses.dataclass
class Fault:
    """
    One fault that a test asked for; `times` None is for ever, `skip` lets as many pass, `key` is
    whom it strikes: requests with this secret; empty: all.
    """

    id: int
    vendor: str
    endpoint: str
    kind: str
    at: str = "before"
    after: int = 0
    times: int | None = 1
    skip: int = 0
    key: str = ""
    parameters: dict = dataclasses.field(default_factory=dict)
    used: int = 0

    def get(self, name, default=None):
        value = self.parameters.get(name)
        return default if value is None else value


class Faults:
    """All faults asked for, in order."""

    def __init__(self, endpoints):
        """`endpoints` is {(vendor, name): endpoint}; an endpoint has `shape` and `quirks`."""
        self.endpoints = endpoints
        self.wanted = []
        self.ids = itertools.count(1)

    def add(self, wish):
        names = [field.name for field in dataclasses.fields(Fault)]
        given = {name: wish[name] for name in names if name in wish}
        given.pop("id", None)
        given["parameters"] = {name: value for name, value in wish.items() if name not in names}
        given.setdefault("vendor", "")
        given.setdefault("endpoint", "*")
        fault = Fault(id=next(self.ids), kind=given.pop("kind", ""), **given)
        self._check(fault)
        self.wanted.append(fault)
        return fault

    def _check(self, fault):
        reached = [endpoint for endpoint in self.endpoints.values()
                   if endpoint.vendor == fault.vendor and fault.endpoint in ("*", endpoint.name)]
        if not reached:
            known = sorted(f"{vendor} {name}" for vendor, name in self.endpoints)
            raise Refused(f"no endpoint {fault.vendor} {fault.endpoint}; there are: "
                          + ", ".join(known))
        if fault.at not in ("before", "middle"):
            raise Refused(f'at is "before" or "middle", not {fault.at!r}')
        kind = KINDS.get(fault.kind)
        quirks = {name: text for endpoint in reached for name, text in endpoint.quirks.items()}
        if not kind and fault.kind not in quirks:
            raise Refused(f"no fault {fault.kind!r} for {fault.vendor} {fault.endpoint}; there "
                          "are: " + ", ".join([*KINDS, *quirks]))
        if not kind:
            return
        shapes = getattr(kind, fault.at)
        if not any(endpoint.shape in shapes for endpoint in reached):
            raise Refused(f"{fault.kind} cannot be at {fault.at!r} of {fault.vendor} "
                          f"{fault.endpoint}: it is for {', '.join(shapes) or 'the other place'}")
        stranger = set(fault.parameters) - set(kind.parameters)
        if stranger:
            raise Refused(f"{fault.kind} takes {', '.join(kind.parameters) or 'no parameter'}; not "
                          + ", ".join(sorted(stranger)))
        variant = fault.get("variant", "cut")
        if variant not in VARIANTS:
            raise Refused(f"no variant {variant!r}; there are: {', '.join(VARIANTS)}")

    def claim(self, endpoint, secrets=()):
        """The faults that the next request of an endpoint gets; uses them up."""
        claimed = []
        for fault in self.wanted:
            if fault.vendor != endpoint.vendor or fault.endpoint not in ("*", endpoint.name):
                continue
            if fault.key and fault.key not in secrets:
                continue
            kind = KINDS.get(fault.kind)
            if kind and endpoint.shape not in getattr(kind, fault.at):
                continue
            if not kind and fault.kind not in endpoint.quirks:
                continue
            if fault.skip > 0:
                fault.skip -= 1
            elif fault.times is None or fault.used < fault.times:
                fault.used += 1
                claimed.append(fault)
        return claimed

    def remove(self, fault_id=None):
        self.wanted = [fault for fault in self.wanted if fault_id not in (None, fault.id)]

    def list(self):
        return [dataclasses.asdict(fault) for fault in self.wanted]
