# SPDX-License-Identifier: ISC
"""Runs build/aicaller for tests: its commands, and a server that leaves nothing behind."""
import concurrent.futures
import ctypes
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("AICALLER_BUILD", ROOT / "build"))
ISOLATED = [sys.executable, ROOT / "tests/system/isolated"]
# What a sanitizer writes when it has found something.
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:")
INHERITED = ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")


def eventually(question, what, seconds=10):
    """Asks until the answer is true, and returns it; fails the test after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"after {seconds} s still not: {what}"
        time.sleep(0.02)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def environment(home, **more):
    """A clean environment: no keys, proxies or service manager of whoever runs the tests."""
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "HOME": str(home), **more}


def processes(mark):
    """(pid, command line) of every living process that carries the mark in its environment."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                found.append((int(folder.name), words.decode(errors="replace").strip()))
        except OSError:
            continue  # it has ended meanwhile, or is not ours to look into
    return found


class Response:
    def __init__(self, answer):
        self.status = answer.status
        self.headers = answer.headers
        self.body = answer.read()

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)


class Manager:
    """Stands in for the service manager: hears what the server says with sd_notify."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="aicaller-")
        self.path = f"{self.folder}/notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.heard = []

    def listen(self):
        """Everything heard so far, a dict for each message."""
        try:
            while True:
                text = self.socket.recv(4096).decode()
                self.heard.append(dict(line.split("=", 1) for line in text.splitlines()))
        except BlockingIOError:
            return self.heard

    def close(self):
        self.socket.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Server:
    """
    `aicaller serve` in a session of its own. `stop` returns its exit status and fails the test if
    a process, or the port, is still there afterwards, or a sanitizer complained.
    """

    def __init__(self, conf, port, home, log, arguments=(), program=None, isolated=False, **more):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log_path = pathlib.Path(log)
        self.isolated = isolated
        self.mark = f"AICALLER_TEST={uuid.uuid4()}"
        self.manager = Manager()
        self.status = None
        self.command = [*(ISOLATED if isolated else []), program or BUILD / "aicaller", "serve",
                        "-c", conf, *arguments]
        self.environment = environment(home, **more, NOTIFY_SOCKET=self.manager.path,
                                       AICALLER_TEST=self.mark.partition("=")[2])
        self.process = None

    def start(self, seconds=20):
        """Returns when the server has said that it is ready."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in self.command], env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        eventually(lambda: self.is_ready() or self.process.poll() is not None,
                   f"the server is ready\n{self.log}", seconds)
        assert self.process.poll() is None, \
            f"the server ended with status {self.process.returncode}:\n{self.log}"
        return self

    def is_ready(self):
        return any(message.get("READY") == "1" for message in self.manager.listen())

    @property
    def pid(self):
        """Of the master; that of its wrapper when isolated, which passes signals on."""
        return self.process.pid

    @property
    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def processes(self):
        return processes(self.mark)

    def send(self, number):
        self.process.send_signal(number)

    def reload(self, seconds=20):
        """HUP; returns when a new generation serves."""
        before = len(self.manager.listen())
        self.send(signal.SIGHUP)

        def has_reloaded():
            since = self.manager.listen()[before:]
            begun = [at for at, message in enumerate(since) if message.get("RELOADING") == "1"]
            return begun and any("READY" in message for message in since[begun[0]:])
        eventually(has_reloaded, f"the server has reloaded\n{self.log}", seconds)

    def stop(self, number=signal.SIGTERM, seconds=20):
        """Sends the signal, waits for the end and returns the exit status."""
        if self.status is None:
            if self.process.poll() is None:
                self.send(number)
            try:
                self.status = self.process.wait(seconds)
            finally:
                left = self.put_away()
            assert not left, f"the server left processes behind: {left}"
            assert not self.port_is_taken(), f"port {self.port} is still taken"
            assert not SANITIZER.search(self.log), self.log
        return self.status

    def put_away(self):
        """Ends whatever is still there; returns what that was."""
        deadline = time.monotonic() + 1
        while self.processes() and time.monotonic() < deadline and self.process.poll() is not None:
            time.sleep(0.02)
        left = self.processes()
        for pid, _ in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()
        self.manager.close()
        return left

    def port_is_taken(self):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
                return False
            except OSError:
                return True

    def connect(self, seconds=10):
        """A TCP connection to the server, also into its own network when it is isolated."""
        if not self.isolated:
            return socket.create_connection(("127.0.0.1", self.port), seconds)

        def inside():
            # Only this thread moves; the socket it makes stays where it was made.
            with open(f"/proc/{self.pid}/ns/net", "rb") as place:
                enter_network(place.fileno())
            return socket.create_connection(("127.0.0.1", self.port), seconds)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            return pool.submit(inside).result()

    def request(self, method, path, body=None, headers=None, seconds=10):
        """`body` may be bytes, or anything else to be sent as JSON."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        connection.sock = self.connect(seconds)
        try:
            connection.request(method, path, body, headers)
            return Response(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, body, **options)


def enter_network(descriptor):
    clone_newnet = 0x40000000
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(descriptor, clone_newnet) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def run(arguments, home, program=None, isolated=False, seconds=60, text=None, **more):
    """One command of aicaller, to its end."""
    command = [*(ISOLATED if isolated else []), program or BUILD / "aicaller", *arguments]
    result = subprocess.run([str(word) for word in command], env=environment(home, **more),
                            input=text, stdin=None if text else subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=seconds, check=False)
    assert not SANITIZER.search(result.stderr), result.stderr
    return result
