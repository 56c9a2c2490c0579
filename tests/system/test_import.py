# SPDX-License-Identifier: ISC
"""
The calls of the Python application, out of its SQLite and PostgreSQL databases as Django makes
them: nothing is lost without a word, and doing it twice changes nothing.
"""
import contextlib
import hashlib
import json
import sqlite3

import pytest

SQLITE = """
CREATE TABLE django_migrations (id integer PRIMARY KEY, app varchar(255), name varchar(255));
CREATE TABLE calls_callsession (
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT, call_sid varchar(64) NOT NULL UNIQUE,
    from_number varchar(20), to_number varchar(20), status varchar(20), duration integer,
    system_prompt text, context_url varchar(200), context_data text, created_at datetime,
    campaign varchar(50), context_headers text);
CREATE TABLE calls_conversationmessage (
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT, role varchar(20), content text,
    timestamp datetime, session_id bigint NOT NULL);
CREATE TABLE calls_callevent (
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT, event_type varchar(50), detail text,
    timestamp datetime, session_id bigint NOT NULL);
"""
PGSQL = (SQLITE.replace("integer NOT NULL PRIMARY KEY AUTOINCREMENT", "bigserial PRIMARY KEY")
         .replace("datetime", "timestamptz").replace("detail text", "detail jsonb"))
ROWS = """
INSERT INTO calls_callsession VALUES
 (1, 'CA01', '+1 (415) 555-0100', '+919876543210', 'completed', 75, 'Be kind.',
  'https://crm.example.com/1', '{"name": "Ann"}', '2026-01-05 10:00:00.123456', 'spring',
  '{"Authorization": "Bearer hunter2"}'),
 (2, 'CA02', '+14155550100', '+919876543211', 'no-answer', 0, '', '', '',
  '2026-01-05 11:00:00', NULL, NULL),
 (3, 'CA03', '+14155550100', '+919876543212', 'in-progress', NULL, '', '', '',
  '2026-01-05 12:00:00', NULL, NULL),
 (4, 'CA04', '+14155550100', '+919876543213', 'completed', 5, '', '', '', NULL, NULL, NULL);
INSERT INTO calls_conversationmessage VALUES
 (1, 'assistant', 'Hello, this is an AI.', '2026-01-05 10:00:02', 1),
 (2, 'user', 'Hi "Ann"; DROP TABLE calls; --', '2026-01-05 10:00:05', 1),
 (3, 'assistant', 'Goodbye. नमस्ते', '2026-01-05 10:00:05', 1),
 (4, 'parrot', 'Squawk', '2026-01-05 10:00:06', 1),
 (5, 'user', 'Nobody knows me', '2026-01-05 10:00:06', 99),
 (6, 'user', 'My call has no time', '2026-01-05 10:00:06', 4);
INSERT INTO calls_callevent VALUES
 (1, 'stream_started', '{"a": 1}', '2026-01-05 10:00:01', 1),
 (2, 'low_confidence', NULL, NULL, 1);
"""


@pytest.fixture
def original(tmp_path):
    """original(more) -> a file as Django leaves it, with further statements."""
    def make(more="", name="db.sqlite3", schema=SQLITE):
        path = tmp_path / name
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.executescript(schema + ROWS + more)
        return path
    return make


@pytest.fixture
def target(aicaller, make_conf, tmp_path):
    """(configuration, its database)."""
    database = tmp_path / "ours.db"
    path, _ = make_conf({"providers": {"local": {"path": str(database)}}})
    return path, database


def rows(database, question):
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return connection.execute(question).fetchall()


def read(aicaller, conf, source, *arguments):
    result = aicaller("migrate", "-c", conf, "--import", source, "--json", *arguments)
    return result, json.loads(result.stdout or "{}")


