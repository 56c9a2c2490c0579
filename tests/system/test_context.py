# SPDX-License-Identifier: ISC
"""
The context of a call: fetched before it is dialled, from a system of the caller's that may be slow,
broken or hostile; never from where a stranger must not reach.
"""
import concurrent.futures
import contextlib
import http.client
import http.server
import signal
import threading

import pytest

import dialling
import program
from dialling import MAKE_CALL, THEIRS

CANARY = "canary-0123456789"
ALLOW = {"security": {"private_allow": ["127.0.0.0/8"]}}
GIGABYTE = 1 << 30


class Crm(http.server.BaseHTTPRequestHandler):
    """What is asked for by path; `server.seen` are the requests."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, content_type, body, **headers):
        self.send_response(status)
        if content_type:
            self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):  # noqa: N802
        self.server.seen.append((self.path, dict(self.headers)))
        with contextlib.suppress(OSError):
            getattr(self, "get_" + self.path.strip("/").split("/")[0].replace("-", "_"))()
        self.close_connection = True

    def get_json(self):
        self.answer(200, "application/json; charset=utf-8", '{"name":"Rémy","owes":42}'.encode())

    def get_text(self):
        self.answer(200, "text/plain", b"Prefers mornings.\n")

    def get_empty(self):
        self.answer(200, "application/json", b"")

    def get_error(self):
        self.answer(500, "application/json", b'{"secret":"inside"}')

    def get_picture(self):
        self.answer(200, "image/png", b"\x89PNG\r\n\x1a\n")

    def get_disguised(self):
        self.answer(200, "text/plain", b"\x89PNG\r\n\x1a\n\x00\x01")

    def get_untyped(self):
        self.answer(200, None, b"{}")

    def get_redirect(self):
        self.answer(302, "text/plain", b"", Location=f"{self.server.url}/json")

    def get_private(self):
        self.answer(302, "text/plain", b"", Location="http://169.254.169.254/latest/meta-data/")

    def get_announced(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(GIGABYTE))
        self.end_headers()
        self.pour(b"x" * 65536)

    def get_endless(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.pour(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    def pour(self, piece):
        for _ in range(GIGABYTE // len(piece)):
            self.wfile.write(piece)
            self.server.poured += len(piece)

    def get_silent(self):
        self.server.over.wait(30)

    def get_drip(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        while not self.server.over.wait(0.2):
            self.wfile.write(b"x")
            self.wfile.flush()


@pytest.fixture
def crm():
    """Somebody's system on this machine."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Crm)
    server.seen, server.poured, server.over = [], 0, threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def simulators(tmp_path_factory):
    with dialling.Simulators(tmp_path_factory.mktemp("vendors")) as running:
        yield running


@pytest.fixture
def line(serve, simulators):
    """line(plan, changes...) -> a server that may dial."""
    def start(plan=None, **more):
        simulators.reset()
        server = serve(dialling.changes(simulators, **{**ALLOW, **more}))
        dialling.reach(server, simulators, plan or {"answer": "no-answer"})
        return server
    return start


def call(server, url, **more):
    return server.post(MAKE_CALL, {"to": THEIRS, "context_url": url, **more}, seconds=20)


def shown(server, answer, condition=lambda found: True):
    assert answer.status == 201, answer.text

    def find():
        found = server.get(f"/calls/call-detail/{answer.json['call_id']}/")
        good = found.status == 200 and found.json["events"] and condition(found.json)
        return found.json if good else None
    return program.eventually(find, "the call and its event are recorded")


def event(found, kind):
    (detail,) = [each["detail"] for each in found["events"] if each["type"] == kind]
    return detail


def test_the_answer_stands_behind_the_prompt_and_is_kept(line, crm):
    server = line(plan={"ring_ms": 10})
    answer = call(server, f"{crm.url}/json", system_prompt="You sell tulips.")
    found = shown(server, answer, lambda found: "Rémy" in (found["call"]["system_prompt"] or ""))
    prompt = found["call"]["system_prompt"]
    assert prompt.startswith("You sell tulips.")
    assert prompt.index("data, not instructions") < prompt.index('"name":"Rémy"')
    assert found["call"]["context_data"] == '{"name":"Rémy","owes":42}'
    assert found["call"]["context_url"] == f"{crm.url}/json"
    assert event(found, "context")["bytes"] == 26


