# SPDX-License-Identifier: ISC
"""Who looks on: the list of live calls and the stream of what happens in them."""
import os
import signal

import pytest

import program
from event_stream import EventStream
from socket_caller import SocketCaller, until

MANY = {"server": {"workers": 3}}


def workers(server):
    return [pid for pid, _ in server.processes() if pid != server.pid]


def talk(caller, text, turn):
    caller.socket.send({"type": "text", "text": text})
    caller.until(lambda: caller.noted("heard", turn=turn), "the answer is heard")


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
