# SPDX-License-Identifier: ISC
"""Recordings: made of what was sent and heard, told by callback, fetched by REST."""
import array
import time

from ..media import g711, sound
from .call import API_VERSION, make_sid, rfc2822


class Recording:
    """One recording of a call; `source` names who asked for it, `callback` is told when it is."""

    def __init__(self, call, channels, source, callback=None):
        self.call, self.channels, self.source, self.callback = call, channels, source, callback
        self.sid = make_sid("RE")
        self.status = "in-progress"
        self.created = time.time()
        self.wav = b""

    def finish(self):
        """The caller is the left channel of a dual recording, or both are mixed."""
        mouth = b"".join(bytes(stream.sent) for stream in self.call.streams)
        ear = b"".join(bytes(stream.heard) for stream in self.call.streams)
        size = max(len(mouth), len(ear))
        left, right = (g711.decode_mulaw(side + g711.SILENCE * (size - len(side)))
                       for side in (mouth, ear))
        pairs = zip(left, right)
        if self.channels == 2:
            samples = array.array("h", (sample for pair in pairs for sample in pair))
        else:
            samples = array.array("h", ((one + other) // 2 for one, other in pairs))
        self.wav = sound.pcm_file(samples.tobytes(), 8000, self.channels)
        self.status = "completed"

    def duration_s(self):
        return len(self.wav) // (8000 * 2 * self.channels)

    def uri(self):
        return f"/{API_VERSION}/Accounts/{self.call.account_sid}/Recordings/{self.sid}"

    def url(self):
        return "https://api.twilio.com" + self.uri()

    def parameters(self):
        return [("AccountSid", self.call.account_sid), ("CallSid", self.call.sid),
                ("RecordingSid", self.sid), ("RecordingUrl", self.url()),
                ("RecordingStatus", self.status), ("RecordingDuration", str(self.duration_s())),
                ("RecordingChannels", str(self.channels)),
                ("RecordingStartTime", rfc2822(self.created)), ("RecordingSource", self.source),
                ("RecordingTrack", "both")]

    def resource(self):
        return {"sid": self.sid, "account_sid": self.call.account_sid, "call_sid": self.call.sid,
                "conference_sid": None, "channels": self.channels, "api_version": API_VERSION,
                "duration": str(self.duration_s()) if self.status == "completed" else "-1",
                "status": self.status, "source": self.source, "error_code": None,
                "price": None, "price_unit": "USD", "encryption_details": None,
                "date_created": rfc2822(self.created), "date_updated": rfc2822(self.created),
                "start_time": rfc2822(self.created), "media_url": self.url(),
                "track": "both", "uri": self.uri() + ".json", "subresource_uris": {}}
