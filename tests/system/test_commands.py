# SPDX-License-Identifier: ISC
"""The commands as a person or a script uses them, each with its help and its exit status."""
import json
import os
import re
import signal
import sqlite3
import subprocess
import wave

import numpy
import pytest

import caller_voice
import program
from vendors.media import hearing

COMMANDS = ["serve", "check", "talk", "console", "call", "calls", "show", "hangup", "tail",
            "plugins", "migrate", "config", "version"]
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
WISH, GOODBYE = caller_voice.DATA / "caller_rms.wav", "goodbye\n"


def only(pairs):
    """An object without repeated keys, which some readers refuse."""
    made = dict(pairs)
    assert len(made) == len(pairs), pairs
    return made


def strict(text):
    return json.loads(text, object_pairs_hook=only)


@pytest.fixture
def conf(make_conf):
    """A configuration with a caller from a file, and its database."""
    path, port = make_conf({"agents": {"default": {"telephony": ["browser", "wav"]}}})
    return path, port


def rows(conf, query):
    database = conf[0].parent / "state0/aicaller.db"
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return connection.execute(query).fetchall()


def test_the_help_of_the_program_names_every_command(aicaller):
    for arguments in (("--help",), ("-h",)):
        result = aicaller(*arguments)
        assert result.returncode == 0 and result.stderr == ""
        listed = re.findall(r"^  (\w+)  ", result.stdout, re.MULTILINE)
        assert set(COMMANDS) <= set(listed)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(aicaller, command):
    result = aicaller(command, "--help")
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout.startswith(f"Usage: aicaller {command} ")
    assert "--help" in result.stdout


@pytest.mark.parametrize("arguments, told", [
    ((), "Usage"), (("tlak",), "talk"), (("talk",), "talk"),
    (("talk", "a.wav", "b.wav"), "talk"), (("talk", "--agnet", "x", "a.wav"), "--agnet"),
    (("talk", "a.wav", "-o"), "requires an argument"),
    (("show",), "show"), (("hangup",), "hangup"), (("call",), "call"), (("plugins", "x"), "x"),
    (("plugins", "info"), "info"), (("config",), "config"), (("config", "x"), "x"),
    (("serve", "x"), "x"), (("version", "--jsn"), "--jsn")])
def test_wrong_usage_ends_with_2_and_a_hint(aicaller, arguments, told):
    result = aicaller(*arguments)
    assert result.returncode == 2, result
    assert told in result.stderr and result.stdout == ""


def test_version_tells_program_and_abi(aicaller):
    assert re.match(r"aicaller \d+\.\d+\.\d+\nplugin ABI \d+\.\d+\n", aicaller("version").stdout)
    assert {"version", "abi"} <= set(strict(aicaller("version", "--json").stdout))


def test_plugins_are_listed_and_described(aicaller):
    listed = {each["id"]: each for each in strict(aicaller("plugins", "--json").stdout)}
    assert set(listed) >= {"browser", "wav", "sphinx", "script", "flite", "sqlite"}
    assert strict(aicaller("plugins", "list", "--json").stdout) == list(listed.values())
    path = program.BUILD / "plugins/flite.so"
    text = aicaller("plugins", "info", path).stdout
    assert "flite" in text and "speed" in text and "voice" in text
    info = strict(aicaller("plugins", "info", "--json", path).stdout)
    assert info["id"] == "flite"
    assert {"voice", "speed"} <= {each["name"] for each in info["options"]}
    result = aicaller("plugins", "info", "/nowhere.so")
    assert result.returncode == 1 and "/nowhere.so" in result.stderr


def test_a_good_configuration_is_said_to_be_good(aicaller, conf):
    result = aicaller("check", "-c", conf[0])
    assert result.returncode == 0, result.stderr
    assert strict(aicaller("check", "--json", "-c", conf[0]).stdout) == []


def test_the_configuration_is_shown_without_its_secrets(aicaller, make_conf):
    path, _ = make_conf({"server": {"secret": "env:THE_SECRET"}})
    secret = "a_secret_of_many_characters"
    for options in ((), ("--resolved",)):
        result = aicaller("config", "show", *options, "-c", path, THE_SECRET=secret)
        assert result.returncode == 0, result.stderr
        assert "flite" in result.stdout and secret not in result.stdout + result.stderr


def test_the_schema_is_made_and_told(aicaller, conf):
    before = strict(aicaller("migrate", "--status", "--json", "-c", conf[0]).stdout)
    assert aicaller("migrate", "-c", conf[0]).returncode == 0
    after = strict(aicaller("migrate", "--status", "--json", "-c", conf[0]).stdout)
    assert before != after
    assert aicaller("migrate", "-c", conf[0]).returncode == 0, "again, with nothing to do"
    assert ("calls",) in rows(conf, "SELECT name FROM sqlite_master WHERE type = 'table'")


def test_one_types_to_the_agent(aicaller, conf):
    lines = "I need an appointment\nMonday\n" + GOODBYE
    result = aicaller("console", "-c", conf[0], text=lines)
    assert result.returncode == 0, result.stderr
    assert "day" in result.stdout and "Monday" in result.stdout and "Goodbye" in result.stdout
    result = aicaller("console", "--json", "-c", conf[0], text=lines)
    replies = [strict(line) for line in result.stdout.splitlines()]
    assert len(replies) >= 3 and all(isinstance(reply, dict) for reply in replies)
    assert aicaller("console", "--agent", "nobody", "-c", conf[0], text="x").returncode != 0


