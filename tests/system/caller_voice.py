# SPDX-License-Identifier: ISC
"""The recorded callers of tests/data, as sound for tests. Samples are numpy arrays of int16."""
import json
import wave

import numpy

import program
from vendors.media import sound

DATA = program.ROOT / "tests/data"
LINE_HZ = 8000


def read(name):
    """(samples, sentences) of a caller: "rms", "awb" or "kal16"."""
    codec, rate, channels, audio = sound.read_wav((DATA / f"caller_{name}.wav").read_bytes())
    assert (rate, channels) == (LINE_HZ, 1)
    listed = json.loads((DATA / "callers.json").read_text(encoding="utf-8"))["callers"]
    sentences = next(each["sentences"] for each in listed if each["voice"] == name)
    return numpy.array(sound.samples(codec, audio), numpy.int16), sentences


def sentence(name, number):
    """The samples of one sentence of a caller, with a little of the line before and after it."""
    samples, sentences = read(name)
    begin, end = sentences[number]["start_s"] - 0.1, sentences[number]["end_s"] + 0.2
    return samples[int(begin * LINE_HZ):int(end * LINE_HZ)]


def silence(seconds):
    return numpy.zeros(int(seconds * LINE_HZ), numpy.int16)


def at_16_khz(samples):
    """What a page with a microphone would send of it."""
    places = numpy.arange(2 * len(samples)) / 2
    return numpy.interp(places, numpy.arange(len(samples)), samples).astype("<i2").tobytes()


def write(path, samples, rate=LINE_HZ):
    """A WAV file of one channel."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(numpy.asarray(samples, "<i2").tobytes())
    return path


def loudness(samples):
    """Root mean square, of int16 or of floats alike."""
    return float(numpy.sqrt(numpy.mean(numpy.square(numpy.asarray(samples, float))))) \
        if len(samples) else 0.0
