# SPDX-License-Identifier: ISC
"""Who looks on: the list of live calls and the stream of what happens in them."""
import os
import signal

import pytest

import dialling
import program
from conf import merged
from event_stream import EventStream
from people import Browser, People
from socket_caller import SocketCaller, until

MANY = {"server": {"workers": 3}}


def workers(server):
    return [pid for pid, _ in server.processes() if pid != server.pid]


def talk(caller, text, turn):
    caller.socket.send({"type": "text", "text": text})
    caller.until(lambda: caller.noted("heard", turn=turn), "the answer is heard")


def worker_of(server, client):
    """The process that has the other end of a connection."""
    ends = [f"0100007F:{port:04X}" for port in (server.port, client.getsockname()[1])]
    with open("/proc/net/tcp", encoding="ascii") as table:
        (inode,) = [fields[9] for fields in map(str.split, table) if fields[1:3] == ends]
    return next(pid for pid in workers(server) for name in os.listdir(f"/proc/{pid}/fd")
                if os.readlink(f"/proc/{pid}/fd/{name}") == f"socket:[{inode}]")


def live(server):
    return server.get("/calls/live/").json["calls"]


def test_a_call_grows_before_the_eyes_of_viewers_in_all_workers(serve):
    server = serve(MANY)
    streams = [EventStream(server) for _ in range(8)]
    for stream in streams:
        assert "content-type: text/event-stream" in stream.head
        assert "x-accel-buffering: no" in stream.head
        assert stream.wait("snapshot") == {"calls": []}
    with SocketCaller(server) as caller:
        talk(caller, "I need an appointment", 1)
        (call,) = live(server)
        assert call["call_id"] == caller.call_id and call["status"] == "in_progress"
        assert call["answered_at"] and call["provider"] == "browser"
        caller.hang_up()
    for stream in streams:
        ended = stream.wait("ended", call_id=caller.call_id)
        assert ended["status"] == "completed" and ended["end_reason"] and ended["duration_s"] > 0
        kinds = [name for name, _, _ in stream.events]
        assert kinds[:2] == ["snapshot", "started"] and kinds[-1] == "ended"
        assert stream.all("updated", activity="thinking")
        (asked,) = stream.all("message", role="user")
        assert asked["text"] == "I need an appointment" and asked["turn"] == 1
        answer = stream.all("message", role="assistant", turn=1)[-1]
        assert answer["text"] == stream.all("heard", turn=1)[-1]["text"] == answer["heard"]
        (turn,) = stream.all("turn", turn=1)
        assert turn["latency"]["response_ms"] >= 0 and turn["providers"]["llm"] == "script"
        assert all(data["call_id"] == caller.call_id and data["at"] for _, _, data
                   in stream.events[1:])
        numbers = [number for _, number, _ in stream.events if number]
        assert numbers == sorted(numbers)
        assert live(server) == []
    # The same things have the same numbers, whichever worker tells them.
    told = [[(name, number) for name, number, _ in stream.events if name not in
             ("snapshot", "partial")] for stream in streams]
    assert all(each == told[0] for each in told)


def test_the_snapshot_has_the_calls_that_live_already(serve):
    server = serve(MANY)
    with SocketCaller(server) as one, SocketCaller(server) as other:
        until([one, other], lambda: one.noted("state") and other.noted("state"), "both live")
        with EventStream(server) as stream, \
                EventStream(server, f"?call={one.call_id}") as single:
            ids = {call["call_id"] for call in stream.wait("snapshot")["calls"]}
            assert ids == {one.call_id, other.call_id}
            (call,) = single.wait("snapshot")["calls"]
            assert call["call_id"] == one.call_id and call["status"] == "in_progress"
            talk(other, "hello", 1)
            talk(one, "hello", 1)
            single.wait("heard", turn=1)
            assert {data["call_id"] for name, _, data in single.events[1:]} == {one.call_id}
            stream.wait("heard", call_id=other.call_id)


def chat(server, message="hello", session=None, **options):
    answer = server.post("/calls/test-chat/", {"message": message, **(
        {"session": session} if session else {})}, **options)
    assert answer.status == 200, answer.text
    return answer.json["session"]


def type_of(problem):
    return problem["type"].rpartition("#")[2]


def counters(server):
    return server.get("/calls/health/").json["counters"]["viewers"]


