# SPDX-License-Identifier: ISC
"""
Without an API key the API answers this machine alone: not a proxy or tunnel on it, not a page from
elsewhere, not another machine.
"""
import concurrent.futures
import fcntl
import http.client
import socket
import struct

import pytest

import program

JSON = {"Content-Type": "application/json"}
# All that tells or does something, and a body that would be good.
PATHS = [("GET", "/calls/call-history/", None), ("GET", "/calls/call-detail/x/", None),
         ("GET", "/calls/agents/", None), ("GET", "/calls/voice-test/", None),
         ("GET", "/calls/test/", None), ("GET", "/static/style.css", None),
         ("POST", "/calls/test-chat/", b'{"message":"hello"}'),
         ("POST", "/calls/test-voice/", b'{"message":"hello"}'),
         ("POST", "/calls/voice-test/token/", b"{}"),
         ("POST", "/calls/01a203c4-5150-7038-b7cb-7a34a8e1fa27/hangup/", b"")]
FOREIGN = [("Host", "voice.example.com"), ("Host", "127.0.0.1.example.com"), ("Host", "192.0.2.1"),
           ("Host", "localhost.example.com:8000"), ("Host", "127.0.0.1@example.com"),
           ("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-Host", "localhost"),
           ("X-Forwarded-Proto", "https"), ("X-Forwarded-Whatever", ""),
           ("Forwarded", "for=127.0.0.1"), ("Via", "1.1 proxy"), ("X-Real-IP", "127.0.0.1"),
           ("Origin", "http://example.com"), ("Origin", "null"), ("Origin", "http://127.0.0.1:1"),
           ("Origin", "https://localhost"), ("Origin", "")]


@pytest.mark.parametrize("header", FOREIGN, ids=lambda header: "=".join(header))
def test_who_does_not_come_from_this_machine_itself_is_refused(shared_server, header):
    for method, path, body in PATHS:
        answer = shared_server.request(method, path, body, {**JSON, header[0]: header[1]})
        if header == ("Origin", "") and answer.status in (200, 201, 404):
            continue  # an empty one is taken for none, or refused
        assert answer.status in (400, 403), (path, answer.text)
        if answer.status == 403:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert "this machine" in answer.json["detail"]


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_this_machine_has_several_names(shared_server, name):
    for host in (name, f"{name}:{shared_server.port}"):
        answer = shared_server.get("/calls/call-history/", headers={"Host": host})
        assert answer.status == 200, host
        answer = shared_server.post("/calls/voice-test/token/", {},
                                    headers={"Host": host, "Origin": f"http://{host}"})
        assert answer.status == 201, host


@pytest.mark.parametrize("header", FOREIGN[:6], ids=lambda header: "=".join(header))
def test_health_is_public_but_tells_strangers_no_details(shared_server, header):
    answer = shared_server.get("/calls/health/", headers=dict([header]))
    assert answer.status == 200
    assert set(answer.json) == {"status", "instance"} and answer.json["status"] == "ok"


def test_what_was_refused_has_not_been_done(shared_server):
    before = shared_server.get("/calls/call-history/").json["total"]
    for header in FOREIGN:
        shared_server.request("POST", "/calls/test-chat/", b'{"message":"hello"}',
                              {**JSON, header[0]: header[1] or "http://example.com"})
    assert shared_server.get("/calls/health/").json["active_calls"] == 0
    assert shared_server.get("/calls/call-history/").json["total"] == before


def test_a_refusal_tells_other_pages_nothing(shared_server):
    answer = shared_server.get("/calls/call-history/", headers={"Origin": "http://example.com"})
    assert answer.status == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def from_outside(server, address):
    """A connection from an address that is no loopback one, in the server's own network."""
    siocsifaddr = 0x8916

    def inside():
        with open(f"/proc/{server.pid}/ns/net", "rb") as place:
            program.enter_network(place.fileno())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            packed = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))
            fcntl.ioctl(any_socket, siocsifaddr, struct.pack("16s16s8x", b"lo:1", packed))
        return socket.create_connection((address, server.port), 10)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(inside).result()


@pytest.mark.parametrize("listen", ["0.0.0.0", "::"])
def test_another_machine_is_refused_whatever_it_calls_us(can_isolate, serve, listen):
    server = serve({"server": {"listen": listen}}, isolated=True)
    for host in ("localhost", "127.0.0.1", "192.0.2.7"):
        for method, path, body in [*PATHS, ("GET", "/calls/health/", None)]:
            connection = http.client.HTTPConnection("localhost", server.port)
            connection.sock = from_outside(server, "192.0.2.7")
            connection.request(method, path, body, {**JSON, "Host": host})
            answer = program.Response(connection.getresponse())
            connection.close()
            if path == "/calls/health/":
                assert set(answer.json) == {"status", "instance"} and answer.json["status"] == "ok"
            else:
                assert answer.status == 403, (host, path)
    assert server.get("/calls/call-history/").status == 200


def test_health_counts_what_was_refused(serve):
    server = serve({"server": {"workers": 2}})

    def counted():
        return server.get("/calls/health/").json["counters"]
    assert set(counted()) == {"sound", "calls", "viewers", "requests"}
    assert not any(counted()["requests"].values())
    for _ in range(8):  # of whichever worker
        assert server.get("/calls/call-history/", headers={"X-Forwarded-For": "203.0.113.5"}
                          ).status == 403
    for _ in range(3):
        assert server.post("/calls/make-call/", {"to": "+12015550123", "agent": "nobody"}
                           ).status == 404
    requests = counted()["requests"]
    assert (requests["loopback-only"], requests["no-agent"]) == (8, 3)
    assert not counted()["sound"]["lost_marks"]
