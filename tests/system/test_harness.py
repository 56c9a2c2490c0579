# SPDX-License-Identifier: ISC
"""The helpers of the system tests do what they say, shown with a stand-in for the server."""
import contextlib
import math
import pathlib
import signal
import struct
import subprocess
import wave

import psycopg2
import pytest

import conf
import program

STUB = pathlib.Path(__file__).with_name("stub_aicaller")


@pytest.fixture
def stub(start_server):
    def start(fault="", **options):
        return start_server(STUB, MISBEHAVE=fault, **options)
    return start


def test_a_configuration_is_written_as_libconfig_reads_it():
    text = conf.group_text({"a": {"b": True, "c": 1.5, "d": ['x"y', "z"]}, "e": [{"f": 1}],
                            "g": []})
    assert text == ('a = {\n    b = true;\n    c = 1.5;\n    d = ["x\\"y", "z"];\n};\n'
                    'e = ({\n    f = 1;\n});\ng = [];\n')


def test_changes_are_put_over_a_configuration_and_none_takes_away():
    base = {"server": {"port": 1, "workers": 1}, "storage": "local"}
    changed = conf.merged(base, {"server": {"workers": 4}, "storage": None, "limits": {"a": 1}})
    assert changed == {"server": {"port": 1, "workers": 4}, "limits": {"a": 1}}
    assert base == {"server": {"port": 1, "workers": 1}, "storage": "local"}


def test_a_server_is_ready_answers_and_stops(stub):
    server = stub()
    assert server.get("/calls/health/").json == {"status": "ok"}
    assert server.post("/calls/make-call/", {"to": "x"}).text == '{"to": "x"}'
    assert server.processes()
    assert server.stop() == 0
    assert not server.processes()
    assert "GET /calls/health/" in server.log


def test_a_reload_is_waited_for(stub):
    server = stub()
    server.reload()
    assert server.manager.heard[-1]["STATUS"] == "generation 2"


def test_two_servers_run_side_by_side(stub):
    assert stub().port != stub().port


def test_a_server_that_ends_at_once_is_told_with_its_log(stub):
    with pytest.raises(AssertionError, match="status 78:\nstub: cannot go on"):
        stub("ends at once")


def test_a_server_that_is_never_ready_is_told(make_conf, tmp_path, output):
    path, port = make_conf()
    server = program.Server(path, port, tmp_path, output / "log", program=STUB,
                            MISBEHAVE="never ready")
    with pytest.raises(AssertionError, match="the server is ready"):
        server.start(seconds=1)
    server.stop()


def test_a_process_that_stays_behind_fails_the_test_and_is_ended(stub):
    server = stub("leaves a process")
    with pytest.raises(AssertionError, match="left processes behind.*sleep 600"):
        server.stop()
    program.eventually(lambda: not server.processes(), "the process is gone")


def test_what_a_sanitizer_wrote_fails_the_test(stub):
    server = stub("sanitizer")
    with pytest.raises(AssertionError, match="heap-use-after-free"):
        server.stop()


def test_a_server_that_is_killed_has_a_status_that_says_so(stub):
    assert stub().stop(signal.SIGKILL) == -signal.SIGKILL


def test_a_command_runs_in_a_clean_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPGRAM_API_KEY", "of whoever runs the tests")
    result = program.run(["-c", "env"], tmp_path, program="/bin/sh", EXTRA="1")
    assert "DEEPGRAM" not in result.stdout and "EXTRA=1" in result.stdout
    assert f"HOME={tmp_path}" in result.stdout


def test_an_isolated_server_is_reached_and_nobody_else_reaches_it(can_isolate, stub):
    server = stub(isolated=True)
    assert server.get("/calls/health/").status == 200
    server.isolated = False
    with pytest.raises(ConnectionRefusedError):
        server.get("/calls/health/")
    server.isolated = True
    assert server.stop() == 0


def test_an_isolated_server_that_sends_to_the_world_is_found_out(can_isolate, stub):
    server = stub("sends to the world", isolated=True)
    assert server.stop() == 97
    assert "1 attempts to send beyond loopback" in server.log


@pytest.mark.parametrize("command, status", [
    ("exit 3", 3),
    ("kill -9 $$", -9),
    ("exec /usr/bin/python3 -c "
     "'import socket; socket.create_connection((\"192.0.2.1\", 80))'", 97),
])
def test_an_isolated_command_ends_as_it_would(can_isolate, command, status):
    result = subprocess.run([*program.ISOLATED, "sh", "-c", command], check=False,
                            capture_output=True)
    assert result.returncode == status


def tone(path):
    """One second of 440 Hz, then half a second of silence."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(b"".join(
            struct.pack("<h", int(20000 * math.sin(2 * math.pi * 440 * at / 16000)))
            for at in range(16000)) + bytes(16000))
    return path


@pytest.mark.slow
def test_a_private_postgresql_is_empty_and_can_go_down_and_up(postgres):
    def tables():
        with contextlib.closing(psycopg2.connect(postgres.url)) as connection:
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
                return cursor.fetchone()[0]
    assert tables() == 0
    assert postgres.ask("down") == "done"
    with pytest.raises(psycopg2.OperationalError):
        tables()
    assert postgres.ask("up") == "done"
    assert tables() == 0


@pytest.mark.slow
def test_the_browser_hears_the_file_that_is_its_microphone(stub, browser, tmp_path, output):
    server = stub()
    page = browser(f"{server.url}/page", microphone=tone(tmp_path / "tone.wav"))
    level = page.find_element("id", "level")
    program.eventually(lambda: level.text == "sound", "the microphone is heard")
    assert page.title == "stub"
