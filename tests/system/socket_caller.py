# SPDX-License-Identifier: ISC
"""
What the voice page does in a call, without a browser: shows its token, sends 20 ms of sound every
20 ms, plays what it gets in real time, answers marks when their sound was played, obeys "clear".
"""
import select
import time

from websocket import Closed, WebSocket

PATH = "/carriers/browser/media"
BYTES_PER_S = 32000
FRAME_S = 0.02
FRAME_BYTES = int(FRAME_S * BYTES_PER_S)


def invite(server, agent=None):
    """A call id and a token, as the page gets them."""
    answer = server.post("/calls/voice-test/token/", {"agent": agent} if agent else {})
    assert answer.status == 201, answer.text
    return answer.json


def start_message(invitation):
    return {"type": "start", "token": invitation["token"], "call_id": invitation["call_id"],
            "format": {"codec": "pcm_s16le", "rate": 16000}}


class SocketCaller:
    """
    `messages` is what the server said so far, without marks; `sound` is all sound that came,
    `dropped_s` how much of it was thrown away unplayed by clears.
    """

    def __init__(self, server, agent=None):
        invitation = invite(server, agent)
        self.call_id = invitation["call_id"]
        self.socket = WebSocket(server, PATH, {"Origin": server.url})
        self.socket.send(start_message(invitation))
        self.messages = []
        self.sound = b""
        self.dropped_s = 0.0
        self.code = None
        self.marks = []
        self.to_say = b""
        self.played_at = 0.0
        self.next_frame = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.socket.close()

    @property
    def is_over(self):
        return self.code is not None

    def noted(self, kind, **wanted):
        """The messages of this type that have these members."""
        return [each for each in self.messages if each["type"] == kind
                and all(each.get(name) == value for name, value in wanted.items())]

    def until(self, condition, what, say=b"", seconds=20):
        """Speaks `say`, then is silent, and listens until condition() is true; returns that."""
        self.to_say = say
        return until([self], condition, what, seconds)

    def until_over(self, seconds=20):
        self.until(lambda: self.is_over, "the end of the call", seconds=seconds)
        return self.noted("end")[-1]["reason"]

    def is_quiet(self):
        """Nothing is being played."""
        return time.monotonic() >= self.played_at and not self.marks

    def hang_up(self):
        self.socket.send({"type": "bye"})
        return self.until_over()

    def step(self):
        """What there is to do until the next frame."""
        if time.monotonic() >= self.next_frame:
            self.next_frame += FRAME_S
            self.socket.send(self.to_say[:FRAME_BYTES].ljust(FRAME_BYTES, b"\0"))
            self.to_say = self.to_say[FRAME_BYTES:]
        self.answer_marks()
        self.listen(self.next_frame)

    def answer_marks(self):
        while self.marks and self.marks[0][1] <= time.monotonic():
            number, _ = self.marks.pop(0)
            self.socket.send({"type": "mark", "id": number, "cleared": False})

    def listen(self, deadline):
        """Takes what comes until then."""
        while self.socket.received or select.select(
                [self.socket.socket], [], [], max(0, deadline - time.monotonic()))[0]:
            try:
                self.take(self.socket.receive())
            except Closed as end:
                self.code = end.code or 1006
                return

    def take(self, message):
        now = time.monotonic()
        if isinstance(message, bytes):
            self.sound += message
            self.played_at = max(self.played_at, now) + len(message) / BYTES_PER_S
        elif message["type"] == "mark":
            self.marks.append((message["id"], self.played_at))
        else:
            self.messages.append(message)
            if message["type"] == "clear":
                self.clear(now)

    def clear(self, now):
        self.dropped_s += max(0.0, self.played_at - now)
        self.played_at = now
        for number, _ in self.marks:
            self.socket.send({"type": "mark", "id": number, "cleared": True})
        self.marks = []


def until(callers, condition, what, seconds=20):
    """Callers that speak and listen at the same time, until condition() is true."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        said = [caller.messages for caller in callers]
        assert not all(caller.is_over for caller in callers), f"all ended before {what}: {said}"
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}: {said}"
        for caller in callers:
            if not caller.is_over:
                caller.step()
