# SPDX-License-Identifier: ISC
"""
Finds speech by energy. Pure: bytes in, events out, time is the time of the audio itself, so that
the same audio gives the same events however fast it arrives.
"""
import array

from . import g711

FRAME_MS = 20


def _squares(table):
    return [value * value for value in table]


SQUARES = {"mulaw": _squares(g711.MULAW), "alaw": _squares(g711.ALAW)}


class Hearing:
    """
    Feed it raw audio of one channel; it yields (event, time_ms):
    "start" (when speech began), "frame" (now; once per 20 ms while speech goes on), "pause" (now;
    once per 20 ms of silence after speech), and "quiet" (now; in silence before any speech).
    """

    def __init__(self, codec, rate, threshold=300, start_ms=60):
        """`threshold` is the root mean square of a 16-bit sample from which a frame is loud."""
        self.table = SQUARES.get(codec)
        self.frame_samples = rate * FRAME_MS // 1000
        self.frame_bytes = self.frame_samples * (1 if self.table else 2)
        self.limit = threshold * threshold * self.frame_samples
        self.start_frames = max(1, start_ms // FRAME_MS)
        self.rest = b""
        self.loud = 0
        self.frames = 0
        self.speaking = False
        self.started_ms = 0
        self.voiced_ms = 0

    @property
    def now_ms(self):
        return self.frames * FRAME_MS

    def feed(self, audio):
        data = self.rest + audio
        whole = len(data) // self.frame_bytes * self.frame_bytes
        self.rest = data[whole:]
        for at in range(0, whole, self.frame_bytes):
            yield from self._frame(data[at:at + self.frame_bytes])

    def finish(self):
        """Speech is over for the caller's purposes; what follows is a new utterance."""
        self.speaking = False
        self.loud = 0

    def _energy(self, frame):
        if self.table:
            return sum(map(self.table.__getitem__, frame))
        return sum(sample * sample for sample in array.array("h", frame))

    def _frame(self, frame):
        loud = self._energy(frame) >= self.limit
        self.frames += 1
        self.loud = self.loud + 1 if loud else 0
        if loud and self.speaking:
            self.voiced_ms = self.now_ms
        if not self.speaking and self.loud >= self.start_frames:
            self.speaking = True
            self.started_ms = self.now_ms - self.loud * FRAME_MS
            self.voiced_ms = self.now_ms
            yield "start", self.started_ms
        elif self.speaking:
            yield ("frame" if loud else "pause"), self.now_ms
        else:
            yield "quiet", self.now_ms

    @property
    def silence_ms(self):
        """How long it has been silent since speech."""
        return self.now_ms - self.voiced_ms


def spans(codec, rate, audio, gap_ms=300, threshold=300):
    """[(begin_ms, end_ms), ...] of what was spoken in a recording, joined over shorter gaps."""
    hearing, found = Hearing(codec, rate, threshold), []
    for event, _ in hearing.feed(audio):
        if event == "pause" and hearing.silence_ms >= gap_ms:
            found.append((hearing.started_ms, hearing.voiced_ms))
            hearing.finish()
    if hearing.speaking:
        found.append((hearing.started_ms, hearing.voiced_ms))
    return found
