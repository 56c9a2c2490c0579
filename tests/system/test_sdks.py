# SPDX-License-Identifier: ISC
"""
The vendors' own official libraries pass against our simulators of the vendors, plain and over TLS
with verification. That is what makes the simulators worth testing against.
"""
import json
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = 180
OVER = pytest.mark.parametrize("over", ["http", "https"])
# The number of checks that each program has at least; a program that checks nothing does not pass.
LIBRARIES = {"deepgram": 9, "groq": 14, "openai": 14, "elevenlabs": 7}


@pytest.fixture(autouse=True)
def _trust(simulators, monkeypatch):
    """The libraries verify certificates; they are told of the test authority."""
    monkeypatch.setenv("SSL_CERT_FILE", simulators.ca)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", simulators.ca)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


def addresses(simulators, over):
    return json.dumps({"base": simulators.ready[over], "control": simulators.control})


def passes(result, least):
    print(result.stdout)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("\nok ") >= least, result.stdout


@OVER
@pytest.mark.slow
@pytest.mark.parametrize("library", LIBRARIES)
def test_the_official_library_passes(library, over, simulators, vendor_python):
    result = vendor_python(library, HERE / "sdks" / f"run_{library}.py",
                           addresses(simulators, over), seconds=SECONDS)
    passes(result, LIBRARIES[library])


@OVER
@pytest.mark.slow
def test_the_official_library_of_twilio_passes(over, simulators):
    """Debian has it, so this one always runs."""
    script = HERE / "sdks" / "run_twilio.py"
    result = subprocess.run(["/usr/bin/python3", script, addresses(simulators, over)],
                            capture_output=True, text=True, timeout=SECONDS, check=False)
    passes(result, 9)
