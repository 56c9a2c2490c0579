# SPDX-License-Identifier: ISC
"""
`aicaller tunnel`. The real clients need an account and the Internet: these are stand-ins that write
what the documentation of ngrok and cloudflared says that they write.
"""
import http.server
import json
import threading

import pytest

import dialling
import program

TOKENS = {"TWILIO_AUTH_TOKEN": dialling.TOKEN}
NGROK_URL = "https://odd-words.ngrok-free.app"
CLOUDFLARED_URL = "https://some-odd-words.trycloudflare.com"
STAND_IN = """#!/usr/bin/python3
# A stand-in for {name}, made by a test.
import json, os, signal, sys
with open({note!r}, "w", encoding="utf-8") as note:
    json.dump({{"pid": os.getpid(), "words": sys.argv[1:], "environment": dict(os.environ)}}, note)
print({line!r}, file=sys.{stream}, flush=True)
if {stays}:
    while True:
        signal.pause()
"""
NGROK_LINE = json.dumps({"lvl": "info", "msg": "started tunnel", "name": "command_line",
                         "addr": "http://127.0.0.1", "url": NGROK_URL})
CLOUDFLARED_LINE = f"2026-01-01T00:00:00Z INF |  {CLOUDFLARED_URL}      |"


@pytest.fixture
def stand_in(tmp_path):
    """stand_in("ngrok", line) -> where it writes how it was started. PATH is tmp_path / "bin"."""
    notes = []

    def make(name, line, stays=True):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        notes.append(tmp_path / f"{name}.json")
        file = folder / name
        file.write_text(STAND_IN.format(name=name, note=str(notes[-1]), line=line, stays=stays,
                                        stream="stderr" if name == "cloudflared" else "stdout"))
        file.chmod(0o755)
        return notes[-1]
    yield make
    left = [note for note in notes if note.exists() and lives(json.loads(note.read_text())["pid"])]
    assert not left, "a tunnel client was left behind"


def lives(pid):
    try:
        program.os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def is_free(port):
    with program.socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def tunnel(tmp_path, path, *words, **options):
    """`aicaller tunnel`, with a local API that nobody answers unless the words name one."""
    command = [program.BUILD / "aicaller", "tunnel", "-c", path, "--api",
               f"http://127.0.0.1:{program.free_port()}", *words]
    return program.subprocess.Popen(
        [str(word) for word in command], stdin=program.subprocess.DEVNULL,
        stdout=program.subprocess.PIPE, stderr=program.subprocess.PIPE, text=True,
        env=program.environment(tmp_path, **{"PATH": str(tmp_path / "bin"), **options}))


@pytest.mark.parametrize("name,line,url,words", [
    ("ngrok", NGROK_LINE, NGROK_URL, ["http", "http://127.0.0.1:{}", "--log=stdout",
                                      "--log-format=json"]),
    ("cloudflared", CLOUDFLARED_LINE, CLOUDFLARED_URL, ["tunnel", "--no-autoupdate", "--url",
                                                        "http://127.0.0.1:{}"])])
def test_a_tunnel_client_is_started_and_stopped(make_conf, tmp_path, stand_in, name, line, url,
                                                words):
    note = stand_in(name, line)
    path, port = make_conf()
    process = tunnel(tmp_path, path, "--json", GROQ_API_KEY="gsk_secret0123456789",
                     NGROK_AUTHTOKEN="token")
    told = json.loads(process.stdout.readline())
    started = json.loads(note.read_text())
    assert told == {"public_url": url, "client": name, "pid": started["pid"]}
    assert started["words"] == [word.format(port) for word in words]
    # The vendors' keys are none of its business.
    assert "GROQ_API_KEY" not in started["environment"]
    assert started["environment"]["NGROK_AUTHTOKEN"] == "token"
    assert lives(started["pid"])
    process.terminate()
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 0, stderr
    assert not lives(started["pid"])


