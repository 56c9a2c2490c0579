# SPDX-License-Identifier: ISC
"""
The history of calls as integrators read it: filters, pages, cursors and links, ETags, tables, one
call in detail, figures. Thousands of calls are written into the database before the server begins.
"""
import csv
import io
import re
import sqlite3
import urllib.parse

import pytest

import conf as configurations
import program

HISTORY = "/calls/call-history/"
STATS = "/calls/stats/"
CALLS = 2500  # more than the server asks its storage for at once
STATUSES = ["completed", "failed", "busy", "no_answer"]
LINK = re.compile(r'<([^>]*)>; rel="(\w+)"')


def call_id(number):
    return f"01a20000-0000-7000-8000-{number:012d}"


def call_at(number):
    minutes, seconds = divmod(number, 60)
    return f"2026-11-{1 + minutes // 1440:02d}T{minutes // 60 % 24:02d}:{minutes % 60:02d}:" \
        f"{seconds:02d}.000Z"


def insert(connection, table, **row):
    names = ", ".join(row)
    marks = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({names}, revision) VALUES ({marks}, 1)",
                       tuple(row.values()))


def fill(path):
    """Call `n` is the nth; the newest is the last one."""
    with sqlite3.connect(path) as connection:
        for number in range(CALLS):
            direction = "inbound" if number % 2 else "outbound"
            insert(connection, "calls", call_id=call_id(number), call_sid=f"CA{number:032x}",
                   provider="twilio", direction=direction,
                   from_number=f"+1201555{number % 10:04d}", to_number="+15005550006",
                   agent="sales" if number % 5 == 0 else "default",
                   status=STATUSES[number % 4], created_at=call_at(number),
                   started_at=call_at(number), answered_at=call_at(number),
                   ended_at=call_at(number), duration_s=1.5, cost=0.25,
                   end_reason='=cmd|"/c calc", said "he"' if number == 7 else "caller_hung_up",
                   metadata='{"customer": "+12015550123"}')
        last = call_id(CALLS - 1)
        insert(connection, "messages", seq=1, message_id=call_id(1), call_id=last, turn=1,
               role="user", content="a table for zanzibar", at=call_at(CALLS - 1))
        connection.execute("INSERT INTO messages_fts (messages_fts) VALUES ('rebuild')")
        insert(connection, "events", event_id=call_id(2), call_id=last, type="transferred",
               at=call_at(CALLS - 1), detail='{"to": "+442079460000"}')
        insert(connection, "turns", turn_id=call_id(3), call_id=last, turn=1,
               at=call_at(CALLS - 1), llm_ms=120, response_ms=700)
        insert(connection, "recordings", recording_id=call_id(4), call_id=last,
               path="/var/lib/secret/place.wav", format="wav", channels=2, rate_hz=8000, bytes=44,
               duration_s=1.5, started_at=call_at(CALLS - 1))
        for number, (role, provider, cost) in enumerate(
                [("llm", "groq", 0.5), ("llm", "groq", 0.25), ("tts", "flite", None)]):
            insert(connection, "usage", usage_id=call_id(10 + number), call_id=last, turn=1,
                   at=call_at(CALLS - 1), provider=provider, role=role, cost=cost, estimated=0)


@pytest.fixture(scope="module")
def history(tmp_path_factory, built):
    """A server with a past."""
    folder = tmp_path_factory.mktemp("history")
    port = program.free_port()
    path = folder / "aicaller.conf"
    group = configurations.default(port, folder, program.BUILD / "plugins")
    path.write_text(configurations.group_text(group), encoding="utf-8")
    assert program.run(["migrate", "-c", path], folder, built).returncode == 0
    fill(folder / "aicaller.db")
    server = program.Server(path, port, folder, folder / "serve.log", program=built).start()
    server.conf = path
    yield server
    server.stop()


@pytest.fixture
def ask(history):
    """ask(per_page=10, ...) -> the answer."""
    def get(**params):
        answer = history.get(f"{HISTORY}?{urllib.parse.urlencode(params)}")
        assert answer.status == 200, answer.text
        return answer
    return get


def numbers(answer):
    """Which calls an answer shows."""
    return [int(call["call_id"][-12:]) for call in answer.json["calls"]]


def links(answer):
    return {rel: path for path, rel in LINK.findall(answer.headers["Link"])}


def refused(answer, field=None, status=400):
    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json.get("field") == field, answer.json
    assert answer.json["detail"]
    return answer.json


# Pages

def test_pages_count_from_one_and_the_newest_call_comes_first(ask):
    first = ask()
    assert first.json["page"] == 1 and first.json["per_page"] == 20
    assert first.json["total"] == CALLS and first.json["total_exact"] is True
    assert first.json["pages"] == 125
    assert numbers(first) == list(range(CALLS - 1, CALLS - 21, -1))
    assert numbers(ask(page=2)) == list(range(CALLS - 21, CALLS - 41, -1))
    assert numbers(ask(page=125)) == list(range(19, -1, -1))
    assert numbers(ask(page=126)) == []