def check_calls(database):
    assert rows(database, "SELECT call_sid, from_number, to_number, status, duration_s, created_at,"
                "answered_at, ended_at, end_reason FROM calls ORDER BY created_at") == [
        ("CA01", "+14155550100", "+919876543210", "completed", 75, "2026-01-05T10:00:00.123Z",
         "2026-01-05T10:00:00.123Z", "2026-01-05T10:01:15.123Z", None),
        ("CA02", "+14155550100", "+919876543211", "no_answer", 0, "2026-01-05T11:00:00.000Z",
         None, None, None),
        ("CA03", "+14155550100", "+919876543212", "failed", 0, "2026-01-05T12:00:00.000Z",
         None, None, "imported_unfinished")]
    first = rows(database, "SELECT system_prompt, context_url, metadata FROM calls"
                 " WHERE call_sid = 'CA01'")[0]
    assert first[:2] == ("Be kind.", "https://crm.example.com/1")
    assert json.loads(first[2]) == {"imported": {"id": "1", "campaign": "spring"}}
    said = rows(database, "SELECT role, content, heard, at FROM messages ORDER BY message_id")
    assert [message[:2] for message in said] == [
        ("assistant", "Hello, this is an AI."), ("user", 'Hi "Ann"; DROP TABLE calls; --'),
        ("assistant", "Goodbye. नमस्ते")]
    assert [message[2] for message in said] == ["Hello, this is an AI.", None, "Goodbye. नमस्ते"]
    assert said[0][3] == "2026-01-05T10:00:02.000Z"
    events = rows(database, "SELECT type, at, detail FROM events ORDER BY type")
    assert [event[:2] for event in events] == [
        ("low_confidence", "2026-01-05T10:00:00.123Z"),
        ("stream_started", "2026-01-05T10:00:01.000Z")]
    assert json.loads(events[1][2]) == {"a": 1}


def check_counts(answer):
    assert answer["calls"] == {"read": 4, "taken": 3, "skipped": 1, "noted": 0}
    assert answer["messages"] == {"read": 6, "taken": 3, "skipped": 3, "noted": 0}
    assert answer["events"] == {"read": 2, "taken": 2, "skipped": 0, "noted": 1}


def test_a_file_of_django_is_imported_and_left_as_it_is(aicaller, target, original, tmp_path):
    conf, database = target
    source = original()
    before = hashlib.sha256(source.read_bytes()).digest()
    skipped = tmp_path / "skipped.jsonl"
    for _ in range(2):  # the second time changes nothing
        result, answer = read(aicaller, conf, source, "--skipped", skipped)
        assert result.returncode == 0, result.stderr
        check_counts(answer)
        check_calls(database)
    assert "calls_callsession 4 is skipped: it has no time" in result.stderr
    assert "calls_conversationmessage 4 is skipped: its role is unknown" in result.stderr
    lines = [json.loads(line) for line in skipped.read_text(encoding="utf-8").splitlines()]
    assert [(line["table"], line["id"]) for line in lines if line["what"] == "is skipped"] == [
        ("calls_callsession", "4"), ("calls_conversationmessage", "4"),
        ("calls_conversationmessage", "5"), ("calls_conversationmessage", "6")]
    assert hashlib.sha256(source.read_bytes()).digest() == before
    assert sorted(path.name for path in tmp_path.glob("db.sqlite3*")) == ["db.sqlite3"]
    assert b"hunter2" not in database.read_bytes()


def test_a_dry_run_counts_and_writes_nothing(aicaller, target, original):
    conf, database = target
    result, answer = read(aicaller, conf, original(), "--dry-run")
    assert result.returncode == 0, result.stderr
    assert answer["dry_run"] is True
    check_counts(answer)
    assert not database.exists()


def test_postgresql_of_django_is_imported(aicaller, target, postgres, tmp_path):
    conf, database = target
    script = tmp_path / "original.sql"
    script.write_text(PGSQL.replace("integer PRIMARY KEY, app", "bigint PRIMARY KEY, app") + ROWS
                      + "SELECT 'made';", encoding="utf-8")
    name = postgres.url.rpartition("/")[2]
    assert postgres.ask(f"run {name} {script}") == "made"
    result, answer = read(aicaller, conf, postgres.url)
    assert result.returncode == 0, result.stderr
    check_counts(answer)
    check_calls(database)