def test_a_call_comes_through_a_server_that_was_given_the_tunnels_address(make_conf, tmp_path,
                                                                         stand_in, output, vendors):
    note = stand_in("ngrok", NGROK_LINE)
    path, port = make_conf({
        "providers": {"twilio": {
            "plugin": "twilio.so", "account_sid": dialling.ACCOUNT, "from": dialling.OURS,
            "auth_token": "env:TWILIO_AUTH_TOKEN", "url": vendors.url("twilio")}},
        "agents": {"default": {"telephony": ["twilio"], "greeting": "Hello."}}})
    server = program.Server(path, port, tmp_path, output / "serve.log", **TOKENS)
    server.command = [program.BUILD / "aicaller", "tunnel", "-c", path, "--api",
                      f"http://127.0.0.1:{program.free_port()}", "--", "serve"]
    server.environment["PATH"] = str(tmp_path / "bin")
    server.start()
    started = json.loads(note.read_text())
    try:
        # The signature is over the public address: another one would be refused.
        vendors.set("twilio", gateways={"odd-words.ngrok-free.app": server.url})
        call = vendors.call_in(url=f"{NGROK_URL}/calls/inbound/")
        call.wait_for("heard")
        call.hang_up()
        assert call.wait_end()["status"] == "completed"
        server.reload()
        again = vendors.call_in(url=f"{NGROK_URL}/calls/inbound/")
        again.wait_for("heard")
        again.hang_up()
        again.wait_end()
    finally:
        assert server.stop() == 0, server.log
    assert not lives(started["pid"])
    assert vendors.violations() == []


def test_a_server_ends_when_its_tunnel_does(make_conf, tmp_path, stand_in):
    note = stand_in("ngrok", NGROK_LINE)
    path, port = make_conf()
    process = tunnel(tmp_path, path, "--", "serve")
    assert process.stdout.readline().strip() == NGROK_URL
    program.eventually(lambda: not is_free(port), "the server listens")
    program.os.kill(json.loads(note.read_text())["pid"], program.signal.SIGTERM)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 1 and "its address is gone" in stderr
    assert is_free(port)


def test_an_ngrok_that_runs_already_is_found_by_its_port(make_conf, tmp_path):
    path, port = make_conf()

    class Api(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # pylint: disable=invalid-name
            body = json.dumps({"tunnels": [
                {"public_url": "https://wrong.ngrok.app", "config": {"addr": "http://localhost:1"}},
                {"public_url": NGROK_URL, "config": {"addr": f"http://localhost:{port}"}},
            ]}).encode() if self.path == "/api/tunnels" else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):  # pylint: disable=arguments-differ
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api) as api:
        threading.Thread(target=api.serve_forever, daemon=True).start()
        where = f"http://127.0.0.1:{api.server_port}"
        process = tunnel(tmp_path, path, "--api", where)
        stdout, stderr = process.communicate(timeout=20)
        # A command gets the address too, and its exit status is the tunnel's.
        shown = tunnel(tmp_path, path, "--api", where, "--", "config", "show", "--nonsense")
        shown_text, _ = shown.communicate(timeout=20)
        api.shutdown()
    assert process.returncode == 0 and stdout.strip() == NGROK_URL
    assert f"AICALLER_PUBLIC_URL={NGROK_URL}" in stderr
    assert shown.returncode == 2 and shown_text.strip() == NGROK_URL


def test_what_is_wrong_with_a_tunnel_is_said(make_conf, tmp_path, stand_in):
    path, _ = make_conf()
    none = tunnel(tmp_path, path)
    _, stderr = none.communicate(timeout=20)
    assert none.returncode == 1 and "no tunnel client in PATH" in stderr
    stand_in("ngrok", json.dumps({"lvl": "eror", "err": "authentication failed: no token"}),
             stays=False)
    refused = tunnel(tmp_path, path)
    _, stderr = refused.communicate(timeout=20)
    assert refused.returncode == 1 and "authentication failed: no token" in stderr
    other = tunnel(tmp_path, path, "--client", "cloudflared")
    _, stderr = other.communicate(timeout=20)
    assert other.returncode == 1 and "no tunnel client in PATH" in stderr
    wrong = tunnel(tmp_path, path, "--client", "localtunnel")
    _, stderr = wrong.communicate(timeout=20)
    assert wrong.returncode == 2 and "ngrok or cloudflared" in stderr
