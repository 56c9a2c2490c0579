# SPDX-License-Identifier: ISC
"""`aicaller erase` and `aicaller export`: a number's data goes for ever, or is given away whole."""
import contextlib
import json
import pathlib
import re
import signal
import sqlite3

import psycopg2
import pytest

import program
from socket_caller import SocketCaller

THEIRS, OTHER = "+12015550123", "+12015550124"
WORDS = "I would like to make an appointment"
GREETING = "automated assistant"
TABLES = ("calls", "messages", "events", "turns", "usage", "recordings")


class Place:
    """A server that records, on one of the databases, and what lies on its disk."""

    def __init__(self, serve, conf, connect):
        self.conf, self.port = conf
        self.state = next(self.conf.parent.glob("state*"))
        self.connect = connect
        self.serve = serve
        self.server = serve(conf=conf)

    def rows(self, question, *values):
        with contextlib.closing(self.connect()) as connection, connection:
            cursor = connection.cursor()
            cursor.execute(question, values)
            return cursor.fetchall() if cursor.description else None

    def recordings(self):
        return sorted((self.state / "recordings").iterdir())

    def talk(self, number):
        """A recorded call with this number, all of it stored; returns its id."""
        with SocketCaller(self.server) as caller:
            caller.until(lambda: len(caller.sound) > 16000, "the greeting")
            caller.hang_up()
        mark = f"call_id = '{caller.call_id}'"
        for table in ("recordings", "calls"):
            program.eventually(lambda table=table: self.rows(
                f"SELECT 1 FROM {table} WHERE ended_at IS NOT NULL AND {mark}"), "it is stored")
        program.eventually(lambda: self.rows(f"SELECT 1 FROM messages WHERE {mark}"),
                           "it is stored")
        self.rows(f"UPDATE calls SET from_number = '{number}' WHERE {mark}")
        return caller.call_id

    def left_of(self, call_id):
        return {table: len(self.rows(f"SELECT 1 FROM {table} WHERE call_id = '{call_id}'"))
                for table in TABLES}

    def bytes_on_disk(self, folder="."):
        return b"".join(file.read_bytes() for file in (self.state / folder).rglob("*")
                        if file.is_file() and "clips" not in file.parts)


CHANGES = {"agents": {"default": {"record": True}}}


@pytest.fixture(params=["sqlite", "pgsql"])
def place(request, serve, make_conf):
    if request.param == "pgsql":
        database = request.getfixturevalue("postgres")
        conf = make_conf({**CHANGES, "storage": "production", "providers": {
            "production": {"plugin": "pgsql.so", "url": database.url}}})
        return Place(serve, conf, lambda: psycopg2.connect(database.url))
    conf = make_conf(CHANGES)
    [state] = conf[0].parent.glob("state*")
    return Place(serve, conf, lambda: sqlite3.connect(state / "aicaller.db"))


def test_a_number_is_exported_and_erased_with_its_files_and_others_stay(place, aicaller, tmp_path):
    theirs, other = place.talk(THEIRS), place.talk(OTHER)
    folder = tmp_path / "exported"
    exported = aicaller("export", THEIRS, "-o", folder, "-c", place.conf)
    assert exported.returncode == 0, exported.stderr
    data = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    assert data["number"] == THEIRS
    assert [row["call_id"] for row in data["tables"]["calls"]] == [theirs]
    assert GREETING in data["tables"]["messages"][0]["content"]
    assert data["tables"]["audit"][-1]["action"] == "export"
    assert folder.stat().st_mode & 0o077 == 0
    [sound] = (folder / "recordings").iterdir()
    assert sound.read_bytes() == (place.state / "recordings" / sound.name).read_bytes()
    assert other not in json.dumps(data)

    unsure = aicaller("erase", THEIRS, "-c", place.conf)
    assert unsure.returncode == 1 and "Nothing was erased" in unsure.stderr
    assert place.left_of(theirs)["calls"] == 1
    erased = aicaller("erase", THEIRS, "--yes", "--reason", "asked for it", "--json",
                      "-c", place.conf)
    assert erased.returncode == 0, erased.stderr
    receipt = json.loads(erased.stdout)
    assert receipt["calls"] == 1 and receipt["files"] == {"deleted": 1, "not_here": 0, "failed": 0}
    assert receipt["counts"]["messages"] >= 1 and receipt["counts"]["recordings"] == 1
    assert set(place.left_of(theirs).values()) == {0}
    assert place.left_of(other)["messages"] >= 1 and len(place.recordings()) == 1
    [(reason, done)] = place.rows("SELECT reason, done_at FROM erasures")
    assert reason == "asked for it" and done
    assert place.server.get(f"/calls/{theirs}/recording/").status == 404
    assert place.server.get(f"/calls/{other}/recording/").status == 200
    assert THEIRS.encode() not in place.bytes_on_disk("recordings")
    again = json.loads(aicaller("erase", THEIRS, "--yes", "--json", "-c", place.conf).stdout)
    assert again["calls"] == 0
    empty = json.loads(aicaller("export", THEIRS, "-c", place.conf).stdout)
    assert "calls" not in empty["tables"]


