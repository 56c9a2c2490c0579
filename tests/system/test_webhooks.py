# SPDX-License-Identifier: ISC
"""What happens in calls is told to other systems, which may be slow, broken, gone or hostile."""
import json
import sqlite3

import pytest

import dialling
import program
from receivers import ALLOW, OLD_SECRET, SECRET, Receiver


@pytest.fixture
def receiver():
    with Receiver() as running:
        yield running


def hooks(receiver, **endpoints):
    """`endpoints` are names and what is special about them."""
    return {**ALLOW, "webhooks": {name: {"url": f"{receiver.url}/{name}", "secret": SECRET, **more}
                                  for name, more in endpoints.items()}}


def chat(server, words="I need an appointment"):
    """A conversation that was hung up; its id."""
    answer = server.post("/calls/test-chat/", {"message": words}).json
    assert server.post(f"/calls/{answer['session']}/hangup/").status == 202
    return answer["session"]


def arrived(receiver, name, count, seconds=20):
    program.eventually(lambda: len(receiver.of(name)) >= count,
                       f"{name} got {count} events", seconds)
    return receiver.of(name)


def jobs(server_conf, kind="webhook:crm"):
    """The deliveries as the database has them."""
    database = sqlite3.connect(f"file:{server_conf.parent / 'state0' / 'aicaller.db'}?mode=ro",
                               uri=True)
    database.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in
                database.execute("SELECT * FROM jobs WHERE kind = ? ORDER BY created_at", [kind])]
    finally:
        database.close()


def test_a_conversation_is_told_from_its_beginning_to_its_transcript(serve, receiver):
    server = serve(hooks(receiver, crm={"old_secret": OLD_SECRET},
                         books={"events": ["call.ended"]}))
    call_id = chat(server)
    got = arrived(receiver, "crm", 4)
    assert sorted(one.json["type"] for one in got) == \
        ["call.answered", "call.ended", "call.started", "call.transcript"]
    for one in got:
        assert one.is_signed(SECRET) and one.is_signed(OLD_SECRET)
        assert not one.is_signed("whsec_" + "A" * 32)
        assert one.headers["content-type"] == "application/json"
        assert one.id.startswith("msg_")
        assert set(one.json) == {"type", "timestamp", "data"}
        assert one.json["data"]["call_id"] == call_id
    assert len({one.id for one in got}) == 4
    data = {one.json["type"]: one.json["data"] for one in got}
    ended = data["call.ended"]
    assert (ended["status"], ended["end_reason"], ended["agent"], ended["direction"]) == \
        ("completed", "hung_up_by_api", "default", "inbound")
    assert ended["duration_s"] >= 0 and ended["turns"] >= 1 and ended["ended_at"]
    assert "ended_at" not in data["call.started"]
    words = data["call.transcript"]["messages"]
    assert words[0]["role"] == "user" and words[0]["content"] == "I need an appointment"
    assert words[1]["role"] == "assistant" and words[1]["heard"]
    detail = server.get(f"/calls/call-detail/{call_id}/").json["messages"]
    for told, recorded in zip(words, detail, strict=True):
        assert {key: recorded[key] for key in ("role", "content", "heard", "turn", "at")} == \
            {key: told[key] for key in ("role", "content", "heard", "turn", "at")}
    # The other one wants less, and knows the same event by the same id.
    other, = arrived(receiver, "books", 1)
    assert other.json == next(one.json for one in got if one.json["type"] == "call.ended")
    assert other.id in {one.id for one in got}
    text = server.get("/metrics").text
    assert 'aicaller_webhooks_total{outcome="delivered"} 5' in text
    assert server.stop() == 0


def test_the_library_of_the_standard_takes_the_signature(serve, receiver, vendor_python, tmp_path):
    server = serve(hooks(receiver, crm={"events": ["call.ended"]}))
    chat(server)
    one, = arrived(receiver, "crm", 1)
    files = [tmp_path / "headers", tmp_path / "body"]
    files[0].write_text(json.dumps(one.headers), encoding="utf-8")
    files[1].write_bytes(one.body)
    script = tmp_path / "verify.py"
    script.write_text("import json, sys\n"
                      "from standardwebhooks import Webhook\n"
                      "headers = json.load(open(sys.argv[2]))\n"
                      "body = open(sys.argv[3], 'rb').read()\n"
                      "print(Webhook(sys.argv[1]).verify(body, headers)['type'])\n",
                      encoding="utf-8")
    result = vendor_python("standardwebhooks", script, SECRET, *files)
    assert result.stdout.strip() == "call.ended", result.stderr


