# SPDX-License-Identifier: ISC
"""Programs on loopback that a server sends to: what they got, and how they misbehave."""
import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import threading
import time

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
ALLOW = {"security": {"private_allow": ["127.0.0.0/8"]}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):  # noqa: N802
        name = "GET " + self.path.strip("/").partition("/")[0]
        with self.server.lock:
            self.server.got.append(Delivery(name, self.path, dict(self.headers), b""))
        self.answer(200)
        self.close_connection = True

    def do_POST(self):  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name = self.path.strip("/").partition("/")[0]
        with self.server.lock:
            self.server.got.append(Delivery(name, self.path, dict(self.headers), body))
            plan = self.server.plans.get(name, [])
            status = plan.pop(0) if plan else 200
        with contextlib.suppress(OSError):
            if status == "hang":
                self.server.over.wait(60)
            elif status == "redirect":
                self.answer(307, Location=f"{self.server.url}/elsewhere")
            else:
                self.answer(status)
        self.close_connection = True

    def answer(self, status, **headers):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(b"{}")


class Delivery:
    def __init__(self, name, path, headers, body):
        self.name, self.path, self.body = name, path, body
        self.headers = {key.lower(): value for key, value in headers.items()}
        self.at = time.monotonic()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def id(self):
        return self.headers["webhook-id"]

    def is_signed(self, secret=SECRET):
        """As a receiver checks it."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        content = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        expected = "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
        is_fresh = abs(time.time() - int(self.headers["webhook-timestamp"])) < 300
        return is_fresh and any(hmac.compare_digest(expected, one)
                                for one in self.headers["webhook-signature"].split(" "))


class Receiver(http.server.ThreadingHTTPServer):
    """
    Takes POST at any path; the first part of the path is who is meant. `plans[name]` are statuses
    for the next requests, "hang" or "redirect" among them, then 200; `got` is what came.
    """

    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.got, self.plans, self.lock = [], {}, threading.Lock()
        self.over = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        self.shutdown()
        self.thread.join()
        self.server_close()

    def of(self, name, kind=None):
        with self.lock:
            return [one for one in self.got
                    if one.name == name and (not kind or one.json["type"] == kind)]