def test_imported_calls_are_found_by_the_server(aicaller, serve, make_conf, original):
    path, port = make_conf()
    assert read(aicaller, path, original())[0].returncode == 0
    server = serve(conf=(path, port))
    found = server.get("/calls/call-history/?number=%2B919876543210").json["calls"]
    assert [call["call_sid"] for call in found] == ["CA01"]
    detail = server.get("/calls/call-detail/CA01/").json
    assert [message["role"] for message in detail["messages"]] == ["assistant", "user", "assistant"]
    found = server.get("/calls/call-history/?text=goodbye").json["calls"]
    assert [call["call_sid"] for call in found] == ["CA01"]


def test_other_names_of_columns_and_missing_ones_are_understood(aicaller, target, tmp_path):
    conf, database = target
    source = tmp_path / "old.sqlite3"
    with contextlib.closing(sqlite3.connect(source)) as connection:
        connection.executescript("""
CREATE TABLE voice_callsession (id integer PRIMARY KEY, sid text, caller text, call_type text);
CREATE TABLE voice_conversation_message (id integer PRIMARY KEY, call_session_id integer,
    speaker text, message text, created_at text);
INSERT INTO voice_callsession VALUES (7, 'CA07', '+14155550107', 'Incoming');
INSERT INTO voice_conversation_message VALUES (1, 7, 'AI', 'Hello', '2026-02-01T09:00:00+01:00');
""")
    result, answer = read(aicaller, conf, source)
    assert result.returncode == 0, result.stderr
    assert answer["calls"]["taken"] == answer["messages"]["taken"] == 1
    assert rows(database, "SELECT direction, from_number, created_at FROM calls") == [
        ("inbound", "+14155550107", "2026-02-01T08:00:00.000Z")]
    assert rows(database, "SELECT role, heard FROM messages") == [("assistant", "Hello")]


def test_of_two_applications_one_has_to_be_named(aicaller, target, original):
    conf, _ = target
    source = original(SQLITE.replace("calls_call", "old_call").replace("calls_conv", "old_conv")
                      .replace("CREATE TABLE django_migrations (id integer PRIMARY KEY, "
                               "app varchar(255), name varchar(255));", ""))
    result, _ = read(aicaller, conf, source)
    assert result.returncode == 1
    assert '--prefix "calls_"' in result.stderr and '--prefix "old_"' in result.stderr
    result, answer = read(aicaller, conf, source, "--prefix", "calls")
    assert result.returncode == 0, result.stderr
    check_counts(answer)


def test_many_rows_come_in_order_and_many_bad_ones_are_told_shortly(aicaller, target, original,
                                                                   tmp_path):
    conf, database = target
    source = original("""
WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 2099)
INSERT INTO calls_conversationmessage SELECT i, CASE i % 20 WHEN 0 THEN 'odd' ELSE 'user' END,
    'line ' || i, '2026-01-05 10:00:07', 1 FROM n;""")
    skipped = tmp_path / "skipped.jsonl"
    result, answer = read(aicaller, conf, source, "--skipped", skipped)
    assert result.returncode == 0, result.stderr
    assert answer["messages"] == {"read": 2006, "taken": 1903, "skipped": 103, "noted": 0}
    assert result.stderr.count("is skipped") == 20
    assert len(skipped.read_text(encoding="utf-8").splitlines()) == 105
    said = rows(database, "SELECT content FROM messages WHERE content LIKE 'line%' ORDER BY "
                "message_id")
    assert said == [(f"line {i}",) for i in range(100, 2100) if i % 20]


@pytest.mark.parametrize("make, text", [
    (lambda path: None, "no such file"),
    (lambda path: path.write_bytes(b"These are my notes. " * 500), "no SQLite database"),
    (lambda path: sqlite3.connect(path).executescript("CREATE TABLE a (b)").close(),
     "there is no table of calls"),
    (lambda path: sqlite3.connect(path).executescript(
        "CREATE TABLE x_callsession (sid text)").close(), 'has no column "id"'),
])
def test_what_is_no_such_database_is_told(aicaller, target, tmp_path, make, text):
    conf, database = target
    source = tmp_path / "source.db"
    make(source)
    result, _ = read(aicaller, conf, source)
    assert result.returncode == 1
    assert text in result.stderr
    assert not database.exists() or rows(database, "SELECT count(*) FROM calls") == [(0,)]