def test_who_comes_back_gets_what_was_missed_and_a_stranger_the_snapshot(serve):
    server = serve(arguments=["--single"])
    with EventStream(server) as stream:
        stream.wait("snapshot")
        session = chat(server)
        stream.wait("turn", call_id=session)
        seen = stream.events[-3:]
    chat(server, "an appointment", session)
    with EventStream(server, headers={"Last-Event-ID": seen[0][1]}) as back:
        back.wait("message", role="user", text="an appointment")
        assert not back.all("snapshot")
        numbered = [event for event in back.events if event[1]]
        assert numbered[:2] == seen[1:], "each thing once, as it was told before"
    for strange in ("1", "x", "-1", "9" * 19, "9" * 200, str(seen[-1][1] + 1000), "1 2"):
        with EventStream(server, headers={"Last-Event-ID": strange}) as other:
            other.until(lambda other=other: other.events, strange)
            assert other.events[0][0] == "snapshot", strange
            assert other.events[0][2]["calls"][0]["call_id"] == session


def test_what_is_asked_wrongly_is_refused(serve):
    server = serve()
    for query in ("?call=4711", "?call=a&call=b", "?cal=x", "?call=%ff", "?call=" + "a" * 5000):
        with EventStream(server, query) as stream:
            assert (stream.status, type_of(stream.problem)) == (400, "bad-parameter"), query
    unknown = "01a203c4-5150-7038-b7cb-7a34a8e1fa27"
    with EventStream(server, f"?call={unknown}") as stream:
        assert stream.wait("snapshot") == {"calls": []}
    path = f"/calls/{unknown}/transfer/"
    assert server.post(path, {"to": "x"}).json["type"].endswith("no-live-call")
    session = chat(server)
    path = f"/calls/{session}/transfer/"
    for body in ({"to": 7}, {"two": "x"}, {"to": "1" * 300}):
        assert server.post(path, body).status == 422, body
    answer = server.post(path, {"to": "+15550144"})
    assert (answer.status, type_of(answer.json)) == (409, "not-talking")
    assert server.post("/calls/x/transfer/", {}).status == 404


def test_there_is_a_limit_for_all_and_one_for_a_key(serve, make_conf, aicaller):
    conf = make_conf({"server": {"workers": 2},
                      "limits": {"max_viewers": 3, "viewers_per_key": 1}})
    key = aicaller("key", "add", "crm", "-c", conf[0]).stdout.strip()
    server = serve(conf=conf)
    shown = {"Authorization": f"Bearer {key}"}
    streams = [EventStream(server) for _ in range(3)]
    for stream in streams:
        stream.wait("snapshot")
    with EventStream(server) as refused:
        assert (refused.status, type_of(refused.problem)) == (503, "too-many-viewers")
        assert "retry-after: " in refused.head
    assert counters(server)["too-many"] == 1
    for stream in streams:
        stream.socket.close()

    def has_room():
        with EventStream(server, headers=shown) as stream:
            return stream.status == 200
    program.eventually(has_room, "who goes makes room")
    # At most one in each of the two workers.
    program.eventually(has_room, "and so does the one with the key")
    ours = [EventStream(server, headers=shown) for _ in range(3)]
    assert 429 in [stream.status for stream in ours]


def test_a_removed_key_and_a_log_out_end_their_streams(serve, make_conf, aicaller):
    ours = People(aicaller, make_conf(MANY))
    ours.add("jo", "viewer")
    key = aicaller("key", "add", "crm", "-c", ours.conf[0]).stdout.strip()
    server = serve(conf=ours.conf)
    jo = Browser(server)
    assert jo.log_in("jo").status == 200
    with EventStream(server, headers={"Authorization": f"Bearer {key}"}) as keyed, \
            EventStream(server, headers={"Cookie": f"aicaller_session={jo.cookie}"}) as signed, \
            EventStream(server) as trusted:
        for stream in (keyed, signed, trusted):
            stream.wait("snapshot")
        assert aicaller("key", "remove", "crm", "-c", ours.conf[0]).returncode == 0
        assert keyed.wait_over() == "access"
        assert jo.post("/admin/api/logout/").status == 204
        assert signed.wait_over() == "access"
        session = chat(server)
        trusted.wait("turn", call_id=session)
        assert counters(server)["access-ended"] == 2


def test_a_reload_sends_viewers_to_the_new_workers(serve):
    server = serve(MANY)
    with SocketCaller(server) as caller:
        caller.until(lambda: caller.noted("state"), "the call begins")
        with EventStream(server) as stream:
            stream.wait("snapshot")
            server.reload()
            assert stream.wait_over() == "draining"
            assert 500 <= stream.retry <= 5000
            last_id = stream.last_id
        with EventStream(server, headers={"Last-Event-ID": last_id}) as stream:
            (call,) = stream.wait("snapshot")["calls"]
            assert call["call_id"] == caller.call_id, "it lives on in an old worker"
            talk(caller, "hello", 1)
            stream.wait("heard", call_id=caller.call_id, turn=1)
            assert stream.last_id > last_id


