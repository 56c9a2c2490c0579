# SPDX-License-Identifier: ISC
"""A server around the real master whose workers speak lines of text; see programs/line_worker.c."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time
import uuid

import program

LINE_SERVER = program.BUILD / "tests/line_server"
NOT_FOUND, CONFIG, CONFLICT, DENIED, TIMEOUT, CLOSED = -6, -8, -15, -12, -11, -5


class Connection:
    """One connection to a worker: a line out, a line back."""

    def __init__(self, address, seconds=20):
        self.socket = socket.create_connection(address, seconds)
        self.lines = self.socket.makefile("r", encoding="utf-8")

    def ask(self, line):
        self.socket.sendall(line.encode() + b"\n")
        answer = self.lines.readline()
        if not answer:
            raise ConnectionError(f"no answer to {line!r}")
        return answer.rstrip("\n")

    def status(self, line):
        """Of an answer "status text" just the status."""
        return int(self.ask(line).split(" ", 1)[0])

    def who(self):
        return json.loads(self.ask("who"))

    def close(self):
        self.lines.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        self.close()


class Master:
    def __init__(self, folder, binary=LINE_SERVER, **settings):
        assert pathlib.Path(binary).exists(), f"{binary} is not built: tests/run builds it"
        self.folder = pathlib.Path(folder)
        self.state = pathlib.Path(settings.get("state_dir", self.folder / "state"))
        self.conf = self.folder / "test.conf"
        self.log_path = self.folder / "log"
        self.binary = binary
        self.manager = program.Manager()
        self.mark = f"AICALLER_TEST={uuid.uuid4()}"
        self.settings = {"state_dir": self.state, "port": 0, "workers": 2, **settings}
        self.configure()
        self.process = None
        self.listen = None

    def configure(self, **changes):
        """Writes the configuration with changes that stay."""
        self.settings.update(changes)
        lines = [f"{key} = {value}\n" for key, value in self.settings.items()]
        self.conf.write_text("".join(lines), encoding="utf-8")

    def launch(self, **options):
        env = program.environment(self.folder, NOTIFY_SOCKET=self.manager.path,
                                  AICALLER_TEST=self.mark.partition("=")[2],
                                  **options.pop("env", {}))
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(self.binary), "serve", str(self.conf)], env=env, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, **options)
        return self

    def start(self, **options):
        self.launch(**options)
        program.eventually(lambda: self.count("READY") or self.process.poll() is not None,
                           f"ready\n{self.log}", 20)
        assert self.process.poll() is None, self.log
        return self

    @property
    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self):
        return self.process.pid

    def send(self, number):
        self.process.send_signal(number)

    def heard(self, key):
        return [message[key] for message in self.manager.listen() if key in message]

    def count(self, key):
        return len(self.heard(key))

    def logged(self, text, seconds=20):
        program.eventually(lambda: text in self.log, f"{text!r} is logged", seconds)

    def reload(self, seconds=20):
        """HUP; returns when the master has said how it ended."""
        before = self.count("READY")
        self.send(signal.SIGHUP)
        program.eventually(lambda: self.count("READY") > before, "the reload has ended", seconds)

    def control(self, kind, call="", body="", timeout_ms=20000):
        """(status, answer) of a request through the control socket."""
        result = subprocess.run(
            [str(self.binary), "control", str(self.state), kind, call, body, str(timeout_ms)],
            capture_output=True, text=True, check=False, timeout=60,
            env=program.environment(self.folder))
        assert not program.SANITIZER.search(result.stderr), result.stderr
        status, _, answer = result.stdout.rstrip("\n").partition(" ")
        assert result.returncode == 0, result.stdout
        return int(status), answer

    def info(self):
        status, answer = self.control("workers.list")
        assert status == 0
        return json.loads(answer)

    def workers(self, state=None):
        return [worker for worker in self.info()["workers"] if state in (None, worker["state"])]

    def pids(self):
        return {worker["pid"] for worker in self.workers()}

    def open_files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def lowest_free_file(self):
        taken = {int(name) for name in os.listdir(f"/proc/{self.pid}/fd")}
        return next(number for number in range(len(taken) + 1) if number not in taken)

    def processor_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rsplit(")")[-1]
        ticks = sum(int(field) for field in fields.split()[11:13])
        return ticks / os.sysconf("SC_CLK_TCK")

    @property
    def address(self):
        if not self.listen:
            host, _, port = self.info()["listen"][0].rpartition(":")
            self.listen = (host.strip("[]"), int(port))
        return self.listen

    def connect(self):
        return Connection(self.address)

    def connect_to(self, worker=None, generation=None):
        """A connection that a certain worker happened to accept."""
        for _ in range(2000):
            connection = self.connect()
            who = connection.who()
            if worker in (None, who["worker"]) and generation in (None, who["generation"]):
                return connection
            connection.close()
        raise AssertionError(f"worker {worker} of generation {generation} accepts nothing")

    def events(self):
        """What the workers noted: lists of pid, generation, event and text."""
        path = self.state / "events"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [line.split(" ", 3) for line in lines]

    def noted(self, event):
        return [(int(line[0]), line[3]) for line in self.events() if line[2] == event]

    def wait(self, seconds=20):
        return self.process.wait(seconds)

    def finish(self):
        """Ends what the test has left running and looks for what must not be there."""
        if self.process and self.process.poll() is None:
            self.send(signal.SIGCONT)
            self.send(signal.SIGINT)
            self.process.wait(20)
        deadline = time.monotonic() + 2
        while program.processes(self.mark) and time.monotonic() < deadline:
            time.sleep(0.02)
        left = program.processes(self.mark)
        for pid, _ in left:
            os.kill(pid, signal.SIGKILL)
        self.manager.close()
        assert not program.SANITIZER.search(self.log), self.log
        return left


class Masters:
    """Makes masters for one test; whatever they start has to end with it."""

    def __init__(self, folder):
        self.folder = folder
        self.made = []

    def __call__(self, **settings):
        folder = self.folder / f"master{len(self.made)}"
        folder.mkdir()
        self.made.append(Master(folder, **settings))
        return self.made[-1]

    def finish(self):
        left = [process for each in self.made for process in each.finish()]
        assert not left, f"processes were left behind: {left}"


class Stream:
    """Threads that connect, ask and hang up without a pause; every connection must be answered."""

    def __init__(self, address, threads=4):
        self.address = address
        self.answered = 0
        self.failed = []
        self.generations = set()
        self.is_over = False
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run) for _ in range(threads)]

    def run(self):
        while not self.is_over:
            try:
                with Connection(self.address) as connection:
                    generation = connection.who()["generation"]
                with self.lock:
                    self.answered += 1
                    self.generations.add(generation)
            except OSError as reason:
                with self.lock:
                    self.failed.append(repr(reason))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *reason):
        self.is_over = True
        for thread in self.threads:
            thread.join()
