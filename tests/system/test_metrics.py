# SPDX-License-Identifier: ISC
"""
/metrics: one answer for all workers, counters that outlive them, numbers that agree with the
records; docs/metrics.md, the dashboard and the alert rules speak of what is really there.
"""
import json
import os
import re
import shutil
import signal
import subprocess

import pytest

import dialling
import program
from socket_caller import SocketCaller

ELSEWHERE = {"X-Forwarded-For": "203.0.113.5", "Host": "voice.example.com"}
DASHBOARD = program.ROOT / "packaging/grafana/aicaller.json"
ALERTS = program.ROOT / "packaging/prometheus/alerts.yml"
SAMPLE = re.compile(r'([a-z_]+)(?:\{(.*)\})? (-?\d+(?:\.\d+)?)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


class Page:
    """families: name -> (type, help); samples: (name, labels) -> value."""

    def __init__(self, text):
        self.text = text
        self.families = {}
        self.samples = {}
        for line in text.splitlines():
            if line.startswith("#"):
                self.take_comment(line)
            else:
                self.take_sample(line)

    def take_comment(self, line):
        _, kind, name, rest = line.split(" ", 3)
        if kind == "HELP":
            assert name not in self.families, f"{name} comes twice"
            self.families[name] = (None, rest)
        else:
            assert kind == "TYPE" and self.last == name, line
            self.families[name] = (rest, self.families[name][1])

    def take_sample(self, line):
        found = SAMPLE.fullmatch(line)
        assert found, f"not a sample: {line}"
        name, labels = found[1], tuple(LABEL.findall(found[2] or ""))
        assert self.family_of(name) == self.last, f"{line} stands behind {self.last}"
        assert (name, labels) not in self.samples, f"{line} comes twice"
        self.samples[name, labels] = float(found[3])

    @property
    def last(self):
        return next(reversed(self.families))

    def family_of(self, name):
        """Of the parts of a histogram: the histogram."""
        for ending in ("_bucket", "_sum", "_count"):
            base = name.removesuffix(ending)
            if base != name and self.families.get(base, ("",))[0] == "histogram":
                return base
        return name

    def value(self, name, **labels):
        """The sum of the samples that have these labels."""
        return sum(value for (found, its), value in self.samples.items()
                   if found == name and labels.items() <= dict(its).items())

    def counters(self):
        return {key: value for key, value in self.samples.items()
                if self.families[self.family_of(key[0])][0] in ("counter", "histogram")}

    def labels(self, family):
        return {label for name, its in self.samples for label, _ in its
                if self.family_of(name) == family and label != "le"}


def scrape(server):
    answer = server.get("/metrics")
    assert answer.status == 200, answer.text
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Page(answer.text)


def say(server, message="I would like an appointment", **more):
    answer = server.request("POST", "/calls/test-chat/", {"message": message, **more}, seconds=30)
    assert answer.status == 200, answer.text
    return answer.json


def eventually(server, condition, what):
    def look():
        page = scrape(server)
        return page if condition(page) else None
    return program.eventually(look, what)


def turns_are(count):
    return lambda page: page.value("aicaller_turns_total") == count


def workers(server):
    return {pid for pid, _ in server.processes() if pid != server.pid}


def promtool(*arguments, text=None):
    if not shutil.which("promtool"):
        pytest.skip("promtool (of Debian's package prometheus) is not installed")
    result = subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True,
                            timeout=60, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert not result.stderr.strip(), result.stderr


def test_whichever_worker_answers_it_answers_for_all(serve):
    server = serve({"server": {"workers": 2}})
    for _ in range(6):
        say(server)
    page = eventually(server, turns_are(6), "all turns are counted")
    assert page.value("aicaller_workers") == 2
    assert page.value("aicaller_live_calls") == 6
    assert page.value("aicaller_worker_live_calls") == 6
    assert page.value("aicaller_turn_stage_seconds_count", stage="llm", provider="script") == 6
    assert page.value("aicaller_turn_stage_seconds_bucket", stage="llm", le="+Inf") == 6
    each = [value for (name, _), value in page.samples.items()
            if name == "aicaller_worker_live_calls"]
    assert len(each) == 2 and min(each) > 0, "both workers had conversations"
    for _ in range(10):
        assert turns_are(6)(scrape(server))


def test_counters_outlive_their_workers(serve):
    server = serve({"server": {"workers": 2}})
    for _ in range(6):
        say(server)
    before = eventually(server, turns_are(6), "all turns are counted")
    for pid in list(workers(server)):
        os.kill(pid, signal.SIGKILL)
        program.eventually(lambda gone=pid: gone not in workers(server) and
                           len(workers(server)) == 2, "it is replaced")
    after = eventually(server, lambda page: page.value("aicaller_workers") == 2, "both serve")
    assert turns_are(6)(after)
    now = after.counters()
    assert [key for key, value in before.counters().items() if now[key] < value] == []
    say(server)
    eventually(server, turns_are(7), "what comes later is added")


def test_a_reload_keeps_the_counters(serve):
    server = serve()
    say(server)
    eventually(server, turns_are(1), "the turn is counted")
    started = scrape(server).value("aicaller_start_time_seconds")
    server.reload()
    say(server)
    page = eventually(server, turns_are(2), "both generations count")
    assert page.value("aicaller_start_time_seconds") == started


def test_a_server_without_workers_has_them_as_well(serve):
    server = serve(arguments=["--single"])
    say(server)
    page = eventually(server, turns_are(1), "the turn is counted")
    assert page.value("aicaller_workers") == 1
    assert page.value("aicaller_cpu_seconds_total") > 0
    assert page.value("aicaller_worker_resident_memory_bytes") > 1e6


def test_a_spoken_call_is_counted_with_its_stages_and_its_end(serve):
    server = serve()
    with SocketCaller(server) as caller:
        caller.until(lambda: caller.sound, "the agent greets")
        assert scrape(server).value("aicaller_live_calls") == 1
        caller.socket.send({"type": "text", "text": "I need an appointment"})
        caller.until(lambda: caller.noted("heard", turn=1), "the answer is heard")
        caller.hang_up()
        page = eventually(server, lambda page: page.value(
            "aicaller_calls_ended_total", direction="inbound", end="completed") == 1, "it ended")
    assert page.value("aicaller_calls_ended_total") == 1
    assert page.value("aicaller_live_calls") == 0
    assert page.value("aicaller_turn_response_seconds_count") == 1
    assert page.value("aicaller_turn_stage_seconds_count", stage="tts", provider="flite") == 1
    assert page.value("aicaller_turn_stage_seconds_count", stage="playout", provider="browser") == 1
    assert page.value("aicaller_http_responses_total", **{"class": "1xx"}) == 1
    assert caller.call_id not in page.text


def test_a_provider_that_fails_and_what_the_other_costs_are_counted(serve, vendors):
    vendors.set("groq", rules=[{"say": "Here I am."}])
    working = {"plugin": "groq.so", "api_key": "gsk_a", "url": vendors.url("groq")}
    dead = {**working, "url": re.sub(r":\d+", f":{program.free_port()}", working["url"])}
    server = serve({"providers": {"dead": dead, "groq": working},
                    "agents": {"default": {"llm": ["dead", "groq"]}},
                    "prices": {"groq": {"tokens_in_million": 1000.0, "tokens_out_million": 9e5}}},
                   SSL_CERT_FILE=str(vendors.ca))
    sessions = [say(server)["session"] for _ in range(3)]
    page = eventually(server, turns_are(3), "the turns are counted")
    assert page.value("aicaller_failovers_total", role="llm", **{"from": "dead"}) >= 1
    assert page.value("aicaller_failovers_total") == page.value(
        "aicaller_failovers_total", role="llm", **{"from": "dead"})
    assert page.value("aicaller_turn_stage_seconds_count", stage="llm", provider="groq") == 3
    assert page.value("aicaller_breaker_state", provider="groq", role="llm", state="ok") == 1
    assert page.value("aicaller_breaker_state", provider="dead", role="llm") == 1, "in one state"

    def recorded():
        shown = [server.get(f"/calls/call-detail/{session}/") for session in sessions]
        costs = [answer.json["cost"]["items"] for answer in shown if answer.status == 200]
        return costs if len(costs) == 3 and all(costs) else None
    costs = program.eventually(recorded, "the costs are recorded")
    total = sum(item["cost"] for items in costs for item in items if item["provider"] == "groq")
    assert total > 0
    assert scrape(server).value("aicaller_cost_total", provider="groq") == pytest.approx(
        total, abs=1e-5)


def test_a_refusal_of_the_gate_is_counted_and_tells_no_number(serve, vendors):
    server = serve(dialling.changes(vendors, outbound={"allow": ["IN"], "hours": "00:00-24:00"}))
    answer = server.post("/calls/make-call/", {"to": dialling.THEIRS})
    assert answer.status == 403, answer.text
    assert answer.json["reason"] == "destination_not_allowed"
    page = eventually(server, lambda page: page.value(
        "aicaller_gate_refusals_total", reason=answer.json["reason"]) == 1, "it is counted")
    assert page.value("aicaller_gate_refusals_total") == 1
    assert page.value("aicaller_calls_ended_total", direction="outbound", end="failed") == 1
    assert dialling.THEIRS[1:] not in page.text and answer.json["call_id"] not in page.text
    assert page.value("aicaller_http_responses_total", **{"class": "4xx"}) == 1
    server.get("/nothing-here/")
    assert scrape(server).value("aicaller_http_responses_total", **{"class": "4xx"}) == 2


def test_strangers_need_a_key_that_may_read(aicaller, make_conf, serve):
    conf = make_conf()
    keys = {}
    for scope in ("read", "call"):
        made = aicaller("key", "add", scope, "--scope", scope, "-c", conf[0])
        assert made.returncode == 0, made.stderr
        keys[scope] = {**ELSEWHERE, "Authorization": f"Bearer {made.stdout.strip()}"}
    server = serve(conf=conf)
    assert server.get("/metrics").status == 200
    assert server.get("/metrics/").status == 200
    assert server.get("/metrics", headers=ELSEWHERE).status == 401
    assert server.get("/metrics", headers=keys["call"]).status == 403
    assert server.get("/metrics", headers=keys["read"]).status == 200


@pytest.fixture
def page(serve):
    """Of a server in which every labelled family has samples that need no vendor."""
    server = serve()
    say(server)
    return eventually(server, turns_are(1), "the turn is counted")


def test_the_document_lists_what_is_there(page):
    text = (program.ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(aicaller_\w+)` \| (\w+) \| (.*?) ?\| (.*) \|$", text, re.MULTILINE)
    documented = {name: (kind, words) for name, kind, _, words in rows}
    assert documented == page.families
    for name, _, labels, _ in rows:
        assert page.labels(name) in (set(), set(re.findall(r"`(\w+)`", labels))), name
    with_labels = {name for name, _, labels, _ in rows if labels}
    assert {name for name in with_labels if not page.labels(name)} == {
        "aicaller_failovers_total", "aicaller_cost_total"}, "these need vendors"


def expressions():
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    yield from (target["expr"] for panel in panels for target in panel["targets"])
    rules = re.split(r"- alert:", ALERTS.read_text(encoding="utf-8"))[1:]
    yield from (re.search(r"expr:(.*?)\n +(?:for|labels):", rule, re.DOTALL)[1] for rule in rules)


def test_dashboard_and_alerts_ask_for_what_is_there(page):
    asked = set()
    for expression in expressions():
        for name, selector in re.findall(r"(aicaller_\w+)(?:\{(.*?)\})?", expression):
            family = page.family_of(name)
            assert family in page.families, f"{name} in {expression}"
            asked.add(family)
            for label, operator, value in re.findall(r'(\w+)(=~|!=|=)"(.*?)"', selector):
                if operator != "=~":
                    assert any(found == name and (label, value) in labels
                               for found, labels in page.samples), f"{label} in {expression}"
        for label in re.findall(r"\w+", " ".join(re.findall(r"by \((.*?)\)", expression))):
            assert label in ("instance", "le") or any(
                f"`{label}`" in line for line in documented_rows(expression)), expression
    assert set(page.families) - asked <= {"aicaller_spool_memory_bytes"}


def documented_rows(expression):
    """The lines of docs/metrics.md about what an expression asks for."""
    names = re.findall(r"aicaller_\w+", expression)
    lines = (program.ROOT / "docs/metrics.md").read_text(encoding="utf-8").splitlines()
    return [line for line in lines for name in names
            if line.startswith(f"| `{re.sub('_(bucket|sum|count)$', '', name)}`")]


def test_each_alert_has_a_summary_and_a_severity():
    rules = re.split(r"- alert:", ALERTS.read_text(encoding="utf-8"))[1:]
    assert len(rules) >= 10
    for rule in rules:
        assert re.search(r"labels: \{severity: (warning|critical)\}", rule), rule
        assert re.search(r'summary: "\S.*"', rule), rule


def test_promtool_finds_nothing_in_the_page(page):
    promtool("check", "metrics", text=page.text)


def test_promtool_accepts_the_rules():
    promtool("check", "rules", ALERTS)
