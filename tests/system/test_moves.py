# SPDX-License-Identifier: ISC
"""Everything of one database into another, there and back: SQLite and PostgreSQL."""
import contextlib
import json
import signal
import sqlite3
import subprocess

import pytest

import program

MESSAGE = {"message": "I would like to make an appointment"}
CALLS, MESSAGES = 300, 20


def uuid7(ms, number):
    return f"{ms >> 16:08x}-{ms & 0xffff:04x}-7000-8000-{number:012x}"


def fill(database):
    """Calls enough for several batches, with texts that are easily broken on the way."""
    begin = 1767600000000
    with contextlib.closing(sqlite3.connect(database)) as connection:
        for call in range(CALLS):
            ms = begin + call * 100000
            call_id = uuid7(ms, call)
            connection.execute(
                "INSERT INTO calls (call_id, direction, from_number, created_at, status, cost,"
                " revision, metadata, system_prompt) VALUES (?,'inbound',?,?,'completed',?,?,?,?)",
                (call_id, f"+1415{call:07}", f"2026-01-05T{call // 60:02}:{call % 60:02}:00.000Z",
                 call / 7, call + 1, '{"revision":9,"a":[1.5,"é"]}', "naïve \"prompt\""))
            connection.executemany(
                "INSERT INTO messages (seq, message_id, call_id, role, content, at, revision)"
                " VALUES (?,?,?,?,?,?,3)",
                [(ms + n, uuid7(ms + n, call * 100 + n), call_id, "user",
                  f"said {n}: नमस्ते \u0001 ,\"revision\":1}}", "2026-01-05T10:00:00.123Z")
                 for n in range(MESSAGES)])
        connection.commit()


@pytest.fixture
def full(aicaller, make_conf, tmp_path):
    """A configuration whose SQLite database holds calls, a number not to be called, and a key."""
    database = tmp_path / "full.db"
    conf, _ = make_conf({"providers": {"local": {"path": str(database)}}})
    assert aicaller("migrate", "-c", conf).returncode == 0
    fill(database)
    assert aicaller("dnc", "add", "+14155550123", "-c", conf).returncode == 0
    assert aicaller("key", "add", "crm", "-c", conf).returncode == 0
    return conf


def move(aicaller, conf, source, target, **more):
    result = aicaller("migrate", "-c", conf, "--from", source, "--to", target, "--json", **more)
    return result, json.loads(result.stdout or "{}")


def rows_of(answer):
    return {table["table"]: table["read"] for table in answer["tables"] if table["read"]}


def test_a_database_goes_to_postgresql_and_back_unchanged(aicaller, full, postgres, tmp_path):
    result, there = move(aicaller, full, "local", postgres.url)
    assert result.returncode == 0, result.stderr
    assert there["equal"]
    assert rows_of(there)["calls"] == CALLS
    assert rows_of(there)["messages"] == CALLS * MESSAGES
    assert rows_of(there)["do_not_call"] == 1
    assert rows_of(there)["api_keys"] == 1
    back = tmp_path / "back.db"
    result, again = move(aicaller, full, postgres.url, str(back))
    assert result.returncode == 0, result.stderr
    assert rows_of(again) == rows_of(there)
    with contextlib.closing(sqlite3.connect(back)) as new, \
            contextlib.closing(sqlite3.connect(tmp_path / "full.db")) as old:
        for table in ("calls", "messages", "do_not_call", "api_keys"):
            question = f"SELECT * FROM {table} ORDER BY 1, 2"
            assert new.execute(question).fetchall() == old.execute(question).fetchall(), table
        found = "SELECT count(*) FROM messages_fts WHERE messages_fts MATCH 'said'"
        assert new.execute(found).fetchall() == [(CALLS * MESSAGES,)]


def test_a_number_stays_not_to_be_called_after_a_move(aicaller, full, tmp_path, make_conf):
    moved = tmp_path / "moved.db"
    assert move(aicaller, full, "local", str(moved))[0].returncode == 0
    conf, _ = make_conf({"providers": {"local": {"path": str(moved)}}})
    listed = json.loads(aicaller("dnc", "list", "--json", "-c", conf).stdout)
    assert [entry["number"] for entry in listed] == ["+14155550123"]
    assert "already" in aicaller("dnc", "add", "+14155550123", "-c", conf).stdout


