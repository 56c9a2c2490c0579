# SPDX-License-Identifier: ISC
"""`aicaller dnc`: the list of those who are not dialled, kept by an operator."""
import json
import sqlite3

import pytest

import dialling
from dialling import MAKE_CALL, THEIRS

OTHER = "+12015550124"


@pytest.fixture
def conf(make_conf):
    return make_conf()


@pytest.fixture
def dnc(aicaller, conf):
    def run(*words):
        return aicaller("dnc", *words, "-c", conf[0])
    return run


def listed(dnc):
    answer = dnc("list", "--json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_a_number_is_listed_once_and_removed(dnc):
    assert listed(dnc) == []
    assert "no number" in dnc("list").stderr
    answer = dnc("add", THEIRS, "--reason", "wrote a letter", "--json")
    assert json.loads(answer.stdout) == {"number": THEIRS, "added": True}
    answer = dnc("add", THEIRS, "--json")
    assert answer.returncode == 0 and json.loads(answer.stdout)["added"] is False
    [entry] = listed(dnc)
    assert (entry["number"], entry["reason"], entry["source"], entry["added_by"]) == (
        THEIRS, "wrote a letter", "operator", "command line")
    assert THEIRS in dnc("list").stdout and "wrote a letter" in dnc("list").stdout
    answer = dnc("remove", THEIRS, "--json")
    assert answer.returncode == 0
    assert json.loads(answer.stdout) == {"number": THEIRS, "removed": True}
    assert listed(dnc) == []
    again = dnc("remove", THEIRS)
    assert again.returncode == 1 and THEIRS in again.stderr


def test_a_long_list_is_shown_whole(dnc, conf):
    assert dnc("add", OTHER).returncode == 0
    [file] = conf[0].parent.rglob("aicaller.db")
    with sqlite3.connect(file) as database:
        database.executemany(
            "INSERT INTO do_not_call (entry_id, number, number_hash, added_at, revision) "
            "VALUES (?, ?, ?, '2026-01-01T00:00:00.000Z', 0)",
            [(f"01890a5d-ac96-774b-bcce-{at:012x}", f"+1201555{at:04}", f"{at:064x}")
             for at in range(1, 251)])
    assert len({entry["entry_id"] for entry in listed(dnc)}) == 251


@pytest.mark.parametrize("words", [(), ("show",), ("add",), ("list", "x"), ("add", "12015550123"),
                                   ("add", "+1 201"), ("remove", THEIRS, "--reason", "x"),
                                   ("add", THEIRS, "--reason", "x" * 501)])
def test_wrong_use_is_said(dnc, words):
    answer = dnc(*words)
    assert answer.returncode == 2 and answer.stderr and not answer.stdout


def test_a_running_server_heeds_the_list_at_once(serve, make_conf, aicaller, tmp_path):
    with dialling.Simulators(tmp_path) as vendors:
        conf = make_conf(dialling.changes(vendors))
        server = serve(conf=conf)
        dialling.reach(server, vendors, {"answer": "busy"})
        assert aicaller("dnc", "add", THEIRS, "-c", conf[0]).returncode == 0
        refused = server.post(MAKE_CALL, {"to": THEIRS})
        assert (refused.status, refused.json["reason"]) == (403, "do_not_call")
        assert server.post(MAKE_CALL, {"to": OTHER}).status == 201
        assert aicaller("dnc", "remove", THEIRS, "-c", conf[0]).returncode == 0
        assert server.post(MAKE_CALL, {"to": THEIRS}).status == 201
