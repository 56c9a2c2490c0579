# SPDX-License-Identifier: ISC
"""
A WebSocket as a server, with everything that can go wrong. It writes its own frames and answers
closes itself, so that faults are exact; aiohttp does the handshake and the reading.
"""
import asyncio
import json

from aiohttp import WSMsgType, web

from . import middle, wire

LARGEST = 16 * 1024 * 1024
GOODBYE_S = 3


class Socket(middle.Middle):
    """
    `send` takes a dict (text) or bytes (binary). `receive` gives str, bytes, or None at the end.
    `error_form(code, message)` says how the vendor tells of errors: (messages, code, reason).
    """

    def __init__(self, exchange):
        super().__init__(exchange)
        self.entry = exchange.entry
        self.response = None
        self.muted = False
        self.closing = False
        self.held = b""
        self.error_form = lambda code, message: ([], 1011, message)

    async def open(self, protocols=()):
        """Declines extensions, as the simulated services do for all that is documented."""
        self.response = web.WebSocketResponse(protocols=protocols, compress=False, autoclose=False,
                                              max_msg_size=LARGEST)
        self.response.headers.update(self.exchange.vendor_headers)
        await self.response.prepare(self.exchange.request)
        self.entry.data["status"] = 101
        return self

    async def receive(self):
        message = await self.response.receive()
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            self.entry.frame("client", message.type.name.lower(), message.data)
            return message.data
        if message.type == WSMsgType.CLOSE:
            self._goodbye(message)
        elif message.type == WSMsgType.ERROR:
            self.entry.note(f"the client's bytes are no WebSocket: {message.data!r}")
        self.transport.close()
        return None

    def _goodbye(self, message):
        self.entry.frame("client", "close", [message.data, message.extra])
        if not self.closing:
            self.entry.data["closed"] = {"by": "client", "code": message.data,
                                         "reason": message.extra}
            self._write(wire.CLOSE, wire.close_payload(message.data or None))

    async def send(self, message):
        if self.closing or self.transport.is_closing():
            raise wire.Over()
        faults = self.due()
        for fault in faults:
            await self._spoil(fault)
        if self.muted:
            return
        kinds = [fault.kind for fault in faults]
        if isinstance(message, bytes):
            self.entry.frame("server", "binary", message)
            self.entry.spoken.add(message)
            self._put(wire.BINARY, message, kinds)
        else:
            text = middle.spoiled(message, faults)
            self.entry.frame("server", "text", text)
            self._put(wire.TEXT, text.encode(errors="surrogatepass"), kinds)
        await wire.drain(self.transport)

    async def close(self, code=1000, reason=""):
        """Says goodbye; `finish` waits for the client's, which has a few seconds."""
        if self.closing or self.muted or self.transport.is_closing():
            return
        self._flush()
        self.closing = True
        self.entry.data["closed"] = {"by": "server", "code": code, "reason": reason}
        self.entry.frame("server", "close", [code, reason])
        self._write(wire.CLOSE, wire.close_payload(code, reason))
        asyncio.get_running_loop().call_later(GOODBYE_S, self.transport.close)

    def _put(self, opcode, payload, kinds):
        data = (wire.fragments if "fragmented" in kinds else wire.frame)(opcode, payload)
        if "packed" in kinds and not self.held:
            self.held = data
            asyncio.get_running_loop().call_later(0.05, self._flush)
            return
        held, self.held = self.held, b""
        self.transport.write(held + data)

    def _flush(self):
        held, self.held = self.held, b""
        if held and not self.transport.is_closing():
            self.transport.write(held)

    def _write(self, opcode, payload):
        if not self.transport.is_closing():
            self.transport.write(wire.frame(opcode, payload))

    async def _spoil(self, fault):
        if fault.kind == "hang":
            self.muted = True
        elif fault.kind == "close":
            await self.close(fault.get("code"), fault.get("reason", ""))
            raise wire.Over()
        elif fault.kind == "error":
            await self.fail(fault.get("code"), fault.get("message"))
            raise wire.Over()
        elif fault.kind == "unknown_message":
            self._extra(middle.STRANGE_MESSAGE)
        else:
            await self.common(fault)

    async def fail(self, code=None, message=None):
        """Ends the session the way the vendor tells of an error."""
        messages, close_code, reason = self.error_form(code, message)
        for each in messages:
            self._extra(each)
        await self.close(close_code, reason)

    def _extra(self, message):
        """A message that does not count, and that no fault spoils."""
        text = json.dumps(message)
        self.entry.frame("server", "text", text)
        self._write(wire.TEXT, text.encode())

    async def finish(self):
        """Waits for the end of the closing handshake; gives what the HTTP library wants back."""
        while self.closing and await self.receive() is not None:
            pass
        self.transport.close()
        return self.response
