# SPDX-License-Identifier: ISC
"""
What simulated voices say: a tone whose length follows the text, in the format that was asked for.
Compressed formats other than MP3 cannot be made with Python alone; MP3 is of silent frames.
"""
import array
import functools
import math
import struct

from . import g711

AMPLITUDE = 8000


@functools.lru_cache(maxsize=64)
def _second(hz, rate):
    """One second of a tone; whole periods fit because both are integers."""
    return array.array("h", (round(AMPLITUDE * math.sin(2 * math.pi * hz * n / rate))
                             for n in range(rate)))


@functools.lru_cache(maxsize=64)
def _encoded_second(codec, hz, rate):
    samples = _second(hz, rate)
    if codec == "mulaw":
        return g711.encode_mulaw(samples)
    if codec == "alaw":
        return g711.encode_alaw(samples)
    return samples.tobytes()


class Format:
    """An audio format: codec mulaw, alaw, pcm or mp3, its rate, and whether a WAV header leads."""

    def __init__(self, codec, rate, wav=False):
        self.codec, self.rate, self.wav = codec, rate, wav
        self.sample_bytes = 2 if codec == "pcm" else 1

    def tone(self, hz, begin_ms, end_ms):
        """The piece of an endless tone between two times, without any header."""
        if self.codec == "mp3":
            return silent_mp3(self.rate, begin_ms, end_ms)
        second = _encoded_second(self.codec, hz, self.rate)
        begin, end = (ms * self.rate // 1000 * self.sample_bytes for ms in (begin_ms, end_ms))
        repeated = second * (end // len(second) - begin // len(second) + 1)
        offset = begin - begin % len(second)
        return repeated[begin - offset:end - offset]

    def header(self, audio_bytes):
        return wav_header(self.codec, self.rate, audio_bytes) if self.wav else b""

    def duration_ms(self, audio_bytes):
        return audio_bytes * 1000 // (self.rate * self.sample_bytes)


def wav_header(codec, rate, audio_bytes):
    tag = {"pcm": 1, "alaw": 6, "mulaw": 7}[codec]
    width = 2 if codec == "pcm" else 1
    unknown_length = audio_bytes is None
    size = 0xffffffff if unknown_length else audio_bytes
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 0xffffffff if unknown_length else 36 + size,
                       b"WAVE", b"fmt ", 16, tag, 1, rate, rate * width, width, 8 * width,
                       b"data", size)


MP3_FRAME = bytes.fromhex("fffb9000") + bytes(413)
MP3_FRAME_MS = 1152 * 1000 / 44100


def silent_mp3(rate, begin_ms, end_ms):
    """MPEG-1 layer III frames of 128 kbit/s at 44.1 kHz whose side information is all zero."""
    del rate
    return MP3_FRAME * (round(end_ms / MP3_FRAME_MS) - round(begin_ms / MP3_FRAME_MS))


def read_wav(data):
    """(codec, rate, channels, audio) of a WAV file, or None if it is not one that we can read."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return None
    at, form, audio = 12, None, None
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        if name == b"fmt " and at + 24 <= len(data):
            form = struct.unpack_from("<HHIIHH", data, at + 8)
        elif name == b"data":
            audio = data[at + 8:at + 8 + size]
            break
        at += 8 + size + size % 2
    codec = form and {(1, 16): "pcm", (6, 8): "alaw", (7, 8): "mulaw"}.get((form[0], form[5]))
    if not codec or audio is None:
        return None
    return codec, form[2], form[1], audio


def samples(codec, audio):
    """Signed 16-bit samples of raw audio; an odd last byte of PCM is left out."""
    if codec == "mulaw":
        return g711.decode_mulaw(audio)
    if codec == "alaw":
        return g711.decode_alaw(audio)
    return array.array("h", audio[:len(audio) // 2 * 2])


def pitch(pcm, rate, among):
    """Which of these frequencies is strongest in the samples: tells simulated voices apart."""
    def power(hz):
        turn = 2 * math.cos(2 * math.pi * hz / rate)
        last = before = 0.0
        for sample in pcm:
            last, before = sample + turn * last - before, last
        return last * last + before * before - turn * last * before
    return max(among, key=power)


def pcm_file(audio, rate, channels):
    """A WAV file of 16-bit samples."""
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(audio), b"WAVE", b"fmt ", 16, 1,
                       channels, rate, rate * 2 * channels, 2 * channels, 16, b"data",
                       len(audio)) + audio