@pytest.mark.parametrize("step, start", [
    ("next", {"page": 1}), ("prev", {"page": 7}), ("prev", {"last": "true"}),
    ("next", {"after": "2030-01-01T00:00:00Z,01a20000-0000-7000-8000-000000000000"})])
def test_links_lead_through_the_whole_list(history, ask, step, start):
    answer = ask(**start, per_page=100, status="completed", since="2026-11-01")
    seen = numbers(answer)
    for _ in range(10):
        following = links(answer).get(step)
        if not following:
            break
        answer = history.get(following)
        seen = seen + numbers(answer) if step == "next" else numbers(answer) + seen
    assert seen == [number for number in range(CALLS - 1, -1, -1) if number % 4 == 0]


def test_cursors_go_on_where_a_page_ended_and_come_back(ask):
    first = ask(per_page=7)
    assert first.json["previous"] is None
    second = ask(per_page=7, after=first.json["next"])
    assert second.json["page"] is None
    assert numbers(second) == [number - 7 for number in numbers(first)]
    assert numbers(ask(per_page=7, before=second.json["previous"])) == numbers(first)
    last = ask(per_page=7, last="true")
    assert numbers(last) == list(range(6, -1, -1))
    assert last.json["next"] is None
    assert numbers(ask(per_page=7, before=last.json["previous"])) == list(range(13, 6, -1))
    end = ask(per_page=7, after=f"{call_at(7)},{call_id(7)}")
    assert numbers(end) == list(range(6, -1, -1)) and end.json["next"] is None
    newest = ask(per_page=7, before=f"{call_at(CALLS - 8)},{call_id(CALLS - 8)}")
    assert numbers(newest) == numbers(first) and newest.json["previous"] is None


def test_links_keep_the_filters(ask):
    answer = ask(per_page=5, number="+12015550003", text='"a table"', status="completed,failed")
    for path in links(answer).values():
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))
        assert query["number"] == "+12015550003"
        assert query["text"] == '"a table"'
        assert query["status"] == "completed,failed"
        assert query["per_page"] == "5"


# Filters

@pytest.mark.parametrize("params, wanted", [
    ({"status": "completed"}, lambda n: n % 4 == 0),
    ({"status": "completed,busy"}, lambda n: n % 4 in (0, 2)),
    ({"direction": "inbound"}, lambda n: n % 2),
    ({"agent": "sales"}, lambda n: n % 5 == 0),
    ({"number": "+12015550004"}, lambda n: n % 10 == 4),
    ({"number": "+15005550006"}, lambda n: True),
    ({"since": call_at(2400)}, lambda n: n >= 2400),
    ({"until": call_at(100)}, lambda n: n < 100),
    ({"since": "2026-11-01T05:40:00+05:30"}, lambda n: n >= 600),
    ({"text": "zanzibar"}, lambda n: n == CALLS - 1),
    ({"text": "zanzibar", "status": "busy"}, lambda n: False),
    ({"status": "", "agent": "", "since": ""}, lambda n: True),
])
def test_filters_leave_what_they_say(ask, params, wanted):
    expected = [number for number in range(CALLS - 1, -1, -1) if wanted(number)]
    answer = ask(**params, per_page=200)
    assert answer.json["total"] == len(expected)
    assert numbers(answer) == expected[:200]


def test_a_plus_sign_that_was_not_encoded_is_understood(history):
    answer = history.get(f"{HISTORY}?number=+12015550004&since=2026-11-01T05:30:00+05:30")
    assert answer.json["total"] == CALLS // 10


@pytest.mark.parametrize("query, field", [
    ("page=0", "page"), ("page=-1", "page"), ("page=1000000000000", "page"), ("page=x", "page"),
    ("page=99999999999999999999999", "page"), ("page=1.5", "page"), ("page=%201", "page"),
    ("page=10000000", "page"),
    ("per_page=0", "per_page"), ("per_page=201", "per_page"), ("per_page=-5", "per_page"),
    ("status=done", "status"), ("status=busy,", "status"), ("direction=up", "direction"),
    ("since=yesterday", "since"), ("until=2026-13-01", "until"), ("last=1", "last"),
    ("after=x", "after"), ("before=2026-11-01T00:00:00Z,x", "before"), ("format=xml", "format"),
    ("page=2&page=3", "page"), ("status=busy&status=failed", "status"),
    ("page=2&last=true", "last"), ("after=x&before=y", "after"), ("pgae=2", "pgae"),
    ("agent=%00", "agent"), ("agent=%ff", "agent"), ("agent=" + 1025 * "a", "agent"),
    ("agent=" + 500 * "a", "agent"),
    ("%3Cscript%3E=1", None), ("format=csv&page=1", "page"), ("text=%22%22", "text"),
])
def test_a_parameter_that_is_not_understood_is_named(history, query, field):
    document = refused(history.get(f"{HISTORY}?{query}"), field)
    assert document["type"].endswith("#bad-parameter")
    assert "<" not in document["detail"]


