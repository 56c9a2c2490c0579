# SPDX-License-Identifier: ISC
"""
The carrier's end of a media stream without its socket: what messages we accept, and the buffer that
plays them. Source: docs "Media Streams WebSocket Messages" and the pages of errors 319xx. Pure.
"""
import base64
import collections
import hashlib
import json

from ..media import g711

BYTES_PER_MS = 8
BUFFER_BYTES = 10 * 60 * 1000 * BYTES_PER_MS
SHAPES = {"media": {"event", "streamSid", "media"}, "mark": {"event", "streamSid", "mark"},
          "clear": {"event", "streamSid"}}
HEADERS = (b"RIFF", b".snd", b"ID3", b"OggS")


class Problem(Exception):
    """A message that Twilio would log as an error and ignore; begins with the code."""


def _no_doubles(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise Problem("31951: a field is there twice")
    return dict(pairs)


def read(text, stream_sid):
    """("media", sound), ("mark", name) or ("clear", None) of a message from the application."""
    try:
        message = json.loads(text, object_pairs_hook=_no_doubles)
    except ValueError:
        raise Problem(f"31951: this is no JSON: {text[:80]!r}") from None
    event = message.get("event") if isinstance(message, dict) else None
    if event not in SHAPES:
        raise Problem(f"31951: unknown event {event!r}")
    _exactly(message, SHAPES[event], event)
    if message["streamSid"] != stream_sid:
        raise Problem(f"31951: streamSid is {message['streamSid']!r}, not {stream_sid}")
    if event == "clear":
        return event, None
    inner = message[event]
    if not isinstance(inner, dict):
        raise Problem(f"31951: {event} is no object")
    if event == "mark":
        _exactly(inner, {"name"}, "mark")
        if not isinstance(inner["name"], str) or not inner["name"]:
            raise Problem("31951: the name of a mark is a text that is not empty")
        return event, inner["name"]
    _exactly(inner, {"payload"}, "media")
    return event, _sound(inner["payload"])


def _exactly(message, fields, where):
    missing, extra = fields - set(message), set(message) - fields
    if missing or extra:
        raise Problem(f"31951: {where} lacks {sorted(missing)} and has besides {sorted(extra)}")


def _sound(payload):
    try:
        sound = base64.b64decode(payload, validate=True)
    except (ValueError, TypeError):
        raise Problem(f"31951: the payload is not base64: {str(payload)[:40]!r}") from None
    if not sound or base64.b64encode(sound).decode() != payload:
        raise Problem("31951: the payload is empty or not canonical base64")
    if sound.startswith(HEADERS):
        raise Problem("the payload begins with the header of a file, which is heard as noise")
    return sound


class Playback:
    """
    The buffer between the application and the callee's ear. Marks come back when all sound before
    them was played, at once when there is none, and all of them after `clear`.
    """

    def __init__(self):
        self.pieces = collections.deque()
        self.marks = collections.deque()
        self.buffered = self.received = self.played = 0
        self.overflowed = 0
        self.hash = hashlib.sha256()

    def push(self, sound):
        """False when the sound does not fit any more and is discarded."""
        if self.buffered + len(sound) > BUFFER_BYTES:
            self.overflowed += len(sound)
            return False
        self.pieces.append(sound)
        self.buffered += len(sound)
        self.received += len(sound)
        return True

    def mark(self, name):
        """Marks to send back now."""
        if not self.buffered:
            return [*self._all_marks(), name]
        self.marks.append((self.received, name))
        return []

    def clear(self):
        """Drops all sound; gives the marks to send back and how many bytes were dropped."""
        dropped = self.buffered
        self.pieces.clear()
        self.buffered = 0
        self.received = self.played
        return self._all_marks(), dropped

    def _all_marks(self):
        names = [name for _, name in self.marks]
        self.marks.clear()
        return names

    def advance(self, size):
        """(what is heard in this time, how much of it is not silence, marks to send back)."""
        heard = bytearray()
        while self.pieces and len(heard) < size:
            piece = self.pieces.popleft()
            if len(heard) + len(piece) > size:
                cut = size - len(heard)
                self.pieces.appendleft(piece[cut:])
                piece = piece[:cut]
            heard += piece
        self.buffered -= len(heard)
        self.played += len(heard)
        self.hash.update(heard)
        names = []
        while self.marks and self.marks[0][0] <= self.played:
            names.append(self.marks.popleft()[1])
        sounding = len(heard)
        return bytes(heard) + g711.SILENCE * (size - sounding), sounding, names