@pytest.mark.slow
def test_a_recorded_caller_talks_and_is_recorded(aicaller, conf, tmp_path):
    """A short caller: the wish, then silence until the agent has answered."""
    caller = caller_voice.write(tmp_path / "caller.wav", numpy.concatenate([
        caller_voice.silence(5), caller_voice.sentence("rms", 0), caller_voice.silence(3.5),
        caller_voice.sentence("kal16", 5), caller_voice.silence(4)]))
    out = tmp_path / "out.wav"
    result = aicaller("talk", caller, "-o", out, "--json", "-c", conf[0])
    assert result.returncode == 0, result.stderr
    said = [strict(line) for line in result.stdout.splitlines()]
    words = [each["text"] for each in said if each.get("type") == "transcript" and each["final"]]
    assert any("change my appointment" in each for each in words)
    heard = [each["text"] for each in said if each.get("type") == "heard"]
    assert "day" in heard[1] and "Goodbye" in heard[-1]
    check_recording(out)
    (call_id, status, reason), = rows(conf, "SELECT call_id, status, end_reason FROM calls")
    assert UUID7.fullmatch(call_id) and (status, reason) == ("completed", "completed")
    stored = rows(conf, "SELECT role, content, heard FROM messages ORDER BY message_id")
    assert [each[2] for each in stored if each[0] == "assistant" and each[2]] == heard
    assert [each[1] for each in stored if each[0] == "user"][0] == words[0]
    (path, channels, seconds), = rows(conf, "SELECT path, channels, duration_s FROM recordings")
    assert path == str(out) and channels == 2 and 15 < seconds < 30
    show = aicaller("show", call_id, "-c", conf[0])
    assert show.returncode == 0 and "change my appointment" in show.stdout
    assert strict(aicaller("show", "--json", call_id, "-c", conf[0]).stdout)["messages"]


def check_recording(path):
    """Two channels: the caller left, the agent right, each speaking in its time."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (2, 2)
        rate = file.getframerate()
        sound = numpy.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    caller, agent = ([(begin / 1000, end / 1000) for begin, end in hearing.spans(
        "pcm", rate, sound[:, side].tobytes(), gap_ms=800)] for side in (0, 1))
    assert len(caller) == 2 and 4.8 < caller[0][0] < 5.6, caller
    assert agent[0][0] < 1 and agent[0][1] < 5, "the greeting is first"
    answers = [begin for begin, _ in agent if caller[0][1] < begin < caller[1][0]]
    assert answers and answers[0] - caller[0][1] < 2.5, "the wish is answered in time"
    assert agent[-1][0] > caller[1][1], "the agent has the last word"


@pytest.mark.slow
def test_live_calls_are_listed_followed_and_ended(serve, aicaller, built, conf, tmp_path):
    server = serve(conf=conf)
    assert strict(aicaller("calls", "--json", "-c", conf[0]).stdout) == []
    made = aicaller("call", "-c", conf[0], f"wav:{WISH}")
    call_id = made.stdout.strip()
    assert made.returncode == 0 and UUID7.fullmatch(call_id), made
    call, = strict(aicaller("calls", "--json", "-c", conf[0]).stdout)
    assert (call["call_id"], call["agent"], call["direction"]) == (call_id, "default", "outbound")
    assert call_id in aicaller("calls", "-c", conf[0]).stdout
    with subprocess.Popen([built, "tail", "--json", "-c", conf[0], call_id[:18]], text=True,
                          stdout=subprocess.PIPE, env=program.environment(tmp_path)) as tail:
        first = strict(tail.stdout.readline())
        assert first["call_id"] == call_id and first["event"]["type"]
        assert aicaller("hangup", "-c", conf[0], call_id).returncode == 0
        last = strict(tail.stdout.readlines()[-1])
        assert tail.wait(10) == 0, "it ends with the call"
    assert last["event"] == {"type": "ended", "reason": "hung_up_by_operator"}
    program.eventually(lambda: not strict(aicaller("calls", "--json", "-c", conf[0]).stdout),
                       "the call is over")
    assert "no live calls" in aicaller("calls", "-c", conf[0]).stderr
    shown = program.eventually(
        lambda: "hung_up_by_operator" in aicaller("show", "-c", conf[0], call_id).stdout,
        "it is in the records")
    assert shown
    for command in ("hangup", "show", "tail"):
        result = aicaller(command, "-c", conf[0], "nobody", seconds=20)
        assert result.returncode == 1 and "nobody" in result.stderr, command
    assert server.stop() == 0


@pytest.mark.parametrize("command", [("calls",), ("hangup", "x"), ("tail",), ("call", "wav:x")])
def test_without_a_server_one_is_told(aicaller, conf, command):
    result = aicaller(*command, "-c", conf[0])
    assert result.returncode == 1
    assert f"aicaller {command[0]}: no server runs in " in result.stderr


def test_an_agent_that_is_not_there_is_told(aicaller, conf):
    for command in (("talk", WISH), ("console",)):
        result = aicaller(*command, "--agent", "nobody", "-c", conf[0], text="x\n")
        assert result.returncode == 1 and "agent" in result.stderr, command


def test_a_single_process_serves_and_stops(serve):
    server = serve(arguments=["--single"])
    assert len(server.processes()) == 1 and server.processes()[0][0] == server.pid
    assert server.get("/calls/health/").json["status"] == "ok"
    assert server.stop(signal.SIGTERM) == 0


def test_output_that_nobody_reads_ends_the_command(built, conf, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = subprocess.run([built, "config", "reference"], stdout=writer, timeout=20,
                                stderr=subprocess.PIPE, check=False,
                                env=program.environment(tmp_path))
    finally:
        os.close(writer)
    assert result.returncode != 0 or not result.stderr
