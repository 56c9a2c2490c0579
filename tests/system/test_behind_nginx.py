# SPDX-License-Identifier: ISC
"""
Calls through Debian's nginx, with the configuration that docs/operations.md gives: TLS outside,
plain HTTP to the server, and WebSockets that outlive a silence.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys

import pytest

import dialling
import program

sys.path.insert(0, str(program.ROOT / "tests/fakes"))

from vendors.core.certificates import Authority  # noqa: E402

HOST = "voice.example.com"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
MAIN = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{text}
}}
"""


def documented():
    """The configuration as the page has it."""
    page = (program.ROOT / "docs/operations.md").read_text(encoding="utf-8")
    return re.search(r"```nginx\n(.*?)```", page, re.DOTALL)[1]


class Nginx:
    """nginx with the documented text; only ports, certificate and the short time are others."""

    def __init__(self, folder, upstream):
        self.port, self.plain_port = program.free_port(), program.free_port()
        self.authority = Authority(folder / "authority")
        self.authority.issue(HOST, names=f"DNS:{HOST}, DNS:localhost, IP:127.0.0.1")
        text = documented()
        for old, new in (
                ("listen 80;", f"listen 127.0.0.1:{self.plain_port};"),
                ("listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;"),
                (f"server_name {HOST};", f"server_name {HOST} localhost;"),
                (f"/etc/letsencrypt/live/{HOST}/fullchain.pem",
                 str(self.authority.folder / f"{HOST}.pem")),
                (f"/etc/letsencrypt/live/{HOST}/privkey.pem",
                 str(self.authority.folder / f"{HOST}.key")),
                ("http://127.0.0.1:8000", f"http://127.0.0.1:{upstream}"),
                # What a silence of the media stream would be cut off by, were it the same.
                ("proxy_read_timeout 60s;", "proxy_read_timeout 1s;")):
            assert old in text, f"{old} is not in the page"
            text = text.replace(old, new)
        user = "user root;" if os.geteuid() == 0 else ""
        self.folder = folder
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder, text=text, user=user),
                                           encoding="utf-8")
        self.command = [NGINX, "-p", folder, "-e", folder / "error.log", "-c",
                        folder / "nginx.conf"]
        self.process = None

    def start(self):
        tried = subprocess.run([*self.command, "-t"], capture_output=True, text=True, check=False)
        assert tried.returncode == 0, tried.stderr
        assert "[warn]" not in tried.stderr, tried.stderr
        self.process = subprocess.Popen(self.command)
        program.eventually(self.listens, "nginx listens")
        return self

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(20)

    @property
    def access(self):
        return (self.folder / "access.log").read_text(encoding="utf-8")


@pytest.fixture
def proxied(serve, make_conf, vendors, tmp_path):
    """proxied(name) -> (server, nginx, conf): reached as https://name."""
    if not NGINX:
        pytest.skip("nginx is not installed")
    made = []

    def start(name=HOST):
        folder = pathlib.Path(tmp_path / "nginx")
        folder.mkdir()
        path, port = make_conf(dialling.changes(
            vendors, security={"trusted_proxies": ["127.0.0.1"]},
            server={"ca_file": str(folder / "authority/ca.pem")}))
        nginx = Nginx(folder, port)
        made.append(nginx)
        public = f"https://{name}" if name == HOST else f"https://{name}:{nginx.port}"
        path.write_text(path.read_text().replace(dialling.PUBLIC, public))
        server = serve(conf=(path, port))
        nginx.start()
        vendors.set("twilio", ca=str(nginx.authority.certificate),
                    gateways={HOST: f"https://127.0.0.1:{nginx.port}"})
        return server, nginx, path
    yield start
    for nginx in made:
        nginx.stop()


def test_a_call_goes_through_nginx_and_outlives_a_silence(proxied, vendors):
    """
    `location /` cuts off after a second without a byte here; the sound has a place of its own. The
    carrier sends a frame every second and a half, as over a line that stutters.
    """
    server, nginx, _ = proxied()
    call = vendors.call_in(url=f"https://{HOST}/calls/inbound/", plan={"frame_ms": 1500})
    call.wait_for("heard")
    call.say(tone_ms=0, silence_ms=3500, wait=True)
    call.hang_up()
    assert call.wait_end()["status"] == "completed"
    shown = call.show()
    assert shown["violations"] == [], shown
    assert len(shown["streams"]) == 1, shown
    assert "GET /media-stream/ HTTP/1.1\" 101" in nginx.access, nginx.access
    [listed] = program.eventually(
        lambda: [each for each in server.get("/calls/call-history/").json["calls"]
                 if each["status"] == "completed"], "the call is stored as completed")
    assert listed["duration_s"] >= 3


def test_who_comes_through_nginx_needs_a_key(proxied, aicaller):
    server, nginx, path = proxied("localhost")

    def status(url, *more):
        return subprocess.run(
            ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", "--cacert",
             nginx.authority.certificate, *more, url], capture_output=True, text=True,
            check=True).stdout.split()
    base = f"https://localhost:{nginx.port}"
    assert status(f"{base}/calls/health/") == ["200"]
    # Loopback alone would do without nginx in between.
    assert server.get("/calls/call-history/").status == 200
    assert status(f"{base}/calls/call-history/") == ["403"]
    key = aicaller("key", "add", "crm", "-c", path).stdout.split()[-1]
    assert status(f"{base}/calls/call-history/") == ["401"]
    assert status(f"{base}/calls/call-history/", "-H", "X-Forwarded-For: 127.0.0.1") == ["401"]
    assert status(f"{base}/calls/call-history/", "-H", f"Authorization: Bearer {key}") == ["200"]
    moved = status(f"http://localhost:{nginx.plain_port}/calls/health/")
    assert moved == ["301", "https://localhost/calls/health/"]


def test_doctor_finds_the_way_through_nginx_good(proxied, aicaller):
    server, nginx, path = proxied("localhost")
    path.parent.joinpath("state0").chmod(0o700)
    found = json.loads(aicaller("doctor", "--json", "-c", path).stdout)["findings"]
    [public] = [each for each in found if each["what"] == "public_url"]
    assert public["state"] == "ok", public
    assert f"https://localhost:{nginx.port}/calls/health/ is answered by aicaller" in public["seen"]
    # The proxy without its server.
    server.stop()
    found = json.loads(aicaller("doctor", "--json", "-c", path).stdout)["findings"]
    [public] = [each for each in found if each["what"] == "public_url"]
    assert public["state"] == "warn" and "status 502" in public["seen"]
    assert "start the server" in public["remedy"]
    # An authority that nobody knows.
    path.write_text(path.read_text().replace("authority/ca.pem", "nginx.conf"))
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", nginx.folder / "other.pem")
    path.write_text(path.read_text().replace("nginx/nginx.conf", "nginx/other.pem"))
    found = json.loads(aicaller("doctor", "--json", "-c", path).stdout)["findings"]
    [public] = [each for each in found if each["what"] == "public_url"]
    assert "TLS fails" in public["seen"], public