def test_a_move_that_was_killed_goes_on(aicaller, full, built, tmp_path):
    target, book = tmp_path / "killed.db", tmp_path / "state0/move.json"
    command = [built, "migrate", "-c", full, "--from", "local", "--to", target]
    with subprocess.Popen(command, env=program.environment(tmp_path), stderr=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL) as moving:
        program.eventually(lambda: book.exists() or moving.poll() is not None, "it has begun")
        moving.send_signal(signal.SIGKILL)
    assert book.exists(), "it was too quick to be killed"
    begun = json.loads(book.read_text(encoding="utf-8"))
    assert begun["tables"][0]["rows"] > 0
    result, answer = move(aicaller, full, "local", str(target))
    assert result.returncode == 0, result.stderr
    assert "going on where an earlier move stopped" in result.stderr
    assert answer["equal"]
    assert rows_of(answer)["messages"] == CALLS * MESSAGES
    assert not book.exists()
    with contextlib.closing(sqlite3.connect(target)) as connection:
        assert connection.execute("SELECT count(*) FROM messages").fetchone() == (CALLS * MESSAGES,)


def test_what_changed_at_the_other_end_is_found(aicaller, full, tmp_path):
    target = tmp_path / "changed.db"
    assert move(aicaller, full, "local", str(target))[0].returncode == 0
    with contextlib.closing(sqlite3.connect(target)) as connection:
        connection.execute("UPDATE messages SET heard = 'else', revision = 99 WHERE seq IN "
                           "(SELECT seq FROM messages LIMIT 1)")
        connection.commit()
    result, answer = move(aicaller, full, "local", str(target))
    assert result.returncode == 1
    assert [table["table"] for table in answer["tables"] if not table["equal"]] == ["messages"]
    assert "1 tables differ" in result.stderr


def test_a_database_with_calls_of_its_own_is_refused_and_left_alone(aicaller, full, make_conf,
                                                                   tmp_path):
    other = tmp_path / "other.db"
    conf, _ = make_conf({"providers": {"local": {"path": str(other)}}})
    assert aicaller("dnc", "add", "+14155550199", "-c", conf).returncode == 0
    result, _ = move(aicaller, full, "local", str(other))
    assert result.returncode == 1
    assert "not empty (do_not_call)" in result.stderr
    with contextlib.closing(sqlite3.connect(other)) as connection:
        assert connection.execute("SELECT count(*) FROM calls").fetchone() == (0,)


def test_while_the_server_runs_nothing_is_moved(aicaller, serve, make_conf, tmp_path):
    path, port = make_conf()
    serve(conf=(path, port))
    result, _ = move(aicaller, path, "local", str(tmp_path / "never.db"))
    assert result.returncode == 1
    assert "still runs" in result.stderr and "stop it first" in result.stderr
    assert not (tmp_path / "never.db").exists()


def test_the_server_goes_on_with_the_moved_calls(aicaller, serve, make_conf, postgres):
    path, port = make_conf()
    server = serve(conf=(path, port))
    assert server.post("/calls/test-chat/", MESSAGE).json["reply"]
    assert server.stop(signal.SIGINT) == 0
    result, answer = move(aicaller, path, "local", postgres.url)
    assert result.returncode == 0, result.stderr
    assert rows_of(answer)["messages"] >= 2
    moved = serve({"storage": "there", "providers": {"there": {"plugin": "pgsql.so",
                                                               "url": postgres.url}}})
    calls = moved.get("/calls/call-history/").json["calls"]
    assert len(calls) == 1
    detail = moved.get(f"/calls/call-detail/{calls[0]['call_id']}/").json
    assert MESSAGE["message"] in [message["content"] for message in detail["messages"]]


@pytest.mark.parametrize("arguments, status, text", [
    (("--from", "local"), 2, "both --from and --to"),
    (("--from", "local", "--to", "locl"), 78, 'did you mean "local"?'),
    (("--from", "local", "--to", "local"), 1, "the same database"),
    (("--from", "nowhere.db", "--to", "local"), 1, "no such file"),
    (("--from", "local", "--to", "flite"), 78, "can not be used for storage"),
    (("--from", "local", "--to", "postgresql://someone:hunter2@127.0.0.1:1/x"), 1, "127.0.0.1"),
])
def test_a_move_that_can_not_be_says_why(aicaller, make_conf, arguments, status, text):
    path, _ = make_conf()
    assert aicaller("migrate", "-c", path).returncode == 0
    result = aicaller("migrate", "-c", path, *arguments)
    assert result.returncode == status, result.stderr
    assert text in result.stderr
    assert "hunter2" not in result.stderr + result.stdout
