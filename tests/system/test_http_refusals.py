# SPDX-License-Identifier: ISC
"""
What the port refuses, on every path there is: each time with a problem document that says why, and
afterwards it is as well as before.
"""
import concurrent.futures
import contextlib
import json
import socket
import time

import pytest

import program

GETS = ["/calls/health/", "/calls/call-history/", "/calls/call-detail/x/", "/calls/agents/",
        "/calls/voice-test/", "/calls/test/", "/static/style.css"]
JSON_POSTS = ["/calls/test-chat/", "/calls/test-voice/", "/calls/voice-test/token/"]
POSTS = [*JSON_POSTS, "/calls/01a203c4-5150-7038-b7cb-7a34a8e1fa27/hangup/"]
JSON = {"Content-Type": "application/json"}


@pytest.fixture(autouse=True)
def stays_healthy(shared_server):
    """Whatever a test did, the same worker goes on and nothing is left over."""
    before = shared_server.processes()
    yield
    health = shared_server.get("/calls/health/")
    assert health.json["status"] == "ok"
    assert shared_server.processes() == before
    program.eventually(lambda: len(connections(shared_server)) == 0, "no connection is left")


def connections(server):
    """Established connections of the port, as the kernel counts them."""
    local = f":{server.port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    return [row for row in rows if row[1].endswith(local) and row[3] == "01"]


def problem(answer, *statuses):
    assert answer.status in statuses, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = answer.json
    assert document["status"] == answer.status
    assert document["title"] and document["type"]
    return document


def talk(server, text, seconds=10):
    """Sends bytes as they are; returns what comes back until the connection is closed."""
    with server.connect(seconds) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(text)
        received = b""
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(65536):
                received += piece
        return received


def status_of(received):
    return int(received.split(None, 2)[1])


@pytest.mark.parametrize("path", ["/", "/calls", "/nowhere", "/calls/call-detail",
                                  "/carriers/browser/", "/admin/../calls/health/"])
def test_a_path_that_is_not_there_is_not_found(shared_server, path):
    problem(shared_server.get(path), 404, 405)


@pytest.mark.parametrize("path", GETS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_a_wrong_method_is_refused(shared_server, path, method):
    answer = shared_server.request(method, path, b"{}", JSON)
    problem(answer, 404, 405, 501)
    if answer.status == 405:
        assert answer.headers["Allow"]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_what_is_to_be_posted_can_not_be_had_otherwise(shared_server, path, method):
    answer = shared_server.request(method, path, b"{}", JSON)
    problem(answer, 405)
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("path", JSON_POSTS)
@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded",
                                  "multipart/form-data; boundary=x", "application/jsonp", ""])
def test_a_body_that_is_not_called_json_is_refused(shared_server, path, kind):
    headers = {} if kind is None else {"Content-Type": kind}
    problem(shared_server.request("POST", path, b'{"message":"hello"}', headers), 415)


BODIES = {
    "nothing": b"",
    "no JSON": b"message=hello",
    "half of a document": b'{"message":"hel',
    "two documents": b'{"message":"hello"}{"message":"hello"}',
    "a list": b'["hello"]',
    "a text": b'"hello"',
    "null": b"null",
    "a number": b"12",
    "invalid UTF-8": b'{"message":"\xff\xfe\xfa"}',
    "a cut character": b'{"message":"\xe2\x82"}',
    "an overlong character": b'{"message":"\xc0\xaf"}',
    "a surrogate": b'{"message":"\xed\xa0\x80"}',
    "invalid UTF-8 in a name": b'{"\xff":1,"message":"hello"}',
    "a comment": b'{"message":"hello"/* so */}',
    "a comma too many": b'{"message":"hello",}',
    "single quotes": b"{'message':'hello'}",
    "depth": b'{"message":' + b"[" * 100000 + b"]" * 100000 + b"}",
    "depth without end": b'{"a":' * 100000,
    "zeros": bytes(1000),
}


@pytest.mark.parametrize("path", JSON_POSTS)
@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_no_json_object_is_refused(shared_server, path, body):
    document = problem(shared_server.request("POST", path, BODIES[body], JSON), 400, 422)
    assert document["detail"]


