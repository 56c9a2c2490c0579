# SPDX-License-Identifier: ISC
"""
What the simulators received and sent, for assertions. Bounded: old requests and frames go first,
and that is counted. Secrets are kept as a hash only.
"""
import base64
import collections
import hashlib
import itertools
import json
import time

REQUESTS = 2000
FRAMES = 20000
TEXT_BYTES = 256 * 1024
AUDIO_BYTES = 16 * 1024 * 1024
SECRET_HEADERS = ("authorization", "xi-api-key", "x-api-key", "api-key", "cookie",
                  "sec-websocket-protocol")


def secret_hash(value):
    return "sha256:" + hashlib.sha256(value.encode()).hexdigest()[:16]


def masked(name, value):
    """A header's value with what is secret in it replaced by its hash."""
    if name.lower() not in SECRET_HEADERS:
        return value
    scheme, separator, secret = value.partition(" ")
    return f"{scheme} {secret_hash(secret)}" if separator else secret_hash(value)


def readable(data):
    """Bytes as a test wants to see them: JSON, text, or base64 with a mark."""
    try:
        text = data[:TEXT_BYTES].decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data[:TEXT_BYTES]).decode()}
    try:
        return json.loads(text)
    except ValueError:
        return text


class Audio:
    """Sound that passed, kept up to a bound and hashed in full."""

    def __init__(self):
        self.data = bytearray()
        self.length = 0
        self.hash = hashlib.sha256()

    def add(self, data):
        self.hash.update(data)
        self.length += len(data)
        if len(self.data) + len(data) <= AUDIO_BYTES:
            self.data += data

    def summary(self):
        return {"bytes": self.length, "sha256": self.hash.hexdigest()}


class Entry:
    """One request, or one WebSocket with its frames."""

    def __init__(self, number, clock, endpoint, request, server_port):
        self.clock = clock
        self.heard, self.spoken = Audio(), Audio()
        self.frames = collections.deque(maxlen=FRAMES)
        self.frames_dropped = 0
        self.data = {
            "id": number, "vendor": endpoint.vendor, "endpoint": endpoint.name,
            "at_ms": clock(), "method": request.method, "path": request.path,
            "query": [[name, value] for name, value in request.query.items()],
            "raw_path": request.raw_path, "scheme": request.scheme, "port": server_port,
            "headers": [[name, masked(name, value)] for name, value in request.headers.items()],
            "body": None, "status": None, "faults": [], "violations": [], "notes": [],
            "closed": None, "ended_ms": None,
        }

    def note(self, text):
        self.data["notes"].append(text)

    def violation(self, text):
        """The client did what the vendor's documentation forbids."""
        if len(self.data["violations"]) < 100:
            self.data["violations"].append(text)

    def frame(self, sender, kind, content):
        """Content is text, bytes, or for a close its code and reason."""
        if len(self.frames) == FRAMES:
            self.frames_dropped += 1
        frame = {"at_ms": self.clock(), "from": sender, "type": kind}
        if kind == "binary":
            frame["bytes"] = len(content)
        elif kind == "text":
            frame["data"] = readable(content.encode(errors="replace"))
        else:
            frame["data"] = content
        self.frames.append(frame)

    def show(self, with_frames):
        shown = dict(self.data, heard=self.heard.summary(), spoken=self.spoken.summary())
        if with_frames:
            shown.update(frames=list(self.frames), frames_dropped=self.frames_dropped)
        return shown


class Journal:
    """The entries, oldest first."""

    def __init__(self):
        begun = time.monotonic()
        self.clock = lambda: round((time.monotonic() - begun) * 1000, 3)
        self.entries = collections.OrderedDict()
        self.numbers = itertools.count(1)
        self.dropped = 0

    def begin(self, endpoint, request, server_port):
        entry = Entry(next(self.numbers), self.clock, endpoint, request, server_port)
        self.entries[entry.data["id"]] = entry
        if len(self.entries) > REQUESTS:
            self.entries.popitem(last=False)
            self.dropped += 1
        return entry

    def find(self, vendor=None, endpoint=None, since=0):
        return [entry for number, entry in self.entries.items()
                if number > since and vendor in (None, entry.data["vendor"])
                and endpoint in (None, entry.data["endpoint"])]

    def clear(self):
        self.entries.clear()
        self.dropped = 0
