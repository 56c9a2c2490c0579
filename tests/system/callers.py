# SPDX-License-Identifier: ISC
"""The recorded callers of tests/data, cut and laid out anew."""
import json

import program

RATE = 8000
DATA = program.ROOT / "tests/data"
CALLERS = {caller["voice"]: caller for caller in json.loads(
    (DATA / "callers.json").read_text(encoding="utf-8"))["callers"]}


def sound_of(voice):
    """The mu-law bytes of a caller, one a sample."""
    data = (DATA / CALLERS[voice]["file"]).read_bytes()
    return data[data.index(b"data") + 8:]


def write(path, sound):
    """A WAV file of mu-law bytes."""
    def number(value):
        return value.to_bytes(4, "little")
    path.write_bytes(b"RIFF" + number(38 + len(sound)) + b"WAVEfmt " + number(18)
                     + b"\x07\0\x01\0" + number(RATE) * 2 + b"\x01\0\x08\0\0\0"
                     + b"data" + number(len(sound)) + sound)
    return path


def patient(voice, seconds):
    """The caller waits longer before each sentence, on the same line."""
    sound = sound_of(voice)
    line, at = b"", 0
    for sentence in CALLERS[voice]["sentences"]:
        begin = int((sentence["start_s"] - 0.3) * RATE)
        line += sound[at:begin] + sound[:int(seconds * RATE)]
        at = begin
    return line + sound[at:]
