# SPDX-License-Identifier: ISC
"""One request to a simulated vendor: what is known of it, and the ways to answer it."""
import dataclasses
import json
import typing

from aiohttp import web

from . import keys
from .journal import readable
from .socket import Socket
from .stream import Events, Stream


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """
    One path of a vendor. `handler(exchange)` answers; `shape` is told in faults.py; `quirks` are
    misbehaviours that only this endpoint knows: {name: what it does}.
    """

    vendor: str
    name: str
    method: str
    path: str
    handler: typing.Callable
    shape: str = "answer"
    quirks: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Vendor:
    """
    A vendor. `error(exchange, status, code, message)` gives (headers, body) as it documents them;
    `headers(exchange)` what all its answers carry; `choices` the only values of some settings.
    """

    name: str
    settings: dict
    endpoints: list
    error: typing.Callable
    headers: typing.Callable = lambda exchange: {}
    choices: dict = dataclasses.field(default_factory=dict)


class Exchange:
    """The request, the vendor's settings, the faults that were claimed, and the journal entry."""

    def __init__(self, simulator, vendor, endpoint, request):
        self.simulator, self.vendor, self.endpoint, self.request = (
            simulator, vendor, endpoint, request)
        self.transport = request.transport
        self.settings = simulator.settings.of(vendor.name)
        self.faults = simulator.faults.claim(endpoint, keys.secrets(request))
        port = self.transport.get_extra_info("sockname")[1]
        self.entry = simulator.journal.begin(endpoint, request, port)
        self.entry.data["faults"] = [fault.kind for fault in self.faults]
        self.query = request.query
        self.vendor_headers = vendor.headers(self)

    def quirk(self, name):
        """The fault of this name if the test asked for it; it may hold parameters."""
        for fault in self.faults:
            if fault.kind == name:
                return fault
        return None

    async def body(self):
        data = await self.request.read()
        if data and self.entry.data["body"] is None:
            self.entry.data["body"] = readable(data)
        return data

    def finished(self, response):
        self.entry.data["status"] = response.status
        return response

    def answer(self, content, status=200, headers=None, content_type="application/json"):
        """A whole answer: a dict or list becomes JSON."""
        body = content
        if isinstance(content, (dict, list)):
            body = json.dumps(content, ensure_ascii=False).encode()
        elif isinstance(content, str):
            body = content.encode()
        return self.finished(web.Response(
            status=status, body=body,
            headers={**self.vendor_headers, **(headers or {}), "content-type": content_type}))

    def refuse(self, status, code=None, message=None, headers=None):
        """The vendor's documented answer for an error."""
        more, body = self.vendor.error(self, status, code, message)
        return self.answer(body, status, {**more, **(headers or {})})

    async def refuse_as(self, fault):
        """The error answer that a test asked for."""
        await self.body()
        status = fault.get("status", 500)
        headers = dict(fault.get("headers", {}))
        if fault.get("retry_after") is not None:
            headers["retry-after"] = str(fault.get("retry_after"))
        if fault.get("body") is not None:
            return self.answer(fault.get("body"), status, headers)
        return self.refuse(status, fault.get("code"), fault.get("message"), headers)

    def error_body(self, fault):
        """The same as text, for errors that are told within a stream."""
        _, body = self.vendor.error(self, fault.get("status", 500), fault.get("code"),
                                    fault.get("message"))
        return json.dumps(body)

    async def _stream(self, kind, content_type, headers):
        response = web.StreamResponse(headers={**self.vendor_headers, **(headers or {}),
                                               "content-type": content_type})
        response.enable_chunked_encoding()
        await response.prepare(self.request)
        return kind(self, self.finished(response))

    async def stream(self, content_type, headers=None):
        return await self._stream(Stream, content_type, headers)

    async def events(self, headers=None):
        return await self._stream(Events, "text/event-stream; charset=utf-8", headers)

    async def socket(self, protocols=()):
        return await Socket(self).open(protocols)
