# SPDX-License-Identifier: ISC
"""
What the programs that run the vendors' own libraries share. Each is called with the addresses and
the control address of the simulators as JSON, runs its checks and tells of each on a line.
"""
import importlib.metadata
import json
import math
import pathlib
import sys
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "fakes"))

from vendors.client import Control  # noqa: E402


class Context:
    """`base` and `socket` are addresses without a path, plain or over TLS."""

    def __init__(self, wanted):
        self.base = wanted["base"]
        self.socket = self.base.replace("http", "ws", 1)
        self.over_tls = self.base.startswith("https")
        self.control = Control(wanted["control"])


def only_over_tls(check):
    """Marks a check that the library cannot pass over a plain connection."""
    check.only_over_tls = True
    return check


def main(checks, library):
    """Runs the checks, each on simulators as they are at the start."""
    context = Context(json.loads(sys.argv[1]))
    failed = 0
    print(f"library {library.__name__} {version(library)}")
    for check in checks:
        if getattr(check, "only_over_tls", False) and not context.over_tls:
            print(f"over TLS only: {check.__name__}")
            continue
        context.control.reset()
        try:
            check(context)
            strange = context.control.violations()
            assert not strange, f"the simulators call what the library does wrong: {strange}"
            print(f"ok {check.__name__}")
        except Exception:
            failed += 1
            print(f"FAILED {check.__name__}\n{traceback.format_exc()}")
    sys.exit(1 if failed else 0)


def version(library):
    for name in (library.__name__, library.__name__ + "-sdk"):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "?"


def raises(kind, action):
    """Calls the action, which has to raise this; gives the exception."""
    try:
        action()
    except kind as problem:
        return problem
    raise AssertionError(f"{kind} was not raised")


def tone_mulaw(milliseconds):
    """Something loud: a square wave in mu-law."""
    period = bytes([0x90] * 10 + [0x10] * 10)
    return (period * (milliseconds * 8 // len(period) + 1))[:milliseconds * 8]


def silence_mulaw(milliseconds):
    return b"\xff" * (milliseconds * 8)


def tone_pcm(rate, milliseconds):
    return b"".join(round(8000 * math.sin(2 * math.pi * 300 * n / rate)).to_bytes(
        2, "little", signed=True) for n in range(rate * milliseconds // 1000))


def pieces(data, size):
    return [data[at:at + size] for at in range(0, len(data), size)]
