# SPDX-License-Identifier: ISC
"""A WebSocket client that can also misbehave: each frame is made by hand."""
import base64
import json
import os
import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class Closed(Exception):
    """The peer has gone, with the code of its close frame or None."""

    def __init__(self, code, reason=""):
        super().__init__(f"closed: {code} {reason}")
        self.code = code
        self.reason = reason


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(f"the handshake was answered with {status}: {text}")
        self.status = status


class WebSocket:
    def __init__(self, server, path, headers=(), seconds=10):
        self.socket = server.connect(seconds)
        self.socket.settimeout(seconds)
        self.received = b""
        self.code = None
        key = base64.b64encode(os.urandom(16)).decode()
        wanted = {"Host": f"127.0.0.1:{server.port}", "Upgrade": "websocket",
                  "Connection": "Upgrade", "Sec-WebSocket-Key": key,
                  "Sec-WebSocket-Version": "13", **dict(headers)}
        lines = [f"{name}: {value}" for name, value in wanted.items() if value is not None]
        self.socket.sendall(f"GET {path} HTTP/1.1\r\n".encode() + "\r\n".join(lines).encode()
                            + b"\r\n\r\n")
        while b"\r\n\r\n" not in self.received:
            self.fill()
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        status = int(head.split(None, 2)[1])
        if status != 101:
            self.socket.close()
            raise Refused(status, head.decode(errors="replace"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def fill(self):
        try:
            piece = self.socket.recv(65536)
        except ConnectionError:
            piece = b""
        if not piece:
            raise Closed(self.code)
        self.received += piece

    def take(self, count):
        while len(self.received) < count:
            self.fill()
        piece, self.received = self.received[:count], self.received[count:]
        return piece

    def raw(self, data):
        """Bytes as they are; the peer may have closed already."""
        try:
            self.socket.sendall(data)
        except (ConnectionError, BrokenPipeError):
            pass

    def frame(self, opcode, payload, final=True, masked=True, reserved=0, length=None):
        """`length` is what the head claims, when that is to be a lie."""
        payload = payload.encode() if isinstance(payload, str) else payload
        size = len(payload) if length is None else length
        mask_bit = 0x80 if masked else 0
        head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
        if size < 126:
            head += bytes([mask_bit | size])
        elif size < 65536:
            head += struct.pack(">BH", mask_bit | 126, size)
        else:
            head += struct.pack(">BQ", mask_bit | 127, size)
        if masked:
            key = os.urandom(4)
            pattern = key * (len(payload) // 4 + 1)
            mixed = int.from_bytes(payload, "big") ^ int.from_bytes(pattern[:len(payload)], "big")
            payload = key + mixed.to_bytes(len(payload), "big")
        self.raw(head + payload)

    def send(self, message):
        """A dict as JSON text, or bytes as sound."""
        if isinstance(message, bytes):
            self.frame(BINARY, message)
        else:
            self.frame(TEXT, json.dumps(message))

    def receive(self):
        """The next message, a dict or bytes; pings are answered. Raises Closed."""
        whole, kind = b"", None
        while True:
            first, second = self.take(2)
            size = second & 0x7F
            if size == 126:
                size = struct.unpack(">H", self.take(2))[0]
            elif size == 127:
                size = struct.unpack(">Q", self.take(8))[0]
            assert not second & 0x80, "a server does not mask"
            payload = self.take(size)
            opcode = first & 0x0F
            if opcode == CLOSE:
                self.code = struct.unpack(">H", payload[:2])[0] if payload else 1005
                self.raw(b"\x88\x80\0\0\0\0")
                raise Closed(self.code, payload[2:].decode())
            if opcode == PING:
                self.frame(PONG, payload)
            if opcode in (PING, PONG):
                continue
            kind = opcode or kind
            whole += payload
            if first & 0x80:
                return json.loads(whole) if kind == TEXT else whole

    def until(self, kind):
        """Receives up to the first message of this type and returns it."""
        while True:
            message = self.receive()
            if isinstance(message, dict) and message.get("type") == kind:
                return message

    def closed(self):
        """Receives until the peer has gone; (what came before, the code)."""
        messages = []
        try:
            while True:
                messages.append(self.receive())
        except Closed as end:
            return messages, end.code
