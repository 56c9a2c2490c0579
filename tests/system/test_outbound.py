# SPDX-License-Identifier: ISC
"""The gate as an operator sees it: limits of the host and over restarts, hours, what is kept."""
import concurrent.futures
import datetime
import signal
import sqlite3
import zoneinfo

import pytest

import dialling
import program
from dialling import MAKE_CALL, THEIRS

ANOTHER = "+12015550124"
LONG_RING = {"answer": "no-answer", "ring_ms": 60000}
OPEN = {"allow": ["US"], "hours": "00:00-24:00", "calls_per_second": 100.0, "max_per_minute": 100}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@pytest.fixture(scope="module")
def simulators(tmp_path_factory):
    with dialling.Simulators(tmp_path_factory.mktemp("vendors")) as running:
        yield running


@pytest.fixture
def vendors(simulators):
    simulators.reset()
    yield simulators


@pytest.fixture
def line(serve, make_conf, vendors):
    """line(plan, changes...) -> a server that may dial; `plan`: what whom it calls does."""
    def start(plan=None, **more):
        conf = make_conf(dialling.changes(vendors, **more))
        server = serve(conf=conf)
        server.conf = conf
        dialling.reach(server, vendors, plan or LONG_RING)
        return server
    return start


def dials(vendors):
    return [entry for entry in vendors.received("twilio") if entry["method"] == "POST"
            and entry["path"].endswith("/Calls.json")]


def ask_at_once(server, count):
    """The answers to as many wishes at the same time: (status, reason)."""
    def ask(_):
        answer = server.post(MAKE_CALL, {"to": THEIRS}, seconds=30)
        return answer.status, answer.json.get("reason")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return sorted(pool.map(ask, range(count)), key=str)


def test_a_limit_of_calls_holds_for_all_workers_and_over_a_restart(line, serve, vendors):
    server = line(server={"workers": 2}, outbound={**OPEN, "max_concurrent": 50, "max_per_hour": 3})
    answers = ask_at_once(server, 12)
    assert answers.count((201, None)) == 3, answers
    assert answers.count((429, "limit_per_hour")) == 9, answers
    server.stop(signal.SIGINT)
    again = serve(conf=server.conf)
    assert ask_at_once(again, 2) == [(429, "limit_per_hour")] * 2
    assert len(dials(vendors)) == 3


def test_calls_at_the_same_time_hold_for_all_workers(line, vendors):
    server = line(server={"workers": 2}, outbound={**OPEN, "max_concurrent": 2})
    answers = ask_at_once(server, 10)
    assert answers.count((201, None)) == 2, answers
    assert answers.count((429, "limit_concurrent")) == 8, answers


def test_a_call_that_is_over_makes_room(line, vendors):
    server = line({"answer": "busy"}, outbound={**OPEN, "max_concurrent": 1})
    for _ in range(3):
        program.eventually(
            lambda: server.post(MAKE_CALL, {"to": THEIRS}).status == 201, "there is room again", 20)
    assert len(dials(vendors)) == 3


def test_the_limit_of_all_calls_is_the_hosts(line, vendors):
    server = line(server={"workers": 2}, outbound={**OPEN, "max_concurrent": 50},
                  limits={"max_calls": 3})
    answers = ask_at_once(server, 12)
    assert answers.count((201, None)) <= 3, answers
    # Two that came at the same time for the last place may both have been refused.
    answers += [answer for _ in range(4) for answer in ask_at_once(server, 1)]
    assert answers.count((201, None)) == 3, answers
    assert {reason for status, reason in answers if status != 201} == {"no_room"}
    assert len(dials(vendors)) == 3


def test_one_person_is_not_in_more_calls_than_allowed(line, vendors):
    server = line(server={"workers": 2}, outbound={**OPEN, "max_concurrent": 50},
                  limits={"max_calls_per_caller": 2})
    answers = ask_at_once(server, 8)
    # Two that came at the same time for the last place may both have been refused.
    answers += [answer for _ in range(3) for answer in ask_at_once(server, 1)]
    assert answers.count((201, None)) == 2, answers
    assert {answer for answer in answers if answer[0] != 201} == {(429, "limit_per_caller")}
    assert len(dials(vendors)) == 2
    assert server.post(MAKE_CALL, {"to": ANOTHER}).status == 201
    refused = server.post(MAKE_CALL, {"to": THEIRS}).json["call_id"]
    shown = program.eventually(
        lambda: server.get(f"/calls/call-detail/{refused}/").json.get("events"), "its events")
    assert ("dial_refused", {"reason": "limit_per_caller"}) in [
        (event["type"], event["detail"]) for event in shown]


