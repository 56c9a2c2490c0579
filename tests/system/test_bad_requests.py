# SPDX-License-Identifier: ISC
"""
What strangers and broken programs send: SQL, HTML, far too long and malformed values in every
parameter and member that schema/openapi.yaml has. Each time a clear answer that is described there,
and afterwards nothing is lost.
"""
import contextlib
import json
import re
import sqlite3
import urllib.parse

import pytest

import people
import program
from openapi import CheckedBrowser, Description, whole_server

API = Description()
LONG = 100_000
SQL = "'; DROP TABLE calls; --"
HTML = "<script>alert(1)</script>"
TEXTS = [SQL, HTML, "a\0b", "x" * LONG, "\ud800", "\u202e\U0001f600", "%00%s%n", "../../etc/passwd"]
OTHERS = [0, -1, 1e308, 2 ** 70, True, [], {}, [SQL], {"$gt": ""}, [[[[]]]]]
JSON = {"Content-Type": "application/json"}
ID = "01a203c4-5150-7038-b7cb-7a34a8e1fa27"
# A number that the gate refuses, so that nobody is dialled.
BODIES = {"makeCall": {"to": "+442079460000"}, "logIn": {"name": "nobody", "password": "x"},
          "changePassword": {"old": "not it", "new": "a good long password"}}


@pytest.fixture(scope="module")
def running(tmp_path_factory, built):
    with whole_server(tmp_path_factory.mktemp("bad"), built) as server:
        yield server


@pytest.fixture(scope="module")
def said(running):
    """A conversation that has to be there to the end."""
    call_id = running.post("/calls/test-chat/", {"message": "I want a table"}).json["session"]
    program.eventually(lambda: running.get(f"/calls/call-detail/{call_id}/").status == 200,
                       "the conversation is recorded")
    return call_id


@pytest.fixture(autouse=True)
def nothing_is_lost(running, said):
    """The same processes are well, and the tables are whole."""
    before = running.processes()
    yield
    assert running.get("/calls/health/").json["status"] == "ok"
    assert running.processes() == before
    assert running.get(f"/calls/call-detail/{said}/").json["messages"]
    with contextlib.closing(sqlite3.connect(running.folder / "aicaller.db")) as database:
        assert database.execute("PRAGMA quick_check").fetchall() == [("ok",)]


@pytest.fixture(scope="module")
def ann(running):
    browser = CheckedBrowser(running, API)
    assert browser.log_in("ann").status == 200
    return browser


def real(template, **replaced):
    values = {"file": "style.css", "name": "ada", "id": ID, **replaced}
    return re.sub(r"\{(\w+)\}", lambda name: values[name[1]], template)


def operations(condition):
    return [pytest.param(method.upper(), path, operation, id=operation["operationId"])
            for method, path, operation in API.operations()
            if operation["tags"] != ["Carriers"] and condition(operation)]


def has_body(operation):
    return API.body(operation) is not None


def has_query(operation):
    return any(one["in"] == "query" for one in API.parameters(operation))


def has_place(operation):
    return any(one["in"] == "path" for one in API.parameters(operation))


def sent(ann, method, path, body=None, headers=None):
    """The answer, which is as described, is ours, and does not come as a page with that in it."""
    answer = ann.send(method, path, body, headers)
    assert answer.status not in (500, 501, 502, 504), (path[:200], answer.text)
    if answer.headers["Content-Type"] != "text/html; charset=utf-8":
        kind = answer.headers["Content-Type"] or ""
        assert "html" not in kind
        about_blank = answer.status >= 400 and answer.json["type"] == "about:blank"
        assert about_blank or answer.headers["X-Content-Type-Options"] == "nosniff"
    return answer


@pytest.mark.parametrize("method, path, operation", operations(has_body))
def test_members_of_every_body(ann, method, path, operation):
    schema = API.body(operation)
    base = BODIES.get(operation["operationId"]) or dict(
        API.resolved(operation["requestBody"])["content"]["application/json"].get("example", {}))
    for member in schema.get("properties", {}):
        for value in TEXTS + OTHERS:
            answer = sent(ann, method, real(path), {**base, member: value})
            if answer.status == 422:
                assert answer.json["detail"], (member, value)


@pytest.mark.parametrize("method, path, operation", operations(has_body))
def test_bodies_that_are_no_good(ann, method, path, operation):
    place = real(path)
    for body in (b"", b"{", b"[]", b"null", b'"x"', b"{}{}", b"\xef\xbb\xbf{}", b"\xff\xfe{\0}\0",
                 b'{"a":NaN}', b"{'a':1}", b'{"a":"\xff"}', b'{"a":1', b'{"a":"\0"}',
                 b"[" * LONG, b'{"a":' * 200 + b"1" + b"}" * 200):
        answer = sent(ann, method, place, body, JSON)
        assert answer.status == 400 or (operation["operationId"] == "logIn" and
                                        answer.status == 429), body[:50]
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                 "application/json-patch+json", "text/html"):
        assert sent(ann, method, place, b"{}", {"Content-Type": kind}).status == 415, kind
    assert sent(ann, method, place, b"{" + b" " * (2 << 20), JSON).status == 413


