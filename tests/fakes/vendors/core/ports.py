# SPDX-License-Identifier: ISC
"""
The listening ports. Two serve all vendors; a test may open more, for one vendor or with a fault
that lies below HTTP, and change what a port is while it keeps its number.
"""
import asyncio
import socket

from . import wire
from .settings import Refused

KINDS = {
    "plain": "HTTP and WebSocket",
    "tls": "the same over TLS, with a good certificate of the test authority",
    "tls-expired": "over TLS, with a certificate that has expired",
    "tls-wrong-host": "over TLS, with a certificate for another host",
    "tls-unknown-ca": "over TLS, with a certificate of an authority that nobody trusts",
    "mute": "takes connections and never answers or reads",
    "closed": "refuses connections",
}


class Port:
    """One port in one of these states. Closed, it stays bound, so that nobody else can take it."""

    def __init__(self, ports, vendor):
        self.ports, self.vendor = ports, vendor
        self.number, self.kind = 0, "closed"
        self.socket = self.server = None
        self.mute_peers = []

    def _bind(self, number):
        self.socket = socket.socket(socket.AF_INET)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", number))
        self.number = self.socket.getsockname()[1]

    async def become(self, kind, number=0):
        if kind not in KINDS:
            raise Refused(f"no kind of port {kind!r}; there are: {', '.join(KINDS)}")
        context = self.ports.certificates.context(kind) if kind.startswith("tls") else None
        self.stop()
        self._bind(self.number or number)
        self.kind = kind
        make = (lambda: Mute(self.mute_peers)) if kind == "mute" else self.ports.http
        if kind != "closed":
            self.server = await asyncio.get_running_loop().create_server(
                make, sock=self.socket, ssl=context, backlog=512)

    def stop(self):
        """Nobody is left connected, as when a service goes down."""
        if self.server:
            self.server.close()
        elif self.socket:
            self.socket.close()
        for transport in [*self.mute_peers, *self._peers()]:
            wire.reset(transport)
        self.server = self.socket = None
        self.mute_peers = []

    def _peers(self):
        return [peer.transport for peer in self.ports.http.connections if peer.transport
                and peer.transport.get_extra_info("sockname")[1] == self.number]

    def show(self):
        scheme = "https" if self.kind.startswith("tls") else "http"
        return {"port": self.number, "kind": self.kind, "vendor": self.vendor,
                "url": f"{scheme}://127.0.0.1:{self.number}"}


class Mute(asyncio.Protocol):
    """A peer that says nothing for ever."""

    def __init__(self, peers):
        self.peers, self.transport = peers, None

    def connection_made(self, transport):
        self.transport = transport
        self.peers.append(transport)
        transport.pause_reading()

    def connection_lost(self, _):
        self.peers.remove(self.transport)


class Ports:
    """All of them, by number; `http` makes the protocol of a connection."""

    def __init__(self, certificates, http):
        self.certificates, self.http = certificates, http
        self.main = []
        self.ports = {}

    async def start(self, plain, tls):
        """The two that serve all vendors and stay as they are."""
        self.main = [await self.open("plain", None, plain), await self.open("tls", None, tls)]

    async def open(self, kind, vendor=None, number=0):
        port = Port(self, vendor)
        await port.become(kind, number)
        self.ports[port.number] = port
        return port

    def extra(self, number):
        """A port that a test may change."""
        port = self.ports.get(number)
        if port is None or port in self.main:
            extra = [str(each.number) for each in self.ports.values() if each not in self.main]
            raise Refused(f"no port {number} that can be changed; there are: {', '.join(extra)}")
        return port

    def close(self, number):
        self.extra(number).stop()
        del self.ports[number]

    def close_extra(self):
        for number in [number for number, port in self.ports.items() if port not in self.main]:
            self.close(number)

    def stop(self):
        for port in self.ports.values():
            port.stop()

    def vendor_of(self, number):
        port = self.ports.get(number)
        return port.vendor if port else None
