# SPDX-License-Identifier: ISC
"""G.711 in both directions by table; samples are signed 16-bit integers."""
import array
import bisect

SILENCE = b"\xff"
BIAS = 132


def _decode_mulaw(byte):
    byte = ~byte & 0xff
    exponent, mantissa = byte >> 4 & 7, byte & 15
    magnitude = (((mantissa << 3) + BIAS) << exponent) - BIAS
    return -magnitude if byte & 0x80 else magnitude


def _decode_alaw(byte):
    byte ^= 0x55
    exponent, mantissa = byte >> 4 & 7, byte & 15
    magnitude = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 264) << exponent - 1
    return magnitude if byte & 0x80 else -magnitude


MULAW = [_decode_mulaw(byte) for byte in range(256)]
ALAW = [_decode_alaw(byte) for byte in range(256)]


class _Encoder:
    """The nearest code of each magnitude, by search among those of one sign."""

    def __init__(self, table, positive, negative):
        self.positive = sorted((table[code], code) for code in positive)
        self.negative = sorted((-table[code], code) for code in negative)
        self.magnitudes = [magnitude for magnitude, _ in self.positive]

    def encode(self, samples):
        return bytes(self._one(sample) for sample in samples)

    def _one(self, sample):
        codes = self.negative if sample < 0 else self.positive
        at = bisect.bisect_left(self.magnitudes, abs(sample))
        if at == len(codes):
            return codes[-1][1]
        if at > 0 and abs(sample) - self.magnitudes[at - 1] < self.magnitudes[at] - abs(sample):
            at -= 1
        return codes[at][1]


_MULAW_ENCODER = _Encoder(MULAW, range(128, 256), range(128))
_ALAW_ENCODER = _Encoder(ALAW, range(128, 256), range(128))
encode_mulaw = _MULAW_ENCODER.encode
encode_alaw = _ALAW_ENCODER.encode


def decode_mulaw(data):
    return array.array("h", map(MULAW.__getitem__, data))


def decode_alaw(data):
    return array.array("h", map(ALAW.__getitem__, data))
