# SPDX-License-Identifier: ISC
"""
A worker that is killed in the middle of calls: it is replaced at once, what was said before is
kept, each call gets the event `interrupted`, and its end after 60 s without its leg.
"""
import os
import signal

import pytest

import program
from socket_caller import SocketCaller

WITHOUT_LEG_S = 60


def workers(server):
    return [pid for pid, _ in server.processes() if pid != server.pid]


def detail(server, call_id):
    answer = server.get(f"/calls/call-detail/{call_id}/")
    return answer.json if answer.status == 200 else None


def recorded(server, count):
    program.eventually(lambda: server.get("/calls/call-history/").json["total"] == count,
                       "the records have all conversations")


def kill_a_worker(server):
    """Kills the (only) worker; returns when another one serves."""
    before = workers(server)
    os.kill(before[0], signal.SIGKILL)
    program.eventually(lambda: set(workers(server)) - set(before), "a new worker is there")
    program.eventually(lambda: answers(server), "it serves")


def answers(server):
    try:
        return server.get("/calls/health/").status == 200
    except (OSError, ValueError):
        return False


@pytest.fixture
def talking(serve):
    """A server and a call in which the caller has got an answer."""
    server = serve()
    with SocketCaller(server) as caller:
        caller.socket.send({"type": "text", "text": "I need an appointment"})
        caller.until(lambda: caller.noted("heard", turn=1), "the answer is heard")
        program.eventually(lambda: len((detail(server, caller.call_id) or {}).get("messages", []))
                           >= 2, "it is in the records")
        yield server, caller


def test_a_killed_worker_is_replaced_and_its_call_is_interrupted_not_ended(talking):
    server, caller = talking
    said = [each["content"] for each in detail(server, caller.call_id)["messages"]]
    kill_a_worker(server)
    caller.until(lambda: caller.is_over, "the page notices")
    assert caller.code == 1006, "the line broke, nobody said goodbye"
    found = program.eventually(
        lambda: next((found for found in [detail(server, caller.call_id)] if any(
            event["type"] == "interrupted" for event in found["events"])), None),
        "the records tell of the interruption")
    assert [each["content"] for each in found["messages"]] == said, "nothing that was said is lost"
    assert found["call"]["status"] == "in_progress" and found["call"]["ended_at"] is None
    with SocketCaller(server) as another:
        another.until(lambda: another.sound, "the new worker takes calls")
        another.hang_up()


@pytest.mark.long
def test_without_its_leg_an_interrupted_call_ends_after_a_minute(serve):
    """The only test here that has to wait: the minute is the server's."""
    server = serve()
    with SocketCaller(server) as caller:
        caller.until(lambda: caller.noted("state"), "the call begins")
        program.eventually(lambda: detail(server, caller.call_id), "it is in the records")
        kill_a_worker(server)
    call = program.eventually(
        lambda: next((found["call"] for found in [detail(server, caller.call_id)]
                      if found["call"]["ended_at"]), None),
        "the call is ended", seconds=2 * WITHOUT_LEG_S)
    assert call["end_reason"] == "interrupted"
    assert call["status"] in ("completed", "failed")


def test_typed_conversations_of_other_workers_go_on(serve):
    server = serve({"server": {"workers": 2}})
    hello = {"message": "I need an appointment"}
    sessions = [server.post("/calls/test-chat/", hello).json["session"] for _ in range(8)]
    recorded(server, len(sessions))
    os.kill(workers(server)[0], signal.SIGKILL)
    program.eventually(lambda: len(workers(server)) == 2 and answers(server), "all are there again")
    statuses = [server.post("/calls/test-chat/", {"message": "Monday", "session": session}).status
                for session in sessions]
    assert set(statuses) <= {200, 404, 410} and 200 in statuses, statuses
    assert server.post("/calls/test-chat/", {"message": "hello"}).status == 200
    recorded(server, len(sessions) + 1)