MESSAGES = {
    "no message": {}, "an empty message": {"message": ""}, "a number": {"message": 5},
    "a list": {"message": ["hello"]}, "an object": {"message": {"text": "hello"}},
    "null": {"message": None}, "a number without end": {"message": 10 ** 4000},
    "too long a message": {"message": "x" * 8193},
}


@pytest.mark.parametrize("path", JSON_POSTS[:2])
@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_that_is_none_is_refused(shared_server, path, message):
    document = problem(shared_server.post(path, MESSAGES[message]), 422)
    assert "message" in document["detail"]


@pytest.mark.parametrize("session", [5, ["x"], {"id": 1}, True])
def test_a_session_that_is_no_text_is_not_taken_for_none(shared_server, session):
    problem(shared_server.post("/calls/test-chat/", {"message": "hello", "session": session}),
            400, 404, 422)


def test_a_message_may_hold_every_character(shared_server):
    for text in ("नमस्ते", "😀" * 100, "\u0000", "\u202e", "a\r\nSet-Cookie: b", "<script>", "%n"):
        answer = shared_server.post("/calls/test-chat/", {"message": text})
        assert answer.status == 200, (text, answer.text)


@pytest.mark.parametrize("path", [*GETS, *POSTS, "/nowhere"])
@pytest.mark.parametrize("kind", ["spaces", "invalid UTF-8"])
def test_ten_megabytes_are_refused_on_every_path(shared_server, path, kind):
    method = "POST" if path in POSTS else "GET"
    body = {"spaces": b" " * 10_000_000, "invalid UTF-8": b"\xff" * 10_000_000}[kind]
    answer = shared_server.request(method, path, body, JSON)
    problem(answer, 413 if path != "/nowhere" else 404)


@pytest.mark.parametrize("path", [*GETS, *POSTS])
def test_invalid_utf8_in_a_body_harms_no_path(shared_server, path):
    method = "POST" if path in POSTS else "GET"
    answer = shared_server.request(method, path, b"\xff\xfe\x00\x80" * 100, JSON)
    assert answer.status in (200, 400, 404, 413, 415)


@pytest.mark.parametrize("path", [*GETS, *POSTS])
def test_a_path_in_invalid_utf8_or_with_a_query_of_garbage_is_survived(shared_server, path):
    method = b"POST" if path in POSTS else b"GET"
    for target in (path.encode() + b"\xff\xfe", path.encode() + b"?\xff=\xfe&%zz=%&=&&",
                   path.encode() + b"?" + b"a" * 6000, path.encode() + b"%00%ff%"):
        received = talk(shared_server, method + b" " + target + b" HTTP/1.1\r\nHost: localhost\r\n"
                        b"Content-Length: 0\r\n\r\n")
        assert status_of(received) in (200, 400, 404, 405, 414, 415, 431), target


RAW = {
    "no HTTP": (b"hello there\r\n\r\n", {400}),
    "another protocol": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), {400, None}),
    "HTTP/0.9": (b"GET /calls/health/\r\n\r\n", {400, 505}),
    "HTTP/2.0": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 405, 501, 505, 404}),
    "no host": (b"GET /calls/health/ HTTP/1.1\r\n\r\n", {400}),
    "two hosts": (b"GET /calls/health/ HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
                  {400}),
    "chunks": (b"POST /calls/test-chat/ HTTP/1.1\r\nHost: localhost\r\n"
               b"Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n"
               b"2\r\n{}\r\n0\r\n\r\n", {411, 501, 400}),
    "chunks and a length": (b"POST /calls/test-chat/ HTTP/1.1\r\nHost: localhost\r\n"
                            b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
                            {400, 411}),
    "two lengths": (b"POST /calls/test-chat/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                    b"Content-Length: 3\r\n\r\n{}", {400}),
    "a negative length": (b"POST /calls/test-chat/ HTTP/1.1\r\nHost: localhost\r\n"
                          b"Content-Length: -1\r\n\r\n", {400}),
    "a length without end": (b"POST /calls/test-chat/ HTTP/1.1\r\nHost: localhost\r\n"
                             b"Content-Length: 99999999999999999999999\r\n\r\n", {400, 413}),
    "a folded header": (b"GET /calls/health/ HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
                        {400}),
    "a space before the colon": (b"GET /calls/health/ HTTP/1.1\r\nHost : localhost\r\n\r\n", {400}),
    "a zero byte": (b"GET /calls/health/ HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n", {400}),
    "a header without end": (b"GET /calls/health/ HTTP/1.1\r\nHost: localhost\r\nX: "
                             + b"a" * 100000 + b"\r\n\r\n", {400, 431}),
    "headers without end": (b"GET /calls/health/ HTTP/1.1\r\nHost: localhost\r\n"
                            + b"A: b\r\n" * 20000 + b"\r\n", {400, 431}),
    "a path without end": (b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
                           {400, 414, 431}),
    "an absolute address": (b"GET http://evil.example/calls/health/ HTTP/1.1\r\n"
                            b"Host: localhost\r\n\r\n", {400, 404, 403, 421, 200}),
    "a proxy's request": (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
                          {400, 404, 405, 501}),
    "an upgrade to HTTP/2": (b"GET /calls/health/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\n"
                             b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n"
                             b"\r\n", {200, 400, 426}),
}


