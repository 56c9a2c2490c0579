# SPDX-License-Identifier: ISC
"""Faults in the middle of an answer, as far as streams and sockets have them in common."""
import asyncio
import json

from . import wire
from .faults import VARIANTS

LASTING = ("slow", "unknown_field", "fragmented", "packed")
STRANGE_FIELD = {"simulated_unknown_field": {"nested": [1, None, True], "text": "ignore me"}}
STRANGE_MESSAGE = {"type": "SimulatedUnknown", "data": {"of": ["no", "interest"]}}
JUNK = bytes(range(128, 256)) + b"\r\n\x00\xff simulated garbage \xfe\xfe\r\n\r\n"


class Middle:
    """Counts messages and says which faults are due at each."""

    def __init__(self, exchange):
        self.exchange = exchange
        self.transport = exchange.transport
        self.faults = [fault for fault in exchange.faults if fault.at == "middle"]
        self.count = 0

    def due(self):
        """The faults of the next message."""
        number = self.count
        self.count += 1
        return [fault for fault in self.faults
                if fault.after == number or fault.after < number and fault.kind in LASTING]

    async def common(self, fault):
        """Carries out what needs no knowledge of the protocol."""
        if fault.kind == "slow":
            await asyncio.sleep(fault.get("delay_ms", 1000) / 1000)
        elif fault.kind == "reset":
            wire.reset(self.transport)
            raise wire.Over()
        elif fault.kind == "eof":
            self.transport.close()
            raise wire.Over()
        elif fault.kind == "half_open":
            self.transport.pause_reading()
            await wire.until_gone(self.transport)
            raise wire.Over()
        elif fault.kind == "garbage":
            self.transport.write(JUNK)


def spoiled(message, faults):
    """The text of a JSON message after the faults that change texts; None if it is replaced."""
    extra = {}
    for fault in faults:
        if fault.kind == "bad_json":
            return VARIANTS[fault.get("variant", "cut")]
        if fault.kind == "unknown_field":
            extra.update(STRANGE_FIELD)
        if fault.kind == "huge":
            extra["simulated_padding"] = "x" * fault.get("bytes", 1310720)
    return json.dumps({**message, **extra}, ensure_ascii=False)
