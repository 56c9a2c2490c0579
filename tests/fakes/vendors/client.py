# SPDX-License-Identifier: ISC
"""
What a test holds of the simulators: starts and ends the program `run`, and its control interface as
methods. Standard library only.

    with Simulators(folder) as vendors:
        vendors.set("deepgram", script=["hello", "goodbye"])
        vendors.fault("groq", "chat", "status", status=429, retry_after=1)
        ... vendors.url("groq") into the configuration, run the call ...
        assert vendors.received("groq", "chat")[0]["status"] == 429
"""
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.error
import urllib.request

RUN = pathlib.Path(__file__).resolve().parent / "run"
READY_S, END_S, WAIT_S = 30, 10, 30


class Refused(Exception):
    """The simulators do not know what the test asked for; the text lists what there is."""


class Control:
    """The control interface of simulators that run somewhere."""

    def __init__(self, control):
        self.control = control

    def ask(self, method, path, content=None, raw=False):
        """One control request."""
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(self.control + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
                body = answer.read()
        except urllib.error.HTTPError as problem:
            raise Refused(problem.read().decode()) from None
        return body if raw else json.loads(body)

    def set(self, vendor, **settings):
        return self.ask("PATCH", f"/settings/{vendor}", settings)

    def fault(self, vendor, endpoint, kind, **parameters):
        """Once, unless `times` says otherwise (None: always); `at` is "before" or "middle"."""
        wish = {"vendor": vendor, "endpoint": endpoint, "kind": kind, **parameters}
        return self.ask("POST", "/faults", wish)["id"]

    def heal(self, fault_id=None):
        """Takes back one fault, or all."""
        self.ask("DELETE", "/faults" + (f"?id={fault_id}" if fault_id else ""))

    def reset(self):
        self.ask("POST", "/reset")

    def received(self, vendor, endpoint=None, since=0, frames=False):
        """The requests of a vendor, oldest first."""
        path = f"/received?vendor={vendor}&since={since}"
        path += f"&endpoint={endpoint}" if endpoint else ""
        return self.ask("GET", path + ("&frames" if frames else ""))

    def frames(self, entry_id):
        """The frames of one WebSocket."""
        return self.ask("GET", f"/received/{entry_id}")["frames"]

    def sound(self, entry_id, whose="heard"):
        """The sound that a vendor heard or spoke in one request."""
        return self.ask("GET", f"/received/{entry_id}/{whose}", raw=True)

    def violations(self):
        """What clients did against the documentation, of all requests and calls."""
        entries = self.ask("GET", "/received")
        found = [f"{entry['vendor']} {entry['endpoint']}: {text}" for entry in entries
                 for text in entry["violations"]]
        return found + [f"call {call['sid']}: {text}" for call in self.ask("GET", "/twilio/calls")
                        for text in call["violations"]]

    def open_port(self, kind="plain", vendor=None):
        """{"port", "url", ...} of a port that can fail; kinds are in README.md."""
        return self.ask("POST", "/ports", {"kind": kind, "vendor": vendor})

    def change_port(self, port, kind):
        return self.ask("POST", f"/ports/{port}", {"kind": kind})

    def call_in(self, from_="+15551230001", **wish):
        """Somebody calls; gives a FakeCall."""
        return FakeCall(self, self.ask("POST", "/twilio/calls", {"from": from_, **wish})["sid"])

    def calls(self):
        """All calls of the carrier, also those that the application made."""
        return [FakeCall(self, call["sid"]) for call in self.ask("GET", "/twilio/calls")]


class Simulators(Control):
    """The program, running."""

    def __init__(self, folder, *options):
        """Certificates and standard error go into the folder."""
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.errors = self.folder / "simulators.log"
        with open(self.errors, "wb") as log:
            self.process = subprocess.Popen(
                ["/usr/bin/python3", RUN, "--folder", self.folder, *options],
                stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the simulators did not start: " + self.errors.read_text())
        self.ready = json.loads(line)
        self.ca = self.ready["ca"]
        super().__init__(self.ready["control"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends the program; raises if it had trouble of its own."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = "killed"
        self.process.stdout.close()
        trouble = self.errors.read_text(errors="replace")
        if status != 0 or "Traceback" in trouble:
            raise RuntimeError(f"the simulators ended with {status}: {trouble}")

    def url(self, vendor, over="plain"):
        """What to configure as `url`; over is "plain" or "tls"."""
        return self.ready["urls"][vendor][over]


class FakeCall:
    """One call of the fake carrier."""

    def __init__(self, simulators, sid):
        self.simulators, self.sid = simulators, sid

    def _ask(self, method, path, content=None, raw=False):
        return self.simulators.ask(method, f"/twilio/calls/{self.sid}{path}", content, raw)

    def show(self):
        return self._ask("GET", "")

    def say(self, **sound):
        """tone_ms, silence_ms, file or audio; wait=True until it is said."""
        return self._ask("POST", "/say", sound)

    def press(self, digits):
        self._ask("POST", "/press", {"digits": digits})

    def hang_up(self):
        self._ask("POST", "/hangup", {})

    def drop(self):
        """The media stream is lost."""
        self._ask("POST", "/drop", {})

    def heard(self):
        """mu-law of all that the caller heard, silence included."""
        return self._ask("GET", "/heard", raw=True)

    def events(self, name):
        return [each for each in self.show()["timeline"] if each["event"] == name]

    def wait(self, condition, what, seconds=WAIT_S):
        """Until condition(show()) is true; gives what show() said."""
        end = time.monotonic() + seconds
        while True:
            state = self.show()
            if condition(state):
                return state
            assert time.monotonic() < end, f"{what} did not happen: {state['timeline'][-20:]}"
            time.sleep(0.02)

    def wait_for(self, event, count=1, seconds=WAIT_S):
        return self.wait(lambda state: sum(each["event"] == event for each
                                           in state["timeline"]) >= count, event, seconds)

    def wait_end(self, seconds=WAIT_S):
        finals = ("completed", "busy", "failed", "no-answer", "canceled")
        return self.wait(lambda state: state["status"] in finals, "the end of the call", seconds)


def secret_hash(value):
    """How a secret looks in the headers of the journal."""
    return "sha256:" + hashlib.sha256(value.encode()).hexdigest()[:16]


def environment(simulators):
    """An environment in which Python programs trust the test authority."""
    return dict(os.environ, SSL_CERT_FILE=simulators.ca, REQUESTS_CA_BUNDLE=simulators.ca)