@pytest.mark.parametrize("name", RAW)
def test_what_is_no_plain_request_is_refused(shared_server, name):
    text, expected = RAW[name]
    received = talk(shared_server, text)
    status = status_of(received) if received else None
    assert status in expected, received[:300]
    assert received.count(b"HTTP/1.1 ") <= 1


def test_two_requests_in_one_piece_get_one_answer(shared_server):
    one = b"GET /calls/health/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
    received = talk(shared_server, one + one)
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.count(b"HTTP/1.1 ") == 1
    assert b"\r\nConnection: close\r\n" in received


def test_a_request_may_come_byte_by_byte(shared_server):
    body = b'{"message":"hello"}'
    text = (b"POST /calls/test-chat/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
            b"\r\nContent-Length: %d\r\n\r\n" % len(body)) + body
    with shared_server.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in text:
            connection.sendall(bytes([byte]))
        received = b""
        while piece := connection.recv(65536):
            received += piece
    assert status_of(received) == 200


def test_who_goes_away_in_the_middle_leaves_nothing_behind(shared_server):
    head = (b"POST /calls/test-voice/ HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: 19\r\n\r\n")
    for text in (b"", b"GET", head, head + b'{"mess', head + b'{"message":"hello"}'):
        for reset in (False, True):
            connection = shared_server.connect()
            connection.sendall(text)
            if reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("text, status", [
    (b"GET /calls/health/ HTTP/1.1\r\nHost: localh", 408),
    (b"POST /calls/test-chat/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
     b"Content-Type: application/json\r\n\r\n{", 408),
])
def test_who_is_too_slow_is_told_and_others_do_not_wait(shared_server, text, status):
    began = time.monotonic()
    with contextlib.ExitStack() as held:
        slow = [held.enter_context(shared_server.connect(30)) for _ in range(50)]
        for connection in slow:
            connection.sendall(text)
        quick = time.monotonic()
        assert shared_server.get("/calls/health/").status == 200
        assert time.monotonic() - quick < 2
        for connection in slow:
            assert status_of(connection.recv(65536)) == status
    assert time.monotonic() - began < 25


@pytest.mark.slow
def test_who_says_nothing_is_closed_without_a_word(shared_server):
    with shared_server.connect(30) as connection:
        assert connection.recv(1) == b""


@pytest.mark.slow
def test_who_does_not_read_the_answer_is_given_up(shared_server):
    """Its answer is bounded, and so is the time that it may lie there."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.settimeout(60)
        connection.connect(("127.0.0.1", shared_server.port))
        body = json.dumps({"message": "I need an appointment"}).encode()
        connection.sendall(b"POST /calls/test-voice/ HTTP/1.1\r\nHost: localhost\r\n"
                           b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                           % len(body) + body)
        program.eventually(lambda: not connections(shared_server), "it is given up", 60)


def test_a_hundred_bad_clients_at_once_disturb_no_good_one(shared_server):
    attacks = [text for text, _ in RAW.values()] + [BODIES["depth"], b"\x00" * 100000]

    def attack(number):
        talk(shared_server, attacks[number % len(attacks)], 30)

    def ask(_):
        return shared_server.get("/calls/health/", seconds=30).status
    with concurrent.futures.ThreadPoolExecutor(120) as clients:
        bad = [clients.submit(attack, number) for number in range(100)]
        good = list(clients.map(ask, range(50)))
        for each in bad:
            each.result()
    assert set(good) == {200}
