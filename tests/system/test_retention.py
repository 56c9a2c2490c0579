# SPDX-License-Identifier: ISC
"""What is older than the configuration allows goes, from the database and from the disk."""
import contextlib
import os
import signal
import sqlite3
import time
import uuid

import psycopg2
import pytest

import program

DAY = 86400
RETENTION = {"messages": "2d", "recordings": "1d", "calls": "10d", "every": "1s"}


def old_id(days):
    """An id that was made so many days ago."""
    number = int((time.time() - days * DAY) * 1000) << 80 | uuid.uuid4().int >> 48
    return str(uuid.UUID(int=number & ~(0xF << 76) | 7 << 76))


@pytest.fixture(params=["sqlite", "pgsql"])
def storage(request, tmp_path):
    """(configuration, connect) of a database of one of both kinds."""
    if request.param == "sqlite":
        file = tmp_path / "aicaller.db"
        return {"providers": {"local": {"path": str(file)}}}, lambda: sqlite3.connect(file)
    database = request.getfixturevalue("postgres")
    return ({"storage": "production", "providers": {
        "production": {"plugin": "pgsql.so", "url": database.url}}},
        lambda: psycopg2.connect(database.url))


class Records:
    def __init__(self, connect):
        self.connect = connect

    def run(self, question):
        with contextlib.closing(self.connect()) as connection, connection:
            cursor = connection.cursor()
            cursor.execute(question)
            return cursor.fetchall() if cursor.description else None

    def add(self, table, **columns):
        values = ", ".join(f"'{value}'" for value in columns.values())
        self.run(f"INSERT INTO {table} ({', '.join(columns)}, revision) VALUES ({values}, 1)")

    def add_call(self, folder, days):
        """A call of so many days ago with a message and a recording; returns its file."""
        call, recording = old_id(days), old_id(days)
        at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - days * DAY))
        file = folder / f"{call}-{recording}.wav"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"RIFF")
        os.utime(file, (time.time() - days * DAY,) * 2)
        self.add("calls", call_id=call, created_at=at, status="completed")
        self.add("messages", message_id=old_id(days), call_id=call, role="user")
        # SQLite's index of words follows changes by itself.
        self.run(f"UPDATE messages SET content = 'old words' WHERE call_id = '{call}'")
        self.add("recordings", recording_id=recording, call_id=call, path=file)
        return file

    def count(self):
        return {table: self.run(f"SELECT count(*) FROM {table}")[0][0]
                for table in ("calls", "messages", "recordings")}


def test_what_is_too_old_goes_and_the_rest_stays(storage, make_conf, aicaller, serve):
    changes, connect = storage
    conf = make_conf({**changes, "retention": RETENTION})
    assert aicaller("migrate", "-c", conf[0]).returncode == 0
    records = Records(connect)
    state = next(conf[0].parent.glob("state*"))
    files = {days: records.add_call(state / "recordings", days) for days in (0, 1.5, 5, 20)}
    stray = state / "recordings" / f"{old_id(5)}-{old_id(5)}.wav"
    other = state / "recordings" / "notes.txt"
    for file in (stray, other):
        file.write_bytes(b"x")
        os.utime(file, (time.time() - 5 * DAY,) * 2)
    server = serve(conf=conf)
    program.eventually(lambda: records.count() == {"calls": 3, "messages": 2, "recordings": 1},
                       f"the old rows are gone: {records.count()}")
    program.eventually(lambda: not stray.exists(), "files that no row names go by their age")
    assert {days for days, file in files.items() if file.exists()} == {0}
    assert other.exists(), "what is no recording is left alone"
    text = server.get("/metrics").text
    assert "aicaller_retention_rows_deleted_total 6" in text, text
    assert "aicaller_retention_files_deleted_total 4" in text
    assert records.run("SELECT count(*) FROM jobs WHERE kind = 'retention' AND state = 'done'"
                       )[0][0] >= 1


def test_files_of_an_open_erasure_are_deleted_later(storage, make_conf, aicaller, serve):
    changes, connect = storage
    conf = make_conf({**changes, "retention": {"every": "1s"}})
    assert aicaller("migrate", "-c", conf[0]).returncode == 0
    records = Records(connect)
    file = records.add_call(next(conf[0].parent.glob("state*")) / "recordings", 5)
    kept = records.add_call(file.parent, 500)
    records.run("INSERT INTO erasures (erasure_id, subject, at, counts, files) VALUES "
                f"('{old_id(1)}', 'x', '2026-01-01T00:00:00.000Z', '{{}}', "
                f"'[\"{file}\", \"/etc/hostname\", \"../..\"]')")
    serve(conf=conf)
    program.eventually(lambda: not file.exists(), "its file is deleted")
    program.eventually(lambda: records.run("SELECT count(*) FROM erasures WHERE done_at IS NULL")
                       == [(0,)], "an old one is closed")
    assert kept.exists() and records.count()["calls"] == 2, "0 is for ever"
    assert os.path.exists("/etc/hostname")


def test_while_the_database_is_away_nothing_happens(make_conf, serve, postgres):
    conf = make_conf({"storage": "production", "retention": {"messages": "1d", "every": "1s"},
                      "providers": {"production": {"plugin": "pgsql.so", "url": postgres.url}}})
    postgres.ask("down")
    server = serve(conf=conf)
    program.eventually(lambda: "does not delete now" in server.log, "it says so")
    assert server.get("/calls/health/").status == 200
    postgres.ask("up")
    assert server.stop(signal.SIGINT) == 0


@pytest.mark.parametrize("rules, words", [
    ({"messages": 30}, "write days as"), ({"messages": "30"}, "write days as"),
    ({"calls": "30w"}, "calls"), ({"everything": "1d"}, "everything"),
    ({"every": "10ms"}, "every")])
def test_rules_that_make_no_sense_are_refused(make_conf, aicaller, rules, words):
    path, _ = make_conf({"retention": rules})
    result = aicaller("check", "-c", path)
    assert result.returncode == 78 and words in result.stderr