@pytest.mark.parametrize("method, path, operation", operations(has_query))
def test_parameters_of_every_query(ann, method, path, operation):
    is_strict = operation["operationId"] not in LENIENT
    for parameter in API.parameters(operation):
        if parameter["in"] != "query":
            continue
        name = parameter["name"]
        for value in (urllib.parse.quote(text, errors="surrogatepass") for text in TEXTS):
            sent(ann, method, f"{real(path)}?{name}={value}")
        for number in ("0", "-1", "1000000000000", "99999999999999999999", "1e3", "0x10"):
            if operation["operationId"] != "followCalls":
                sent(ann, method, f"{real(path)}?{name}={number}")
        for query in (f"{name}=a&{name}=b", f"{name}=%ff", f"{name}=%00"):
            answer = sent(ann, method, f"{real(path)}?{query}")
            assert answer.status == 400 or not is_strict, query
    if is_strict:
        refused = sent(ann, method, f"{real(path)}?nonsense=1")
        assert refused.status == 400 and refused.json["field"] == "nonsense"


# Pages that pass over what they do not know.
LENIENT = ("takeKey", "getRecording", "getRecordingPeaks", "followCalls")


@pytest.mark.parametrize("method, path, operation", operations(has_place))
def test_places_in_every_path(ann, method, path, operation):
    name = re.search(r"\{(\w+)\}", path)[1]
    base = BODIES.get(operation["operationId"], {})
    for text in TEXTS:
        value = urllib.parse.quote(text, safe="", errors="surrogatepass")
        place = real(path, **{name: value})
        answer = ann.server.request(method, place, base if has_body(operation) else None, {
            "Origin": ann.server.url, "Cookie": f"aicaller_session={ann.cookie}",
            "X-CSRF-Token": ann.csrf})
        assert answer.status in (400, 404, 405, 414, 431), (place[:200], answer.text)
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_what_is_found_by_a_number_is_not_executed(running):
    for text in (SQL, "' OR '1'='1", '" OR ""="', "1; SELECT pg_sleep(5)", "%", "_"):
        value = urllib.parse.quote(text)
        assert running.get(f"/calls/call-history/?number={value}").json["total"] == 0
        assert running.get(f"/calls/call-history/?agent={value}").json["total"] == 0
        assert running.get(f"/calls/call-detail/{urllib.parse.quote(text, safe='')}/").status == 404


def test_html_that_was_said_comes_back_as_json(running, ann):
    call_id = running.post("/calls/test-chat/", {"message": HTML}).json["session"]
    path = f"/calls/call-detail/{call_id}/"
    program.eventually(lambda: running.get(path).status == 200 and
                       running.get(path).json["messages"], "the line is recorded")
    answer = sent(ann, "GET", path)
    assert HTML in [message["content"] for message in answer.json["messages"]]
    assert answer.headers["Content-Type"] == "application/json"


def test_a_user_whose_name_is_sql_or_html_is_refused(ann):
    for name in (SQL, HTML, "a/b", "", " ", "x" * LONG, "a\0b"):
        answer = sent(ann, "POST", "/admin/api/users/",
                      {"name": name, "role": "viewer", "password": people.GOOD})
        assert answer.status == 422 and answer.json["field"] == "name", name[:50]


def test_an_endless_path_or_query_is_refused(running):
    for path in ("/" + "a" * LONG, "/calls/call-history/?" + "a" * LONG,
                 "/calls/call-history/?" + "page=1&" * 20_000):
        answer = running.get(path)
        assert answer.status in (414, 431)
        assert json.loads(answer.text)["type"] == "about:blank"


READS = ["/calls/call-history/", "/calls/call-history/?format=csv", "/calls/stats/",
         f"/calls/call-detail/{ID}/", f"/calls/{ID}/recording/", f"/calls/{ID}/recording/peaks/"]


@pytest.mark.slow
def test_while_the_database_is_away_answers_say_so_and_nothing_is_lost(serve, postgres):
    server = serve({"storage": "production", "providers": {
        "local": None, "production": {"plugin": "pgsql.so", "url": postgres.url}}})
    assert server.get(READS[0]).json["total"] == 0
    assert postgres.ask("down") == "done"
    for path in READS:
        answer = API.check("GET", path, server.get(path, seconds=30))
        assert answer.status == 503, path
        assert answer.json["type"] == "/docs/http-api#storage"
    made = API.check("POST", "/calls/make-call/", server.post(
        "/calls/make-call/", {"to": "+12015550123"}, headers={"Idempotency-Key": "a"},
        seconds=30))
    assert made.status == 503
    said = [server.post("/calls/test-chat/", {"message": f"number {number}"}).json["session"]
            for number in range(3)]
    assert postgres.ask("up") == "done"

    def is_there(call_id):
        answer = server.get(f"/calls/call-detail/{call_id}/", seconds=30)
        return answer.status == 200 and len(answer.json["messages"]) == 2
    for call_id in said:
        program.eventually(lambda call_id=call_id: is_there(call_id), "it is recorded", 30)
    assert API.check("GET", READS[0], server.get(READS[0])).json["total"] == 3
