# SPDX-License-Identifier: ISC
"""
docs/http-api.md: each example is run as it stands, and its answer has what is shown there; each
kind of problem that the program knows is explained.
"""
import json
import re
import shutil
import subprocess

import pytest

import dialling
import program
from people import People

DOCUMENT = program.ROOT / "docs/http-api.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
EXAMPLE = re.compile(r"```sh\n(.*?)```(?:\n\n```json (\d+)\n(.*?)```)?", re.DOTALL)
EXAMPLES = EXAMPLE.findall(TEXT)


@pytest.fixture(scope="module")
def simulators(tmp_path_factory):
    with dialling.Simulators(tmp_path_factory.mktemp("vendors")) as running:
        yield running


@pytest.fixture
def server(serve, make_conf, simulators, aicaller):
    """A server that may dial, with a conversation, a key and a user."""
    conf = make_conf(dialling.changes(simulators))
    People(aicaller, conf).add("ann", "admin")
    server = serve(conf=conf)
    server.conf = conf[0]
    dialling.reach(server, simulators, {"answer": "no-answer"})
    return server


@pytest.fixture
def run(server, aicaller):
    """run(example) -> (status, body): as a reader's shell would, on the port of this test."""
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")

    def talk():
        answer = server.post("/calls/test-chat/", {"message": "I would like an appointment"})
        call_id = answer.json["session"]

        def is_recorded():
            found = server.get(f"/calls/call-detail/{call_id}/")
            return found.status == 200 and found.json["messages"] and found.json["turns"]
        program.eventually(is_recorded, "the conversation is recorded")
        return call_id
    made = server.post(dialling.MAKE_CALL, {"to": dialling.THEIRS})
    assert made.status == 201, made.text
    program.eventually(lambda: server.get("/calls/call-history/?direction=outbound")
                       .json["calls"], "the call is recorded")
    variables = {
        "KEY": aicaller("key", "add", "doc", "-c", server.conf).stdout.strip(),
        "CALL_ID": talk(), "LIVE_ID": talk(), "PATH": "/usr/bin:/bin"}

    def run_one(command):
        assert "127.0.0.1:8000" in command
        command = command.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
        command = re.sub(r"^curl ", r"curl -sS -w '\\n%{http_code}' ", command)
        result = subprocess.run(["sh", "-euc", command], env=variables, capture_output=True,
                                text=True, timeout=30, check=False)
        assert result.returncode == 0, result.stderr
        body, _, status = result.stdout.rpartition("\n")
        return int(status), json.loads(body)
    return run_one


def check(shown, found, place="the answer"):
    """What is shown is there, and is of the same kind; null may become something."""
    if shown is None or found is None:
        return
    assert isinstance(found, (int, float) if isinstance(shown, (int, float)) else type(shown)), \
        (place, shown, found)
    if isinstance(shown, dict):
        for key, value in shown.items():
            assert key in found, f"{key} is not in {place}: {found}"
            check(value, found[key], f"{place}.{key}")
    elif isinstance(shown, list):
        assert len(found) >= len(shown), (place, found)
        for index, value in enumerate(shown):
            check(value, found[index], f"{place}[{index}]")


def test_the_examples_do_what_they_show(run):
    assert len(EXAMPLES) >= 12
    for command, status, answer in EXAMPLES:
        got, body = run(command)
        assert got == int(status or 200), (command, body)
        if answer:
            check(json.loads(answer), body)


def test_every_endpoint_has_an_example():
    for heading in re.findall(r"^##+ ((?:GET|POST) /\S+)", TEXT, re.MULTILINE):
        path = heading.split()[1].partition("ID")[0]
        assert any(path in command for command, _, _ in EXAMPLES), heading


def test_every_problem_is_explained():
    explained = set(re.findall(r"`([a-z-]+)`", TEXT[TEXT.index("## Problems"):]))
    told = set()
    for source in (program.ROOT / "host/web").glob("*.c"):
        code = source.read_text(encoding="utf-8")
        told.update(re.findall(r"reply_problem\([^;\"]*?\"([a-z-]+)\"", code))
        told.update(re.findall(r"\.type = \"([a-z-]+)\"", code))
        told.update(re.findall(r"refuse\(m, \d+, \"([a-z-]+)\"", code))
        told.update(re.findall(r"\{AIC_ERROR_\w+, \d+, \"([a-z-]+)\"", code))
    assert len(told) > 30
    assert told - explained == set()