@pytest.mark.slow
def test_what_is_not_taken_is_sent_again_as_it_was(serve, receiver):
    receiver.plans["crm"] = [500, 200]
    server = serve(hooks(receiver, crm={"events": ["call.ended"]}))
    chat(server)
    first, second = arrived(receiver, "crm", 2)
    assert (first.id, first.body) == (second.id, second.body)
    assert first.is_signed() and second.is_signed()
    assert 3.5 < second.at - first.at
    assert 'outcome="retried"} 1' in server.get("/metrics").text


def test_bad_receivers_hold_up_nobody(serve, receiver, make_conf):
    receiver.plans["slow"] = ["hang"] * 100
    receiver.plans["sly"] = ["redirect"] * 100
    conf = make_conf({**hooks(receiver, crm={}, slow={}, sly={}),
                      "server": {"workers": 1}})
    text = conf[0].read_text(encoding="utf-8")
    # Nobody listens there.
    conf[0].write_text(text.replace("webhooks = {", 'webhooks = { dead = { url = '
                                    f'"http://127.0.0.1:{program.free_port()}/"; '
                                    f'secret = "{SECRET}"; }};'), encoding="utf-8")
    server = serve(conf=conf)
    calls = {chat(server) for _ in range(3)}
    got = arrived(receiver, "crm", 12)
    assert {one.json["data"]["call_id"] for one in got} == calls
    # One worker asks one endpoint at most so often at a time.
    program.eventually(lambda: len(receiver.of("slow")) == 4, "it is asked as often as it may be")
    program.eventually(lambda: len(receiver.of("sly")) >= 12, "all were tried")
    assert len(receiver.of("slow")) == 4
    assert receiver.of("elsewhere") == [], "redirects are not followed"
    program.eventually(lambda: {job["last_error"] for job in jobs(conf[0], "webhook:sly")} ==
                       {"http 307"}, "it is known why")
    assert {job["last_error"] for job in jobs(conf[0], "webhook:dead")} <= {"connect", None}
    assert server.get("/calls/health/").json["status"] == "ok"
    assert server.stop() == 0


def test_a_receiver_that_is_gone_is_left_alone(serve, receiver, make_conf):
    receiver.plans["crm"] = [410]
    conf = make_conf(hooks(receiver, crm={"events": ["call.ended"]}, log={}))
    server = serve(conf=conf)
    chat(server)
    arrived(receiver, "crm", 1)
    arrived(receiver, "log", 4)
    chat(server)
    arrived(receiver, "log", 8)
    program.eventually(lambda: [job["state"] for job in jobs(conf[0])] == ["failed"] * 2,
                       "both are over")
    assert len(receiver.of("crm")) == 1
    assert "answered 410" in server.log
    # Who mended it loads the configuration again.
    server.reload()
    chat(server)
    assert arrived(receiver, "crm", 2)[1].is_signed()


def test_while_the_database_is_away_events_wait(serve, receiver, postgres):
    server = serve({**hooks(receiver, crm={}), "storage": "db",
                    "providers": {"db": {"plugin": "pgsql.so", "url": postgres.url}}})
    postgres.ask("down")
    call_id = chat(server)
    assert receiver.of("crm") == []
    postgres.ask("up")
    got = arrived(receiver, "crm", 4, seconds=40)
    assert {one.json["data"]["call_id"] for one in got} == {call_id}
    chat(server)
    got = arrived(receiver, "crm", 8, seconds=40)
    assert len(got) == len({one.id for one in got}) == 8, "none was lost or sent twice"


def test_of_two_workers_one_sends_each(serve, receiver):
    server = serve({**hooks(receiver, crm={"events": ["call.ended"]}), "server": {"workers": 2}})
    calls = {chat(server) for _ in range(10)}
    got = arrived(receiver, "crm", 10)
    assert {one.json["data"]["call_id"] for one in got} == calls
    assert len(receiver.of("crm")) == len({one.id for one in got}) == 10


