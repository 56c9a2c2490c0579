# SPDX-License-Identifier: ISC
"""A reader of server-sent events, as a browser has it: for /calls/events/."""
import json
import socket
import time


class EventStream:
    """`events` is what came so far: (name, id, data); `comments` counts lines that are none."""

    def __init__(self, server, query="", headers=None, receive_bytes=None):
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", server.port))
        lines = "".join(f"{name}: {value}\r\n" for name, value in
                        {"Host": f"127.0.0.1:{server.port}", **(headers or {})}.items())
        self.socket.sendall(f"GET /calls/events/{query} HTTP/1.1\r\n{lines}\r\n".encode())
        self.received = b""
        self.events = []
        self.comments = 0
        self.retry = None
        self.is_over = False
        head = self._until(b"\r\n\r\n").decode()
        self.status = int(head.split()[1])
        self.head = head.lower()
        self.problem = None if self.status == 200 else json.loads(self._rest())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _until(self, mark):
        while mark not in self.received:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError(f"ended within {self.received[-200:]!r}")
            self.received += more
        part, self.received = self.received.split(mark, 1)
        return part

    def _rest(self):
        while more := self.socket.recv(65536):
            self.received += more
        return self.received

    def read_some(self, seconds):
        """Takes what comes within this time; false when nothing did."""
        self.socket.settimeout(max(0.01, seconds))
        try:
            more = self.socket.recv(1 << 20)
        except TimeoutError:
            return False
        except ConnectionError:
            more = b""
        self.is_over = self.is_over or not more
        self.received += more
        while b"\n\n" in self.received:
            block, self.received = self.received.split(b"\n\n", 1)
            self._take(block.decode())
        return bool(more)

    def _take(self, block):
        fields = {}
        for line in block.split("\n"):
            name, _, value = line.partition(": ")
            fields[name] = value
            self.comments += line.startswith(":")
        self.retry = int(fields["retry"]) if "retry" in fields else self.retry
        if "data" in fields:
            number = int(fields["id"]) if "id" in fields else None
            self.events.append((fields["event"], number, json.loads(fields["data"])))

    def all(self, name, **wanted):
        """The data of the events of this name that have these members."""
        return [data for event, _, data in self.events if event == name
                and all(data.get(key) == value for key, value in wanted.items())]

    def until(self, condition, what, seconds=20):
        """Reads until condition() is true; returns that."""
        deadline = time.monotonic() + seconds
        while not (result := condition()):
            left = deadline - time.monotonic()
            assert left > 0 and not self.is_over, f"not in time: {what}; {self.events[-5:]}"
            self.read_some(left)
        return result

    def wait(self, name, seconds=20, **wanted):
        """The first event of this name with these members."""
        return self.until(lambda: self.all(name, **wanted), f"{name} {wanted}", seconds)[0]

    def wait_over(self, seconds=20):
        """Reads to the end; returns why it was closed, or None."""
        deadline = time.monotonic() + seconds
        while not self.is_over:
            assert time.monotonic() < deadline, "the stream does not end"
            self.read_some(deadline - time.monotonic())
        closing = self.all("closing")
        return closing[0]["reason"] if closing else None

    @property
    def last_id(self):
        return max((number for _, number, _ in self.events if number), default=None)