def test_who_calls_too_often_at_once_hears_the_busy_tone(line, vendors):
    line(server={"workers": 2}, limits={"max_calls_per_caller": 2})
    inbound = dialling.PUBLIC + "/calls/inbound/"
    for _ in range(2):
        vendors.call_in(THEIRS, url=inbound).wait_for("stream-started")
    third = vendors.call_in(THEIRS, url=inbound)
    assert third.wait_end(20)["status"] == "busy"
    vendors.call_in(ANOTHER, url=inbound).wait_for("stream-started")
    for _ in range(3):  # a number that nobody has may be that of many who withhold theirs
        vendors.call_in("+266696687", url=inbound).wait_for("stream-started")


def test_the_day_is_that_of_whom_is_called(line, vendors):
    """Nobody is called on the day that it is in New York, nor on those next to it."""
    today = datetime.datetime.now(zoneinfo.ZoneInfo("America/New_York")).weekday()
    days = [day for at, day in enumerate(DAYS) if (at - today) % 7 not in (6, 0, 1)]
    server = line(outbound={**OPEN, "regions": {"US": {"days": days}}})
    answer = server.post(MAKE_CALL, {"to": THEIRS})
    assert (answer.status, answer.json["reason"]) == (403, "outside_hours")
    assert "America/New_York" in answer.json["detail"]
    assert dials(vendors) == []


def test_a_refusal_is_an_event_of_the_call_and_a_row_of_the_audit(line, vendors):
    server = line(outbound=OPEN)
    refused = server.post(MAKE_CALL, {"to": "+442079460000"}).json["call_id"]

    def shown():
        answer = server.get(f"/calls/call-detail/{refused}/")
        return answer.json if answer.status == 200 and answer.json["events"] else None
    call = program.eventually(shown, "the refusal is recorded")
    assert (call["call"]["status"], call["call"]["end_reason"]) == ("failed",
                                                                    "destination_not_allowed")
    (event,) = [event for event in call["events"] if event["type"] == "dial_refused"]
    assert event["detail"]["reason"] == "destination_not_allowed"
    accepted = server.post(MAKE_CALL, {"to": THEIRS}).json["call_id"]

    def audited():
        with sqlite3.connect(server.conf[0].parent / "state0/aicaller.db") as database:
            rows = database.execute("SELECT call_id, action, outcome, reason FROM audit").fetchall()
        return sorted(rows) if len(rows) == 2 else None
    assert program.eventually(audited, "both dials are audited") == sorted(
        [(refused, "dial", "refused", "destination_not_allowed"),
         (accepted, "dial", "allowed", "")])
    assert "+442079460000" not in server.log


def test_a_file_as_the_caller_needs_no_permission(serve, aicaller, make_conf):
    conf, port = make_conf({"agents": {"default": {"telephony": ["wav", "browser"]}}})
    server = serve(conf=(conf, port))
    wav = program.ROOT / "tests/data/caller_kal16.wav"
    result = aicaller("call", f"wav:{wav}", "-c", conf)
    assert result.returncode == 0, result.stderr
    assert "outbound" not in server.log


def test_what_looks_like_a_number_passes_the_gate_on_any_line(serve):
    server = serve({"agents": {"default": {"telephony": ["wav", "browser"]}}})
    answer = server.post(MAKE_CALL, {"to": THEIRS})
    assert (answer.status, answer.json.get("reason")) == (403, "outbound_not_configured")


@pytest.mark.parametrize("changes, says", [
    ({"outbound": {"allow": ["UK"]}}, '"UK" is no region such as "IN" or "GB"'),
    ({"outbound": {"allow": ["IN"], "hours": "9-17"}}, '"9-17" are no hours of a day'),
    ({"outbound": {"allow": ["IN"]}, "storage": ""}, "nobody can be dialled without `storage`"),
    ({"limits": {"max_cost_per_day": 5.0}}, "needs limits.max_cost_per_call"),
    ({"limits": {"max_cost_per_day": 5.0, "max_cost_per_call": 6.0}}, "is at most as much"),
])
def test_rules_that_cannot_hold_are_errors_of_the_configuration(aicaller, make_conf, changes, says):
    conf, _ = make_conf(changes)
    result = aicaller("check", "-c", conf)
    assert result.returncode == 78, result.stderr
    assert says in result.stderr + result.stdout
    assert f"{conf}:" in result.stderr + result.stdout