# ETag

def test_an_answer_that_the_client_has_is_not_sent_again(history):
    for path in (f"{HISTORY}?page=2", f"/calls/call-detail/{call_id(5)}/",
                 f"{STATS}?since=2026-11-01"):
        first = history.get(path)
        tag = first.headers["ETag"]
        assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
        for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            again = history.get(path, headers={"If-None-Match": known})
            assert again.status == 304 and again.body == b""
            assert again.headers["ETag"] == tag
        assert history.get(path, headers={"If-None-Match": '"x"'}).body == first.body
        head = history.request("HEAD", path)
        assert head.status == 200 and head.headers["ETag"] == tag
        assert int(head.headers["Content-Length"]) == len(first.body)
    assert history.get(HISTORY).headers["ETag"] != history.get(f"{HISTORY}?page=2").headers["ETag"]


# Tables

def table(answer):
    assert answer.status == 200, answer.text
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="calls.csv"' in answer.headers["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def test_a_table_holds_all_calls_that_the_filters_leave(history):
    rows = table(history.get(f"{HISTORY}?format=csv"))
    assert [int(row["call_id"][-12:]) for row in rows] == list(range(CALLS - 1, -1, -1))
    assert rows[0]["from"] == "+12015550009" and rows[0]["duration_s"] == "1.5"
    assert len(table(history.get(f"{HISTORY}?format=csv&agent=sales"))) == CALLS // 5
    assert table(history.get(f"{HISTORY}?format=csv&agent=nobody")) == []


def test_a_field_is_no_formula_for_a_spreadsheet(history):
    rows = table(history.get(f"{HISTORY}?format=csv&since={call_at(7)}&until={call_at(8)}"))
    assert [row["end_reason"] for row in rows] == ['\'=cmd|"/c calc", said "he"']


def test_a_reader_of_a_table_may_go_away(history):
    for _ in range(5):
        with history.connect() as connection:
            connection.sendall(f"GET {HISTORY}?format=csv HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
                               .encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
    assert history.request("HEAD", f"{HISTORY}?format=csv").status == 200
    assert len(table(history.get(f"{HISTORY}?format=csv"))) == CALLS


# One call

def test_a_call_is_shown_with_all_that_belongs_to_it(history):
    number = CALLS - 1
    answer = history.get(f"/calls/call-detail/{call_id(number)}/").json
    assert answer["call"]["to"] == "+15005550006"
    assert answer["call"]["metadata"] == {"customer": "+12015550123"}
    assert [message["content"] for message in answer["messages"]] == ["a table for zanzibar"]
    assert answer["events"][0]["detail"] == {"to": "+442079460000"}
    assert answer["turns"][0]["response_ms"] == 700
    (recording,) = answer["recordings"]
    assert recording["rate_hz"] == 8000 and "path" not in recording
    assert answer["cost"]["total"] == 0.75 and len(answer["cost"]["items"]) == 3
    assert answer["cost"]["components"] == [
        {"role": "llm", "provider": "groq", "uses": 2, "cost": 0.75, "estimated": False},
        {"role": "tts", "provider": "flite", "uses": 1, "cost": None, "estimated": False}]
    by_sid = history.get(f"/calls/call-detail/CA{number:032x}/").json
    assert by_sid == answer
    assert history.get("/calls/call-detail/nobody/").status == 404


# Figures

def test_figures_of_a_time_are_counted_by_hour_day_or_as_one(history):
    answer = history.get(f"{STATS}?since=2026-11-01&until=2026-12-01&by=hour").json
    assert answer["by"] == "hour" and answer["since"] == "2026-11-01T00:00:00.000Z"
    assert [row["calls"] for row in answer["calls"]] == [CALLS]
    whole = history.get(f"{STATS}?since=2026-11-01&by=all&direction=inbound&agent=sales").json
    (row,) = whole["calls"]
    assert row["calls"] == row["inbound"] == CALLS // 10
    assert row["cost"] == CALLS // 10 * 0.25
    stages = {row["stage"]: row for row in whole["latency"]}
    assert stages["response_ms"]["p95"] == 700 and stages["stt_ms"]["count"] == 0
    assert {row["role"]: row["rows"] for row in whole["usage"]} == {"llm": 2, "tts": 1}


@pytest.mark.parametrize("query, field", [
    ("by=week", "by"), ("since=x", "since"), ("until=0", "until"), ("direction=up", "direction"),
    ("page=1", "page"), ("by=day&by=day", "by"), ("agent=" + 300 * "a", "agent")])
def test_a_parameter_of_the_figures_that_is_not_understood_is_named(history, query, field):
    refused(history.get(f"{STATS}?{query}"), field)