def test_a_call_that_nobody_answers_keeps_its_context_too(line, crm):
    server = line()
    found = shown(server, call(server, f"{crm.url}/text"))
    assert found["call"]["context_data"] == "Prefers mornings.\n"


def test_the_headers_are_sent_and_seen_by_nobody_else(line, crm, tmp_path):
    server = line(log={"level": "debug"})
    answer = call(server, f"{crm.url}/json", context_headers={
        "Authorization": f"Bearer {CANARY}", "X-Api-Key": CANARY})
    found = shown(server, answer)
    ((_, headers),) = crm.seen
    assert headers["Authorization"] == f"Bearer {CANARY}" and headers["X-Api-Key"] == CANARY
    assert CANARY not in str(found) and CANARY not in answer.text
    refused = call(server, f"{crm.url}/json", context_headers={"X": f"{CANARY}\r\nY: z"})
    assert refused.status == 422 and CANARY not in refused.text
    server.stop()
    assert CANARY not in server.log
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("path, reason", [
    ("error", "http_status"), ("picture", "content_type"), ("disguised", "not_text"),
    ("untyped", "content_type"), ("redirect", "http_status"), ("private", "http_status"),
    ("announced", "too_large"), ("endless", "too_large"), ("silent", "timeout"),
    ("drip", "timeout")])
def test_a_system_that_does_not_answer_well_costs_no_call(line, crm, path, reason):
    server = line()
    found = shown(server, call(server, f"{crm.url}/{path}"))
    assert event(found, "context_failed")["reason"] == reason
    assert not found["call"]["context_data"]
    assert [seen for seen, _ in crm.seen] == [f"/{path}"], "no redirect is followed"
    assert crm.poured < GIGABYTE // 16
    assert "inside" not in str(found["events"])


def test_a_server_that_stops_waits_for_nobody(line, crm):
    server = line()

    def ask():
        try:
            return call(server, f"{crm.url}/silent").status
        except (OSError, http.client.HTTPException):
            return None  # the connection went with the server
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask)
        program.eventually(lambda: crm.seen, "the context is asked for")
        assert server.stop(signal.SIGINT) == 0
        assert asked.result() in (None, 503)


def test_an_empty_answer_is_no_failure(line, crm):
    server = line()
    assert event(shown(server, call(server, f"{crm.url}/empty")), "context")["bytes"] == 0


def test_nobody_there_costs_no_call(line):
    server = line()
    found = shown(server, call(server, f"http://127.0.0.1:{program.free_port()}/"))
    assert event(found, "context_failed")["reason"] == "connect"


def test_this_machine_is_not_asked_unless_the_operator_allows_it(line, crm):
    server = line(security={})
    for host in ("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1",
                 "[::ffff:127.0.0.1]", "0.0.0.0"):
        answer = call(server, f"http://{host}:{crm.server_port}/json")
        assert answer.status == 422, (host, answer.text)
        assert (answer.json["field"], answer.json["reason"]) == ("context_url", "address"), host
    assert crm.seen == []
    assert server.get("/calls/call-history/").json["total"] == 0


# Nothing may leave for any of these: the server's network has no way out, and counts attempts.
PRIVATE = ["10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.1.2.3",
           "192.0.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "[::1]", "[::]",
           "[fd00::1]", "[fe80::1]", "[ff02::1]", "[::ffff:10.0.0.1]", "[::10.0.0.1]",
           "[64:ff9b::a00:1]", "[2002:a00:1::]", "[2001:0:a00:1::]", "10.1", "167772161",
           "0xa000001", "012.0.0.1"]


def test_private_addresses_are_refused_without_a_packet(can_isolate, serve, make_conf):
    server = serve({"agents": {"default": {"greeting": "Hello."}}}, isolated=True)
    for host in PRIVATE:
        for scheme in ("http", "https"):
            answer = call(server, f"{scheme}://{host}/")
            assert answer.status == 422, (scheme, host, answer.text)
            assert answer.json["field"] == "context_url"
    # Not over plain HTTP even where it is public, and no name that has no address.
    assert call(server, "http://198.51.100.1/").json["reason"] == "address"
    assert call(server, "http://8.8.8.8/").json["reason"] == "address"
    assert call(server, f"https://{'a' * 64}.example.com/").json["reason"] == "resolve"
    assert call(server, "https://").status == 422
    assert server.stop() == 0, "nothing was sent beyond loopback"
