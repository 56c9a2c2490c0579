# SPDX-License-Identifier: ISC
"""
A database that can not be written, a full disk, a schema that is too new, a port in use: said in a
sentence, and nothing that was there before is lost or changed.
"""
import contextlib
import hashlib
import json
import signal
import socket
import sqlite3
import subprocess

import pytest

import program

MESSAGE = {"message": "I would like to make an appointment"}


@pytest.fixture
def disk(tmp_path):
    """disk(size) -> a small disk of its own, to be filled."""
    mounted = []

    def mount(size):
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs",
                               folder], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            pytest.skip(f"a disk for this test can not be mounted: {made.stderr.strip()}")
        mounted.append(folder)
        return folder
    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder):
    """Leaves no byte free; returns the file that takes the room."""
    filler = folder / "filler"
    with open(filler, "ab", buffering=0) as file, contextlib.suppress(OSError):
        for piece in (65536, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(piece))
    return filler


def rows(database, question):
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(question).fetchall()


def stored_in(path):
    return {"providers": {"local": {"path": str(path)}}}


def all_commands(path):
    """The commands that need the database, and their input."""
    wav = program.ROOT / "tests/data/caller_rms.wav"
    return [(("serve", "-c", path), None), (("talk", wav, "-c", path), None),
            (("console", "-c", path), "hello\n"), (("migrate", "-c", path), None)]


@pytest.mark.parametrize("where, text", [
    ("/proc/aicaller.db", "/proc/aicaller.db: "),
    ("/nowhere/below/aicaller.db", "No such file or directory"),
    ("/tmp", "Is a directory"),
])
def test_a_database_that_can_not_be_opened_ends_each_command(aicaller, make_conf, where, text):
    path, _ = make_conf(stored_in(where))
    for command, typed in all_commands(path):
        result = aicaller(*command, text=typed)
        assert result.returncode not in (0, 2), command
        assert text in result.stderr, command
        assert where in result.stderr, command


def test_a_file_that_is_no_database_is_told_and_left_as_it_is(aicaller, make_conf, tmp_path):
    file = tmp_path / "notes.db"
    file.write_bytes(b"These are my notes. " * 500)
    before = file.read_bytes()
    path, _ = make_conf(stored_in(file))
    for command, typed in all_commands(path):
        result = aicaller(*command, text=typed)
        assert result.returncode not in (0, 2), command
        assert "no SQLite database" in result.stderr, command
    assert file.read_bytes() == before


def test_a_database_on_a_read_only_disk_is_told(aicaller, make_conf, disk):
    folder = disk("2m")
    path, _ = make_conf(stored_in(folder / "aicaller.db"))
    assert aicaller("migrate", "-c", path).returncode == 0
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    for command, typed in all_commands(path):
        result = aicaller(*command, text=typed)
        assert result.returncode not in (0, 2) or command[0] == "migrate", (command, result)
        assert "read" in result.stderr or command[0] == "migrate", (command, result.stderr)


def test_a_full_disk_ends_each_command_and_leaves_no_half_database(aicaller, make_conf, disk):
    folder = disk("64k")
    path, _ = make_conf(stored_in(folder / "aicaller.db"))
    for command, typed in all_commands(path):
        result = aicaller(*command, text=typed)
        assert result.returncode == 1, command
        assert "the disk is full" in result.stderr, command
    status = aicaller("migrate", "--status", "--json", "-c", path)
    assert json.loads(status.stdout)["current"] == 0


@pytest.mark.parametrize("command", [("serve",), ("console",)])
def test_a_full_disk_for_the_state_is_told_at_the_start(aicaller, make_conf, disk, command):
    folder = disk("64k")
    fill(folder)
    path, _ = make_conf({"server": {"state_dir": str(folder / "state")}})
    result = aicaller(*command, "-c", path, text="hello\n")
    assert result.returncode == 1
    assert str(folder) in result.stderr
    assert "full" in result.stderr or "No space left" in result.stderr


def test_a_program_that_writes_beside_the_server_takes_nothing_away(serve, tmp_path):
    database = tmp_path / "aicaller.db"
    server = serve(stored_in(database))
    question = "SELECT count(*) FROM messages WHERE role = 'user'"
    for at in range(1, 4):
        assert server.post("/calls/test-chat/", MESSAGE).json["reply"]
        program.eventually(lambda: rows(database, question) == [(at,)], "it has arrived")
        # Whoever closes a database last tidies up its log: this one is not the last.
        with contextlib.closing(sqlite3.connect(database)) as other, other:
            other.execute("INSERT INTO database_info VALUES (?, 'x')", (f"test {at}",))
        assert database.with_name("aicaller.db-wal").exists()


