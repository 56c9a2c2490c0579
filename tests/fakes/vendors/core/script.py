# SPDX-License-Identifier: ISC
"""
What a simulated recogniser understands: the test's script, one entry for each utterance; the last
entry repeats. An entry is a text, or {"segments": [text, ...], "confidence", "language"}.
"""
import dataclasses

SETTINGS = {"script": ["hello"], "script_per_connection": False}


@dataclasses.dataclass
class Utterance:
    segments: list
    confidence: float = 0.98
    language: str = "en"

    @property
    def text(self):
        return " ".join(self.segments)

    @property
    def words(self):
        return self.text.split()


class Script:
    """A place in a script; setting a new script starts it from the beginning."""

    def __init__(self):
        self.entries, self.position = None, 0

    def next(self, settings):
        entries = settings["script"]
        if entries is not self.entries:
            self.entries, self.position = entries, 0
        if not entries:
            return Utterance([""])
        entry = entries[min(self.position, len(entries) - 1)]
        self.position += 1
        return Utterance([entry]) if isinstance(entry, str) else Utterance(**entry)


def of(exchange):
    """The vendor's script, or one of this connection if the test wants that."""
    if exchange.settings["script_per_connection"]:
        return Script()
    return exchange.simulator.state(exchange.vendor.name + " script", Script)
