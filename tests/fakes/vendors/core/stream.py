# SPDX-License-Identifier: ISC
"""An HTTP answer that comes bit by bit, and one of server-sent events."""
import asyncio

from . import middle, wire


class Stream(middle.Middle):
    """Chunked body. `write` is one message as far as faults count."""

    def __init__(self, exchange, response):
        super().__init__(exchange)
        self.response = response

    async def write(self, data):
        for fault in self.due():
            await self._spoil(fault)
        await self.raw(data)

    async def raw(self, data):
        if self.transport.is_closing():
            raise wire.Over()
        self.exchange.entry.spoken.add(data)
        await self.response.write(data)

    async def finish(self):
        await self.response.write_eof()
        return self.response

    async def _spoil(self, fault):
        if fault.kind == "hang":
            await wire.until_gone(self.transport)
            raise wire.Over()
        if fault.kind == "short":
            await self.response.write_eof()
            raise wire.Over()
        await self.common(fault)


class Events(Stream):
    """
    Server-sent events. `newline`, `space` and `lines` are forms that the standard allows; `cut` may
    split the bytes of each event, so that a reader gets them in several segments.
    """

    def __init__(self, exchange, response):
        super().__init__(exchange, response)
        self.newline, self.space = "\n", " "
        self.lines = lambda data: [data]
        self.cut = None
        self.held = ""

    async def event(self, message, name=None):
        """Sends one JSON message."""
        faults = self.due()
        for fault in faults:
            await self._spoil_event(fault)
        text = middle.spoiled(message, faults)
        await self.text(self.form(text, name), any(fault.kind == "packed" for fault in faults))

    def form(self, data, name=None):
        lines = [f"event:{self.space}{name}"] if name else []
        lines += [f"data:{self.space}{line}" for line in self.lines(data)]
        return self.newline.join([*lines, "", ""])

    async def text(self, text, hold=False):
        """Sends a text as it is; held, it goes out together with the next."""
        if hold and not self.held:
            self.held = text
            return
        text, self.held = self.held + text, ""
        self.exchange.entry.frame("server", "text", text)
        data = text.encode(errors="surrogatepass")
        parts = self.cut(data) if self.cut else [data]
        pause = 0.01 if 1 < len(parts) < 10 else 0
        for part in parts:
            await self.raw(part)
            await asyncio.sleep(pause)

    async def finish(self):
        if self.held:
            await self.text("")
        return await super().finish()

    async def _spoil_event(self, fault):
        if fault.kind == "status":
            body = self.exchange.error_body(fault)
            await self.text(self.form(body, "error"))
            await self.response.write_eof()
            raise wire.Over()
        await self._spoil(fault)
