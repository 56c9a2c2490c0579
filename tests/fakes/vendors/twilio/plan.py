# SPDX-License-Identifier: ISC
"""How the other end of a call behaves, and other things that a test may want of the carrier."""
import dataclasses

from ..core.settings import Refused


@dataclasses.dataclass
class Plan:
    """
    `answer`: "answered", "busy", "no-answer", "failed" or "canceled". `answered_by` and `amd_ms`:
    what answering machine detection finds, and when. `callbacks`: "ordered", "reversed",
    "shuffled", "repeated" or "none". `dial`: how a <Dial> ends. `frame_ms`: length of a media
    message. `lose_every`: every so many media messages one is lost. `signature`: "good", "missing",
    "wrong", or "slash" for a WebSocket URL signed with a slash at its end. `say_ms_per_char`: how
    fast the carrier's own voice is.
    """

    answer: str = "answered"
    queued_ms: int = 20
    ring_ms: int = 50
    answered_by: str = "human"
    amd_ms: int = 200
    callbacks: str = "ordered"
    dial: str = "completed"
    dial_ring_ms: int = 50
    dial_talk_ms: int = 200
    sip_code: str = "200"
    frame_ms: int = 20
    lose_every: int = 0
    stream_delay_ms: int = 0
    signature: str = "good"
    say_ms_per_char: int = 2
    hangup_after_ms: int = 0


CHOICES = {
    "answer": ("answered", "busy", "no-answer", "failed", "canceled"),
    "answered_by": ("human", "machine_start", "fax", "unknown", "machine_end_beep",
                    "machine_end_silence", "machine_end_other"),
    "callbacks": ("ordered", "reversed", "shuffled", "repeated", "none"),
    "dial": ("completed", "answered", "busy", "no-answer", "failed", "canceled"),
    "signature": ("good", "missing", "wrong", "slash"),
}


def make(*wishes):
    """A plan from dicts of its fields; later ones win."""
    names = {field.name for field in dataclasses.fields(Plan)}
    values = {}
    for wish in wishes:
        stranger = set(wish) - names
        if stranger:
            raise Refused(f"a plan has no {', '.join(sorted(stranger))}; it has: "
                          + ", ".join(sorted(names)))
        values.update(wish)
    for name, allowed in CHOICES.items():
        if values.get(name, allowed[0]) not in allowed:
            raise Refused(f"{name} of a plan is one of {', '.join(allowed)}")
    return Plan(**values)
