# SPDX-License-Identifier: ISC
"""
POST /calls/make-call/ against a simulated carrier: what is dialled, refused, and done only once.
"""
import concurrent.futures
import json
import re
import signal

import pytest

import dialling
import program
from dialling import MAKE_CALL, THEIRS

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
QUIET = {"answer": "no-answer"}


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
    """line(changes...) -> a server that may dial."""
    def start(**more):
        conf = make_conf(dialling.changes(vendors, **more))
        server = serve(conf=conf)
        server.conf = conf
        dialling.reach(server, vendors, QUIET)
        return server
    return start


def dials(vendors):
    return [entry for entry in vendors.received("twilio") if entry["method"] == "POST"
            and entry["path"].endswith("/Calls.json")]


def detail(server, call_id, condition=lambda shown: True):
    def ask():
        answer = server.get(f"/calls/call-detail/{call_id}/")
        return answer.json if answer.status == 200 and condition(answer.json) else None
    return program.eventually(ask, "the call is recorded")


def test_a_number_is_dialled_and_the_call_recorded(line, vendors):
    server = line()
    answer = server.post(MAKE_CALL, {"to": THEIRS, "system_prompt": "You sell tulips.",
                                     "metadata": {"order": 7, "tags": ["a", None]}})
    assert answer.status == 201, answer.text
    assert set(answer.json) == {"call_id", "call_sid", "status"}
    assert UUID7.fullmatch(answer.json["call_id"])
    assert answer.json["status"] == "queued"
    (dial,) = dials(vendors)
    assert answer.json["call_sid"] in [call.sid for call in vendors.calls()]
    call = detail(server, answer.json["call_id"], lambda shown: shown["call"]["call_sid"])["call"]
    assert (call["direction"], call["to"], call["agent"]) == ("outbound", THEIRS, "default")
    assert call["call_sid"] == answer.json["call_sid"]
    assert call["metadata"] == {"order": 7, "tags": ["a", None]}
    assert "You sell tulips." in call["system_prompt"]
    assert dial["violations"] == []


def test_what_is_wrong_with_a_body_is_told_by_its_field(line, vendors):
    server = line()
    for field, body in [
            ("to", {}), ("to", {"to": "12015550123"}), ("to", {"to": "+1 201 555 0123"}),
            ("to", {"to": 12015550123}), ("to", {"to": "wav:/etc/passwd"}), ("to", {"to": "+0123"}),
            ("system_prompt", {"to": THEIRS, "system_prompt": "x" * 5001}),
            ("system_prompt", {"to": THEIRS, "system_prompt": ["x"]}),
            ("context_url", {"to": THEIRS, "context_url": "file:///etc/passwd"}),
            ("context_url", {"to": THEIRS, "context_url": "https://u:p@127.0.0.1/"}),
            ("context_headers", {"to": THEIRS, "context_url": "https://crm.example.com/",
                                 "context_headers": {"X": "a\r\nHost: b"}}),
            ("context_headers", {"to": THEIRS, "context_headers": {"X": "a"}}),
            ("metadata", {"to": THEIRS, "metadata": "x"})]:
        answer = server.post(MAKE_CALL, body)
        assert answer.status == 422, (body, answer.text)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json["field"] == field, answer.text
        assert set(answer.json) >= {"type", "title", "status", "detail"}
    answer = server.post(MAKE_CALL, {"to": THEIRS, "promt": "x"})
    assert answer.status == 422 and "system_prompt" in answer.json["detail"]
    answer = server.post(MAKE_CALL, {"to": THEIRS, "agent": "nobody"})
    assert answer.status == 404 and answer.json["field"] == "agent"
    assert dials(vendors) == []
    assert server.get("/calls/call-history/").json["total"] == 0


@pytest.mark.parametrize("body, content_type, status", [
    (b"{", "application/json", 400), (b"[]", "application/json", 400),
    (b'{"to":"\xff"}', "application/json", 400), (b"to=%2B12015550123", None, 415),
    (b"{}", "text/plain", 415), (b"", "application/json", 400)])
def test_what_is_no_json_object_is_refused(line, body, content_type, status):
    server = line()
    headers = {"Content-Type": content_type} if content_type else {}
    assert server.request("POST", MAKE_CALL, body, headers).status == status


def test_a_prompt_of_5000_characters_is_spoken_by(line):
    server = line()
    answer = server.post(MAKE_CALL, {"to": THEIRS, "system_prompt": "é" * 5000})
    assert answer.status == 201, answer.text
    assert detail(server, answer.json["call_id"])["call"]["system_prompt"].startswith("é" * 5000)


def test_the_gate_says_why_not(line, vendors):
    server = line()
    answer = server.post(MAKE_CALL, {"to": "+442079460000"})
    assert answer.status == 403, answer.text
    assert answer.json["reason"] == "destination_not_allowed"
    answer = server.post(MAKE_CALL, {"to": "+112"})
    assert (answer.status, answer.json["reason"]) == (403, "number_short")
    assert dials(vendors) == []


def test_without_a_list_nobody_is_dialled(line, vendors):
    server = line(outbound={})
    answer = server.post(MAKE_CALL, {"to": THEIRS})
    assert (answer.status, answer.json["reason"]) == (403, "outbound_not_configured")
    assert "outbound" in answer.json["detail"]
    assert dials(vendors) == []