@pytest.mark.slow
def test_while_the_database_has_no_room_calls_go_on_and_nothing_is_lost(serve, disk):
    folder = disk("600k")
    database = folder / "aicaller.db"
    server = serve(stored_in(database))
    filler = fill(folder)
    for _ in range(5):
        assert server.post("/calls/test-chat/", MESSAGE).json["reply"]

    def health():
        return server.get("/calls/health/").json
    program.eventually(lambda: health()["status"] == "degraded", "health says so")
    assert "storage" in health()["why"]
    program.eventually(lambda: health()["spool"]["waiting"] >= 20, "the facts wait")
    assert "the disk is full: make room" in server.log
    filler.unlink()
    program.eventually(lambda: health()["status"] == "ok", "it is well again", 30)
    program.eventually(lambda: rows(database, "SELECT count(*) FROM messages WHERE role = 'user'")
                       == [(5,)], "everything has arrived", 30)
    assert health()["spool"] == {"waiting": 0, "rejected": 0, "dropped": 0}


@pytest.mark.slow
def test_while_the_spool_has_no_room_calls_go_on_and_nothing_is_lost(serve, disk, tmp_path):
    folder = disk("2m")
    server = serve({"server": {"state_dir": str(folder / "state")},
                    **stored_in(tmp_path / "elsewhere.db")})
    filler = fill(folder)

    def health():
        fill(folder)  # what was freed meanwhile, and by whom ever
        return server.get("/calls/health/").json
    for _ in range(3):
        assert server.post("/calls/test-chat/", MESSAGE).json["reply"]
    program.eventually(lambda: health()["status"] == "degraded", "health says so")
    assert "make room on the disk of state_dir" in health()["why"]
    assert "facts can not be written and wait in memory" in server.log
    filler.unlink()
    program.eventually(lambda: server.get("/calls/health/").json["status"] == "ok", "it is well")
    program.eventually(lambda: rows(tmp_path / "elsewhere.db",
                                    "SELECT count(*) FROM messages WHERE role = 'user'") == [(3,)],
                       "everything has arrived", 30)


@pytest.mark.slow
def test_what_is_lost_because_no_room_came_back_is_said_at_the_end(serve, disk, tmp_path):
    folder = disk("2m")
    server = serve({"server": {"state_dir": str(folder / "state")},
                    **stored_in(tmp_path / "elsewhere.db")})
    fill(folder)
    assert server.post("/calls/test-chat/", MESSAGE).json["reply"]
    program.eventually(lambda: fill(folder) and "wait in memory" in server.log, "it is noticed")
    fill(folder)
    assert server.stop(signal.SIGINT) == 0
    assert "facts were lost: neither disk nor memory had room for them" in server.log


def test_a_schema_that_is_newer_is_refused_and_left_as_it_is(aicaller, make_conf, tmp_path):
    database = tmp_path / "newer.db"
    path, _ = make_conf(stored_in(database))
    assert aicaller("migrate", "-c", path).returncode == 0
    with contextlib.closing(sqlite3.connect(database)) as connection:
        latest = connection.execute("SELECT max(version) FROM schema_migrations").fetchone()[0]
        connection.execute("INSERT INTO schema_migrations VALUES (?, 'future', 'x', 'x')",
                           (latest + 1,))
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = hashlib.sha256(database.read_bytes()).digest()
    for command, typed in all_commands(path):
        result = aicaller(*command, text=typed)
        assert result.returncode in (1, 78), command
        assert "newer" in result.stderr, (command, result.stderr)
    assert hashlib.sha256(database.read_bytes()).digest() == before


@pytest.mark.parametrize("arguments", [(), ("--single",)])
def test_a_port_in_use_is_told(aicaller, make_conf, arguments):
    path, port = make_conf()
    with socket.create_server(("127.0.0.1", port)):
        result = aicaller("serve", *arguments, "-c", path)
    assert result.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in result.stderr
    assert "server.port" in result.stderr


@pytest.mark.parametrize("arguments", [(), ("--single",)])
def test_a_second_server_on_the_same_state_is_told_and_the_first_goes_on(serve, aicaller, make_conf,
                                                                         arguments):
    path, port = make_conf()
    first = serve(conf=(path, port))
    result = aicaller("serve", *arguments, "-c", path)
    assert result.returncode == 1
    assert f"another aicaller (process {first.pid}) runs" in result.stderr
    assert first.get("/calls/health/").json["status"] == "ok"


def test_what_callers_said_can_be_read_by_the_owner_alone(serve, make_conf):
    path, port = make_conf()
    server = serve(conf=(path, port))
    assert server.post("/calls/test-chat/", MESSAGE).json["reply"]
    state = path.parent / "state0"
    files = [file for file in state.rglob("*") if file.is_file()]
    assert files
    assert [file for file in files if file.stat().st_mode & 0o077] == []
