# SPDX-License-Identifier: ISC
"""A recorded caller that is none is told with what to do, by `talk` and by `call` alike."""
import json
import math
import os
import struct

import pytest

import caller_voice


def wav(channels=1, rate=8000, bits=16, tag=1, data=None):
    """A WAV file of a quiet tone, or of these bytes."""
    width = bits // 8
    if data is None:
        count = rate * channels // 10
        data = b"".join(int(99 * math.sin(i / 5)).to_bytes(width, "little", signed=True)
                        for i in range(count))
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, tag,
                       channels, rate, rate * channels * width, channels * width, bits,
                       b"data", len(data)) + data


GOOD = (caller_voice.DATA / "caller_kal16.wav").read_bytes()
BAD = {
    "text": (b"This is no sound.\n" * 10, "is not a WAV file"),
    "an MP3": (b"ID3\x03" + b"\0" * 4000, "not a WAV file but an MP3 file; make one: ffmpeg"),
    "nothing": (b"", "is empty (0 bytes)"),
    "stereo": (wav(channels=2), "16 bit, stereo, 8000 Hz; a caller is"),
    "44.1 kHz": (wav(rate=44100), "44100 Hz; a caller is 16 bit (or mu-law, A-law), mono"),
    "24 bit": (wav(bits=24), "convert it: sox in.wav -e signed-integer -b 16 out.wav"),
    "floating point": (wav(bits=32, tag=3), "32 bit floating point"),
    "8 bit": (wav(bits=8), "8 bit"),
    "no sound": (wav(data=b""), "holds no sound"),
    "half a header": (GOOD[:30], "cut short before its sound begins"),
    "only a header": (GOOD[:44], "cut short before its sound begins"),
    "half its sound": (GOOD[:40000], "bytes of sound, "),
    "a header that lies": (GOOD[:20] + b"\xff" * 20 + GOOD[40:], ""),
}


@pytest.fixture
def bad(tmp_path):
    def make(name):
        path = tmp_path / "caller.wav"
        path.write_bytes(BAD[name][0])
        return path
    return make


@pytest.mark.parametrize("name", BAD)
def test_talk_refuses_what_is_no_caller(aicaller, bad, tmp_path, name):
    out = tmp_path / "out.wav"
    result = aicaller("talk", bad(name), "-o", out)
    assert result.returncode == 1, result
    assert result.stdout == "" and not out.exists()
    told = result.stderr.strip().splitlines()[-1]
    assert told.startswith("aicaller talk: ") and "caller.wav" in told
    assert BAD[name][1] in told


@pytest.mark.parametrize("name", BAD)
def test_a_running_server_refuses_it_and_goes_on(shared_server, aicaller, bad, name):
    result = aicaller("call", "-c", shared_server.command[-1], f"wav:{bad(name)}")
    assert result.returncode == 1
    assert result.stderr.startswith("aicaller call: ") and BAD[name][1] in result.stderr
    assert shared_server.get("/calls/health/").json["status"] == "ok"


@pytest.mark.parametrize("kind, text", [
    ("missing", "No such file"), ("folder", "is not a file"), ("pipe", "is not a file"),
    ("device", "is not a file")])
def test_what_is_no_file_is_told_at_once(aicaller, tmp_path, kind, text):
    path = tmp_path / "caller.wav"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = "/dev/zero"
    result = aicaller("talk", path, seconds=10)
    assert result.returncode == 1 and text in result.stderr


def test_no_path_leads_out_of_the_folder_of_callers(serve, make_conf, aicaller, tmp_path):
    callers = tmp_path / "callers"
    callers.mkdir()
    (callers / "good.wav").write_bytes(GOOD)
    (tmp_path / "secret.wav").write_bytes(GOOD)
    (callers / "link.wav").symlink_to(tmp_path / "secret.wav")
    conf = make_conf({"providers": {"wav": {"plugin": "wav.so", "folder": str(callers)}},
                      "agents": {"default": {"telephony": ["wav"]}}})
    server = serve(conf=conf)
    for name in ("../secret.wav", tmp_path / "secret.wav", "link.wav", "/etc/passwd"):
        result = aicaller("call", "-c", conf[0], f"wav:{name}")
        assert result.returncode == 1, name
        assert "RIFF" not in result.stderr and "root:" not in result.stderr
    assert aicaller("call", "-c", conf[0], "wav:good.wav").returncode == 0
    calls = json.loads(aicaller("calls", "--json", "-c", conf[0]).stdout)
    assert [call["to"] for call in calls] == ["wav:good.wav"]
    assert server.get("/calls/health/").json["active_calls"] == 1
