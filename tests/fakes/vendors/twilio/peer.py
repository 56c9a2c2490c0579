# SPDX-License-Identifier: ISC
"""
A WebSocket client that sends exactly the upgrade request that Twilio sends, and tells of everything
in the answers that RFC 6455 or Twilio would not like.
"""
import asyncio
import base64
import hashlib
import os
import struct

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
CONNECT_S = 5
LARGEST = 16 * 1024 * 1024


class Refused(Exception):
    """The upgrade failed; the text begins with Twilio's code."""


class Lost(Exception):
    """The connection ended without a close frame."""


async def connect(address, tls, host, path, headers):
    """A Peer. `address` is where to go, `host` and `path` what the request says."""
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(
            *address, ssl=tls, server_hostname=host.partition(":")[0] if tls else None), CONNECT_S)
    except (OSError, asyncio.TimeoutError) as problem:
        raise Refused(f"31901 - Stream - WebSocket - Connection Timeout ({problem!r})") from None
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "User-Agent: Twilio.TmeWs/1.0",
             "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
             f"Sec-WebSocket-Key: {key}", *(f"{name}: {value}" for name, value in headers.items()),
             "Accept-Encoding: gzip", "", ""]
    writer.write("\r\n".join(lines).encode())
    try:
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), CONNECT_S)
    except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError,
            asyncio.LimitOverrunError) as problem:
        writer.close()
        raise Refused(f"31920 - Stream - WebSocket - Handshake Error ({problem!r})") from None
    try:
        _check_answer(answer.decode("latin-1"), key)
    except Refused:
        writer.close()
        raise
    return Peer(reader, writer)


def _check_answer(answer, key):
    """Raises Refused if the answer does not open the connection as Twilio asked."""
    status, *lines = answer.split("\r\n")
    headers = dict((name.strip().lower(), value.strip()) for name, _, value in
                   (line.partition(":") for line in lines if line))
    if " 101 " not in status + " ":
        raise Refused(f"31920 - Stream - WebSocket - Handshake Error ({status})")
    expected = base64.b64encode(hashlib.sha1((key + MAGIC).encode()).digest()).decode()
    if headers.get("sec-websocket-accept") != expected:
        raise Refused("31920 - Stream - WebSocket - Handshake Error (wrong Sec-WebSocket-Accept)")
    if "sec-websocket-protocol" in headers:
        raise Refused("31920 - Stream - WebSocket - Handshake Error (a subprotocol that was not "
                      "offered)")
    if "sec-websocket-extensions" in headers:
        raise Refused("31920 - Stream - WebSocket - Handshake Error (an extension that was not "
                      "offered)")


class Peer:
    """An open connection; `problems` collects what is odd but does not end it."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.problems = []
        self.close_code = self.close_reason = None
        self.said_goodbye = False

    def _send(self, opcode, payload):
        mask = os.urandom(4)
        size = len(payload)
        head = bytes((0x80 | opcode, 0x80 | (size if size < 126 else 126 if size < 65536 else 127)))
        if size >= 65536:
            head += struct.pack("!Q", size)
        elif size >= 126:
            head += struct.pack("!H", size)
        whole = int.from_bytes(payload, "big") ^ int.from_bytes(
            (mask * (size // 4 + 1))[:size], "big")
        self.writer.write(head + mask + whole.to_bytes(size, "big"))

    def send(self, text):
        if not self.writer.is_closing():
            self._send(TEXT, text.encode())

    def backlog(self):
        """Bytes that the application has not taken yet."""
        return self.writer.transport.get_write_buffer_size()

    async def _frame(self):
        first, second = await self.reader.readexactly(2)
        size = second & 0x7f
        if size == 126:
            size, = struct.unpack("!H", await self.reader.readexactly(2))
        elif size == 127:
            size, = struct.unpack("!Q", await self.reader.readexactly(8))
        if size > LARGEST:
            raise Lost()
        if second & 0x80:
            self.problems.append("31924: a frame from the server is masked")
            await self.reader.readexactly(4)
        if first & 0x70:
            self.problems.append("31924: reserved bits are set in a frame")
        return first & 0x0f, bool(first & 0x80), await self.reader.readexactly(size)

    async def receive(self):
        """("text" or "binary", payload), or None after a close frame. Raises Lost."""
        message, kind = b"", None
        try:
            while True:
                opcode, last, payload = await self._frame()
                if opcode >= CLOSE:
                    if not last or len(payload) > 125:
                        self.problems.append("31924: a control frame is fragmented or too long")
                    if opcode == PING:
                        self._send(PONG, payload)
                    elif opcode == CLOSE:
                        self._goodbye(payload)
                        return None
                    continue
                if (kind is None) == (opcode == 0):
                    self.problems.append("31924: a fragment out of order")
                kind = kind or opcode
                message += payload
                if last:
                    return ("text" if kind == TEXT else "binary"), message
        except (asyncio.IncompleteReadError, OSError):
            raise Lost() from None

    def _goodbye(self, payload):
        self.close_code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
        self.close_reason = payload[2:].decode(errors="replace")
        if not self.said_goodbye:
            self.said_goodbye = True
            self._send(CLOSE, payload[:2])

    async def close(self, code=1000):
        """Says goodbye, and waits a moment for the application's."""
        if not self.said_goodbye and not self.writer.is_closing():
            self.said_goodbye = True
            self._send(CLOSE, struct.pack("!H", code))
        try:
            await asyncio.wait_for(self.writer.drain(), 1)
        except (OSError, asyncio.TimeoutError):
            pass
        self.writer.close()

    def drop(self):
        """Vanishes with a reset."""
        self.writer.transport.abort()