def test_a_dialled_call_tells_what_its_client_gave(serve, receiver, vendors):
    server = serve(dialling.changes(vendors, **hooks(receiver, crm={})))
    dialling.reach(server, vendors, plan={"answer": "busy"})
    answer = server.post(dialling.MAKE_CALL, {"to": dialling.THEIRS, "metadata": {"order": "A-7"}})
    assert answer.status == 201, answer.text
    started = next(one.json["data"] for one in arrived(receiver, "crm", 1))
    assert started["call_id"] == answer.json["call_id"]
    assert started["metadata"] == {"order": "A-7"}
    assert (started["to"], started["direction"]) == (dialling.THEIRS, "outbound")
    # Refused by the gate: it never began to ring, and that is told as well.
    refused = server.post(dialling.MAKE_CALL, {"to": "+442079460000"})
    assert refused.status == 403
    program.eventually(lambda: [one for one in receiver.of("crm", "call.ended")
                                if one.json["data"]["status"] == "failed"], "its end is told")


def test_private_addresses_are_refused_without_a_packet(can_isolate, serve, make_conf):
    hosts = {"lo": "https://127.0.0.1/", "net": "https://10.0.0.1/", "meta":
             "http://169.254.169.254/latest", "six": "https://[fd00::1]/",
             "plain": "http://198.51.100.1/", "mapped": "https://[::ffff:10.0.0.1]/"}
    conf = make_conf({"webhooks": {name: {"url": url, "secret": SECRET, "events": ["call.ended"]}
                                   for name, url in hosts.items()}})
    server = serve(conf=conf, isolated=True)
    chat(server)
    program.eventually(lambda: [job["last_error"] for name in hosts
                                for job in jobs(conf[0], f"webhook:{name}")] ==
                       ["address"] * len(hosts), "all were refused")
    assert server.get("/calls/health/").json["status"] == "ok"
    assert server.stop() == 0, "nothing was sent beyond loopback"


def test_deliveries_are_listed_tried_and_repeated(serve, receiver, make_conf, aicaller):
    receiver.plans["crm"] = [418]
    conf = make_conf(hooks(receiver, crm={"events": ["call.ended"]}))
    server = serve(conf=conf)
    # Of its own accord first.
    tried = aicaller("webhook", "test", "crm", "-c", conf[0])
    assert tried.returncode == 1 and "answered 418" in tried.stdout
    tried = aicaller("webhook", "test", "crm", "-c", conf[0])
    assert tried.returncode == 0 and "answered 200" in tried.stdout
    assert [one.json["type"] for one in receiver.of("crm")] == ["webhook.test"] * 2
    assert all(one.is_signed() for one in receiver.of("crm"))
    assert aicaller("webhook", "test", "nobody", "-c", conf[0]).returncode == 1
    chat(server)
    first = arrived(receiver, "crm", 3)[2]

    def listed():
        rows = json.loads(aicaller("webhook", "list", "--json", "-c", conf[0]).stdout)
        return rows if rows and rows[0]["state"] == "done" else None
    job, = program.eventually(listed, "it is done")
    assert (job["note"]["event"], job["attempts"], job["result"]["http_status"]) == \
        ("call.ended", 1, 200)
    assert "payload" not in job
    shown = aicaller("webhook", "list", "-c", conf[0]).stdout
    assert job["job_id"] in shown and "call.ended" in shown and "crm" in shown
    again = aicaller("webhook", "redeliver", job["job_id"], "-c", conf[0])
    assert again.returncode == 0, again.stderr
    second = arrived(receiver, "crm", 4)[3]
    assert (second.id, second.body) == (first.id, first.body)
    assert aicaller("webhook", "redeliver", "x", "-c", conf[0]).returncode == 2
    assert aicaller("webhook", "redeliver", first.id[4:], "-c", conf[0]).returncode == 1
    assert aicaller("webhook").returncode == 2


def test_a_new_secret_is_good(aicaller, make_conf):
    one, other = (aicaller("webhook", "secret").stdout.strip() for _ in range(2))
    assert one != other
    conf, _ = make_conf({"webhooks": {"crm": {"url": "https://crm.example.com/", "secret": one}}})
    assert aicaller("check", "-c", conf).returncode == 0


@pytest.mark.parametrize(("change", "reason"), [
    ({"secret": "hunter2"}, "whsec_"),
    ({"url": "ftp://crm.example.com/"}, "https"),
    ({"events": ["call.end"]}, 'did you mean "call.ended"'),
    ({"retry": 3}, "retry"),
])
def test_a_mistake_is_told_with_its_place(aicaller, make_conf, change, reason):
    conf, _ = make_conf({"webhooks": {"crm": {"url": "https://crm.example.com/", "secret": SECRET,
                                              **change}}})
    result = aicaller("check", "-c", conf)
    assert result.returncode == 78
    assert reason in result.stderr and f"{conf}:" in result.stderr
    assert "hunter2" not in result.stderr