def test_a_killed_worker_takes_its_viewers_with_it_and_not_the_calls_from_the_others(serve):
    server = serve({"server": {"workers": 2}})
    callers = [SocketCaller(server) for _ in range(6)]
    until(callers, lambda: all(caller.noted("state") for caller in callers), "all live")
    victim = worker_of(server, callers[0].socket.socket)
    dead = [each for each in callers if worker_of(server, each.socket.socket) == victim]
    alive = [each for each in callers if each not in dead]
    streams = []
    while all(worker_of(server, stream.socket) == victim for stream in streams):
        assert len(streams) < 100, "nobody looks on in the other worker"
        streams.append(EventStream(server))
    left = streams[-1]
    assert len(left.wait("snapshot")["calls"]) == 6
    os.kill(victim, signal.SIGKILL)
    program.eventually(lambda: len(workers(server)) == 2, "another one is there")
    until(callers, lambda: all(caller.is_over for caller in dead), "its calls break")
    for stream in streams[:-1]:
        assert stream.wait_over() is None, "nobody said goodbye"
    for caller in dead:
        left.wait("updated", call_id=caller.call_id, state="waiting")
    if alive:
        talk(alive[0], "hello", 1)
        left.wait("heard", call_id=alive[0].call_id, turn=1)
    for caller in callers:
        caller.socket.socket.close()


def test_who_does_not_read_is_cut_and_the_others_go_on(serve):
    server = serve({"limits": {"max_calls": 4000}})
    with EventStream(server, receive_bytes=4096) as stuck, EventStream(server) as good:
        stuck.wait("snapshot")
        long = "appointment " * 650

        def is_cut():
            for _ in range(20):
                chat(server, long)
            good.read_some(0.01)
            return counters(server)["slow"] == 1
        program.eventually(is_cut, "the one that does not read is cut", seconds=40)
        chat(server, "that is all")
        good.wait("message", role="user", text="that is all", seconds=30)
        assert not good.is_over


@pytest.fixture(scope="module")
def simulators(tmp_path_factory):
    with dialling.Simulators(tmp_path_factory.mktemp("vendors")) as running:
        yield running


def test_an_operator_hands_a_caller_over_and_a_viewer_sees_no_number(serve, make_conf, aicaller,
                                                                    simulators):
    changes = dialling.changes(simulators)
    changes["agents"]["default"]["transfer"] = ["+12015550177"]
    ours = People(aicaller, make_conf(merged(changes, MANY)))
    browsers = {}
    for name, role in (("vic", "viewer"), ("olga", "operator"), ("ann", "admin")):
        ours.add(name, role)
    server = serve(conf=ours.conf)
    for name in ("vic", "olga", "ann"):
        browsers[name] = Browser(server)
        assert browsers[name].log_in(name).status == 200
    dialling.reach(server, simulators)
    cookies = {name: {"Cookie": f"aicaller_session={browser.cookie}"}
               for name, browser in browsers.items()}
    with EventStream(server, headers=cookies["vic"]) as hidden, \
            EventStream(server, headers=cookies["olga"]) as whole:
        hidden.wait("snapshot")
        whole.wait("snapshot")
        simulators.call_in("+12015550123", url=f"{dialling.PUBLIC}/calls/inbound/")
        call_id = whole.wait("started", **{"from": "+12015550123"})["call_id"]
        assert hidden.wait("started")["from"] == "+*******0123"
        whole.wait("updated", call_id=call_id, state="talking")
        (shown,) = browsers["vic"].get("/calls/live/").json["calls"]
        assert shown["from"] == "+*******0123" and shown["status"] == "in_progress"
        path = f"/calls/{call_id}/transfer/"
        assert browsers["vic"].post(path, {"to": "+12015550177"}).status == 403
        answer = browsers["olga"].post(path, {"to": "+12015550178"})
        assert (answer.status, type_of(answer.json)) == (403, "transfer-target")
        answer = browsers["olga"].post(path, {"to": "+12015550177"})
        assert (answer.status, answer.json) == (202, {"ok": True})
        assert whole.wait("event", event="transfer")["detail"] == {"to": "+12015550177"}
        assert hidden.wait("event", event="transfer")["detail"] == {"to": "+*******0177"}
        assert whole.wait("ended", call_id=call_id)["end_reason"] == "transferred"
        told = program.eventually(
            lambda: [row for row in browsers["ann"].get("/admin/api/audit/").json["audit"]
                     if row["action"] == "call.transfer"][:2], "the audit has it")
        assert {(row["actor"], row["outcome"], row["call_id"]) for row in told} <= {
            ("olga", "allowed", call_id), ("olga", "refused", call_id)}
