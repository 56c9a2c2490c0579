# SPDX-License-Identifier: ISC
"""What lies below the libraries: resets, WebSocket frames, waiting for a peer to go."""
import asyncio
import socket
import struct

TEXT, BINARY, CLOSE, PING = 0x1, 0x2, 0x8, 0x9
HIGH_WATER = 1024 * 1024


class Over(Exception):
    """The exchange has been ended on purpose; whoever serves it just leaves."""


def reset(transport):
    """Ends a connection with RST instead of FIN."""
    peer = transport.get_extra_info("socket")
    if peer is not None and peer.fileno() >= 0:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def until_gone(transport):
    """Waits until the peer has left; a peer whose bytes are no longer read never leaves."""
    while not transport.is_closing():
        await asyncio.sleep(0.05)


async def drain(transport):
    while transport.get_write_buffer_size() > HIGH_WATER and not transport.is_closing():
        await asyncio.sleep(0.005)


def frame(opcode, payload, last=True):
    """One unmasked WebSocket frame, as a server sends it."""
    first = (0x80 if last else 0) | opcode
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65536:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload


def fragments(opcode, payload):
    """The same message in three frames with a ping between any two."""
    third = max(1, len(payload) // 3)
    pieces = [payload[:third], payload[third:2 * third], payload[2 * third:]]
    ping = frame(PING, b"simulated")
    return (frame(opcode, pieces[0], last=False) + ping + frame(0, pieces[1], last=False) + ping
            + frame(0, pieces[2]))


def close_payload(code, reason=""):
    """No code makes the empty close frame that is seen as 1005."""
    return b"" if code is None else struct.pack("!H", code) + reason.encode()[:123]
