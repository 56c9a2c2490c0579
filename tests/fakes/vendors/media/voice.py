# SPDX-License-Identifier: ISC
"""What a simulated voice makes of a text: pieces of sound, each with the characters it speaks."""
import dataclasses

SETTINGS = {"ms_per_char": 60, "tone_hz": 400, "piece_ms": 200, "first_byte_ms": 0,
            "piece_every_ms": 0}


@dataclasses.dataclass
class Piece:
    """`starts_ms` are relative to the piece itself."""

    audio: bytes
    chars: list
    starts_ms: list
    durations_ms: list


class Voice:
    """One voice in one format; its tone goes on where the last text ended."""

    def __init__(self, settings, form):
        self.settings, self.form = settings, form
        self.position_ms = 0

    def speak(self, text):
        """The pieces of a text, each about `piece_ms` long."""
        per_char = self.settings["ms_per_char"]
        at_once = max(1, self.settings["piece_ms"] // per_char)
        pieces = []
        for at in range(0, len(text), at_once):
            chars = list(text[at:at + at_once])
            begin, self.position_ms = self.position_ms, self.position_ms + len(chars) * per_char
            pieces.append(Piece(
                self.form.tone(self.settings["tone_hz"], begin, self.position_ms), chars,
                [number * per_char for number in range(len(chars))], [per_char] * len(chars)))
        return pieces


def total_ms(settings, text):
    return len(text) * settings["ms_per_char"]