def test_a_call_that_goes_on_is_not_erased_under_it(place, aicaller):
    with SocketCaller(place.server) as caller:
        caller.until(lambda: len(caller.sound) > 16000, "the greeting")
        refused = aicaller("erase", caller.call_id, "--yes", "-c", place.conf)
        assert refused.returncode == 1
        assert f"aicaller hangup {caller.call_id}" in refused.stderr
        caller.hang_up()
    assert place.rows("SELECT count(*) FROM erasures") == [(0,)]


def test_with_the_database_away_nothing_is_erased_and_later_nothing_comes_back(
        serve, make_conf, aicaller, postgres):
    conf = make_conf({**CHANGES, "storage": "production", "providers": {
        "production": {"plugin": "pgsql.so", "url": postgres.url}}})
    place = Place(serve, conf, lambda: psycopg2.connect(postgres.url))
    stored = place.talk(THEIRS)
    postgres.ask("down")
    chat = place.server.post("/calls/test-chat/", {"message": WORDS}).json["session"]
    place.server.stop(signal.SIGINT)
    assert WORDS.encode() in place.bytes_on_disk("spool")
    refused = aicaller("erase", THEIRS, "--yes", "-c", place.conf)
    assert refused.returncode == 1 and not refused.stdout
    assert re.search(r"connect|refused|server", refused.stderr), refused.stderr
    assert len(place.recordings()) == 1
    assert aicaller("erase", chat, "--yes", "-c", place.conf).returncode == 1
    assert WORDS.encode() in place.bytes_on_disk("spool"), "half of it was done"

    postgres.ask("up")
    assert place.left_of(stored)["calls"] == 1
    erased = aicaller("erase", chat, "--yes", "--json", "-c", place.conf)
    assert erased.returncode == 0 and json.loads(erased.stdout)["spooled"] > 0, erased.stderr
    assert WORDS.encode() not in place.bytes_on_disk("spool")
    assert aicaller("erase", THEIRS, "--yes", "-c", place.conf).returncode == 0
    server = serve(conf=conf)
    program.eventually(lambda: server.get("/calls/health/").json["spool"]["waiting"] == 0,
                       "the spool is empty")
    assert set(place.left_of(chat).values()) == {0} and set(place.left_of(stored).values()) == {0}


def test_what_the_spool_holds_of_a_number_goes_with_it(place, aicaller):
    place.server.stop(signal.SIGINT)
    folder = place.state / "spool"
    call, message = ("01890a5d-ac96-774b-bcce-b302099a805" + end for end in "78")
    facts = [("calls", call, call, f'{{"from_number":"{THEIRS}"}}'),
             ("messages", message, call, f'{{"call_id":"{call}","content":"{WORDS}"}}'),
             ("do_not_call", message, call, f'{{"number":"{THEIRS}","source":"caller"}}'),
             ("calls", message, message, f'{{"from_number":"{OTHER}"}}'),
             ("messages", call, "", "no JSON at all")]
    with contextlib.closing(sqlite3.connect(folder / "left.db")) as spool, spool:
        for table in ("facts", "set_aside"):
            more = ", reason TEXT" if table == "set_aside" else ""
            spool.execute(f"CREATE TABLE {table} (row INTEGER PRIMARY KEY, fact_table TEXT, "
                          f"fact_id TEXT, call_id TEXT, revision INTEGER, columns TEXT{more})")
            spool.executemany(f"INSERT INTO {table} (fact_table, fact_id, call_id, revision, "
                              "columns) VALUES (?, ?, ?, 1, ?)", facts)
    receipt = aicaller("erase", THEIRS, "--yes", "--json", "-c", place.conf)
    assert receipt.returncode == 0 and json.loads(receipt.stdout)["spooled"] == 4, receipt.stderr
    with contextlib.closing(sqlite3.connect(folder / "left.db")) as spool:
        for table in ("facts", "set_aside"):
            left = spool.execute(f"SELECT fact_table, fact_id FROM {table} ORDER BY row").fetchall()
            assert left == [(table, name) for table, name, *_ in facts[2:]]
    assert WORDS.encode() not in (folder / "left.db").read_bytes()


@pytest.mark.parametrize("words", [
    ("erase",), ("erase", "12015550123"), ("erase", "+1 201"), ("erase", "x"),
    ("erase", THEIRS, OTHER), ("erase", THEIRS, "--reason", "x" * 1001), ("export",),
    ("export", "12015550123"), ("export", THEIRS, OTHER)])
def test_wrong_use_is_said(aicaller, make_conf, words):
    result = aicaller(*words, "-c", make_conf()[0])
    assert result.returncode == 2 and result.stderr and not result.stdout


def test_an_export_overwrites_nothing(aicaller, make_conf, tmp_path):
    conf, _ = make_conf()
    (tmp_path / "there").mkdir()
    result = aicaller("export", THEIRS, "-o", tmp_path / "there", "-c", conf)
    assert result.returncode == 1 and "exists" in result.stderr
    assert list(pathlib.Path(tmp_path / "there").iterdir()) == []
    result = aicaller("export", THEIRS, "-o", "/nowhere/at/all", "-c", conf)
    assert result.returncode == 1 and "/nowhere/at/all" in result.stderr