def test_over_a_limit_one_is_told_when_to_come_again(line, vendors):
    server = line(outbound={"allow": ["US"], "hours": "00:00-24:00", "max_per_minute": 2})
    statuses = [server.post(MAKE_CALL, {"to": THEIRS}).status for _ in range(2)]
    assert statuses == [201, 201]
    answer = server.post(MAKE_CALL, {"to": THEIRS})
    assert (answer.status, answer.json["reason"]) == (429, "limit_per_minute")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert len(dials(vendors)) == 2


def test_an_agent_that_cannot_dial_says_so(serve):
    server = serve()
    answer = server.post(MAKE_CALL, {"to": THEIRS})
    assert (answer.status, answer.json["reason"]) == (422, "no_carrier")


def test_what_the_carrier_refuses_is_told_with_the_call(line, vendors):
    server = line()
    vendors.fault("twilio", "create-call", "status", status=400, code=21211)
    answer = server.post(MAKE_CALL, {"to": THEIRS}, headers={"Idempotency-Key": "k"})
    assert answer.status == 502, answer.text
    assert UUID7.fullmatch(answer.json["call_id"])
    shown = detail(server, answer.json["call_id"], lambda shown: shown["call"]["ended_at"])
    assert shown["call"]["status"] == "failed"
    again = server.post(MAKE_CALL, {"to": THEIRS}, headers={"Idempotency-Key": "k"})
    assert (again.status, again.json["call_id"]) == (502, answer.json["call_id"])
    assert len(dials(vendors)) == 1


def test_the_same_request_is_done_once(line, vendors):
    server = line()
    key = {"Idempotency-Key": "order-7"}
    first = server.post(MAKE_CALL, {"to": THEIRS, "metadata": {"a": 1}}, headers=key)
    assert first.status == 201
    again = server.post(MAKE_CALL, {"to": THEIRS, "metadata": {"a": 1}}, headers=key)
    assert (again.status, again.json) == (201, first.json)
    # The same words in another layout.
    text = json.dumps({"to": THEIRS, "metadata": {"a": 1}}, indent=4).encode()
    again = server.request("POST", MAKE_CALL, text, {**key, "Content-Type": "application/json"})
    assert (again.status, again.json) == (201, first.json)
    other = server.post(MAKE_CALL, {"to": THEIRS}, headers=key)
    assert other.status == 422
    assert other.json["type"].endswith("#idempotency-other")
    assert server.post(MAKE_CALL, {"to": THEIRS}).json["call_id"] != first.json["call_id"]
    assert len(dials(vendors)) == 2


def test_the_key_holds_over_a_restart(line, serve, vendors):
    server = line()
    key = {"Idempotency-Key": "order-7"}
    first = server.post(MAKE_CALL, {"to": THEIRS}, headers=key)
    server.stop(signal.SIGINT)
    server = serve(conf=server.conf)
    again = server.post(MAKE_CALL, {"to": THEIRS}, headers=key)
    assert (again.status, again.json) == (201, first.json)
    assert len(dials(vendors)) == 1


def test_many_at_once_dial_once_in_all_workers(line, vendors):
    server = line(server={"workers": 2})

    def ask(_):
        return server.post(MAKE_CALL, {"to": THEIRS}, headers={"Idempotency-Key": "order-7"})
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(16)))
    made = {answer.json["call_id"] for answer in answers if answer.status == 201}
    assert len(made) == 1
    assert {answer.status for answer in answers} <= {201, 409}
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status == 409)
    assert len(dials(vendors)) == 1


def test_what_was_refused_may_be_tried_again_with_its_key(line, vendors):
    server = line(outbound={"allow": ["US"], "hours": "00:00-24:00", "max_per_minute": 1})
    assert server.post(MAKE_CALL, {"to": THEIRS}).status == 201
    key = {"Idempotency-Key": "later"}
    answers = [server.post(MAKE_CALL, {"to": THEIRS}, headers=key) for _ in range(2)]
    assert [answer.json["reason"] for answer in answers] == ["limit_per_minute"] * 2
    assert answers[0].json["call_id"] != answers[1].json["call_id"], "it was asked again"
    assert len(dials(vendors)) == 1


@pytest.mark.parametrize("key", ["a b", "k" * 256, "\u00e9"], ids=["blank", "long", "accent"])
def test_a_key_that_is_none_is_refused(line, key):
    server = line()
    answer = server.post(MAKE_CALL, {"to": THEIRS},
                         headers={"Idempotency-Key": key.encode("latin-1")})
    assert answer.status == 400


def test_another_api_key_has_idempotency_keys_of_its_own(line, aicaller):
    server = line()
    made = []
    for name in ("one", "two"):
        key = aicaller("key", "add", name, "-c", server.conf[0]).stdout.strip()
        answer = server.post(MAKE_CALL, {"to": THEIRS}, headers={
            "Idempotency-Key": "order-7", "Authorization": f"Bearer {key}"})
        assert answer.status == 201, answer.text
        made.append(answer.json["call_id"])
    assert made[0] != made[1]


def test_with_the_storage_away_nothing_is_dialled(line, vendors, postgres):
    server = line(storage="shared",
                  providers={"shared": {"plugin": "pgsql.so", "url": postgres.url}})
    assert server.post(MAKE_CALL, {"to": THEIRS}).status == 201
    postgres.ask("down")
    for headers in ({}, {"Idempotency-Key": "k"}):
        answer = server.post(MAKE_CALL, {"to": THEIRS}, headers=headers)
        assert answer.status == 503, answer.text
    assert len(dials(vendors)) == 1
    postgres.ask("up")
