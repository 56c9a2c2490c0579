# SPDX-License-Identifier: ISC
"""The socket of the voice page: who may open it, what happens in a call, who misbehaves on it."""
import json
import re
import struct

import pytest

import caller_voice
import program
from socket_caller import PATH, SocketCaller, invite, start_message, until
from websocket import BINARY, CONTINUATION, PING, TEXT, Refused, WebSocket

GREETING = "Hello, this is an automated assistant. How can I help you?"
PROTOCOL, BAD_TEXT, POLICY, TOO_LARGE = 1002, 1007, 1008, 1009
MAX_MESSAGE = 32000


def active_calls(server):
    return server.get("/calls/health/").json["active_calls"]


def nobody_is_left(server):
    program.eventually(lambda: active_calls(server) == 0, "the call is over")


def started(server):
    """A socket on which a call has begun."""
    socket = WebSocket(server, PATH)
    socket.send(start_message(invite(server)))
    socket.until("state")
    return socket


def figure(server, caller, name):
    """A figure of the line that the log has of a call that is over."""
    found = program.eventually(
        lambda: re.search(rf"call {caller.call_id} over:.* {name}=(\d+)", server.log),
        "the log tells how the call went")
    return int(found[1])


def record(server, call_id, condition, what):
    """The call's record as soon as condition(record) is true."""
    def asked():
        found = server.get(f"/calls/call-detail/{call_id}/").json
        return found if "call" in found and condition(found) else None
    return program.eventually(asked, what)


@pytest.mark.parametrize("origin", [
    "http://example.com", "http://127.0.0.1", "http://127.0.0.1:1", "https://localhost", "null",
    "http://127.0.0.1.example.com", "http://127.0.0.1@example.com", "file://", "\u00e9"])
def test_a_page_of_another_origin_is_refused_before_it_is_a_socket(shared_server, origin):
    with pytest.raises(Refused) as refused:
        WebSocket(shared_server, PATH, {"Origin": origin})
    assert refused.value.status == 403


@pytest.mark.parametrize("headers", [{"Origin": "own"}, {}])
def test_our_own_page_and_programs_may_connect(shared_server, headers):
    if headers:
        headers = {"Origin": shared_server.url}
    with WebSocket(shared_server, PATH, headers) as socket:
        socket.send({"type": "bye"})
        assert socket.closed()[1] == 1000


@pytest.mark.parametrize("headers, status", [
    ({"Sec-WebSocket-Version": "8"}, 426), ({"Sec-WebSocket-Version": None}, 426),
    ({"Sec-WebSocket-Key": None}, 400), ({"Sec-WebSocket-Key": "short"}, 400),
    ({"Upgrade": "h2c"}, 426), ({"Upgrade": None}, 426), ({"Connection": "close"}, 426)])
def test_what_is_no_handshake_is_refused(shared_server, headers, status):
    with pytest.raises(Refused) as refused:
        WebSocket(shared_server, PATH, headers)
    assert refused.value.status == status


@pytest.mark.parametrize("change", [
    {"token": ""}, {"token": None}, {"token": "guessed"}, {"token": "x" * 513},
    {"token": 7}, {"token": "01a203c4-5150-7038-b7cb-7a34a8e1fa27"}])
def test_without_the_right_token_there_is_no_call(shared_server, change):
    message = {**start_message(invite(shared_server)), **change}
    message = {name: value for name, value in message.items() if value is not None}
    with WebSocket(shared_server, PATH) as socket:
        socket.send(message)
        said, code = socket.closed()
    assert said[-1]["type"] == "end" and said[-1]["reason"] in ("refused", "protocol")
    assert code in (1000, POLICY)
    assert not [each for each in said if each["type"] in ("state", "reply")]


def test_a_token_is_good_for_one_call_only(shared_server):
    invitation = invite(shared_server)
    with SocketCaller(shared_server) as other, WebSocket(shared_server, PATH) as first:
        first.send(start_message(invitation))
        first.until("state")
        with WebSocket(shared_server, PATH) as replayed:
            replayed.send(start_message(invitation))
            said, _ = replayed.closed()
        assert [each["type"] for each in said] == ["end"] and said[0]["reason"] == "refused"
        first.send({"type": "text", "text": "goodbye"})
        assert "Goodbye" in first.until("reply")["text"], "the first call goes on"
        other.hang_up()
    with WebSocket(shared_server, PATH) as afterwards:
        afterwards.send(start_message(invitation))
        assert afterwards.closed()[0][-1]["reason"] == "refused"
    nobody_is_left(shared_server)


def test_a_token_belongs_to_its_call(shared_server):
    mine, other = invite(shared_server), invite(shared_server)
    with WebSocket(shared_server, PATH) as socket:
        socket.send({**start_message(mine), "call_id": other["call_id"]})
        said, _ = socket.closed()
    assert said[-1]["reason"] == "refused", said


def test_the_first_message_must_be_the_start(shared_server):
    for message in (b"\0" * 640, {"type": "text", "text": "hello"}, {"type": "mark", "id": 1}):
        with WebSocket(shared_server, PATH) as socket:
            socket.send(message)
            said, code = socket.closed()
        assert said[0]["type"] == "error" and "start" in said[0]["message"]
        assert code == POLICY


BAD_MESSAGES = {
    "no JSON": "hello", "half JSON": '{"type":"text",', "an array": "[]", "a number": "7",
    "nothing": "", "no type": "{}", "a type that is a number": '{"type":7}',
    "JSON in JSON": "{" * 4000, "a NUL": '{"type":"text","text":"a\\u0000b"}',
    "a second start": '{"type":"start","token":"x","call_id":"y"}',
    "an empty text": '{"type":"text","text":""}', "a long text": json.dumps(
        {"type": "text", "text": "a" * 2001}),
    "much JSON": json.dumps({"type": "later", "filler": "a" * 8200}),
    "a negative mark": '{"type":"mark","id":-1}', "a mark of text": '{"type":"mark","id":"seven"}',
    "no digit": '{"type":"dtmf","digit":"x"}', "two digits": '{"type":"dtmf","digit":"12"}',
    "half a sample": b"\0" * 639, "more than a second": b"\0" * (MAX_MESSAGE + 2)}


@pytest.mark.parametrize("name", BAD_MESSAGES)
def test_a_message_that_makes_no_sense_ends_the_call_with_words(shared_server, name):
    with started(shared_server) as socket:
        message = BAD_MESSAGES[name]
        socket.frame(BINARY if isinstance(message, bytes) else TEXT, message)
        said, code = socket.closed()
    assert code in (POLICY, TOO_LARGE), (code, said)
    if code == POLICY:
        assert [each for each in said if isinstance(each, dict) and each["type"] == "error"
                and each["message"]], said
    nobody_is_left(shared_server)


BAD_FRAMES = {
    "not masked": ({"opcode": TEXT, "payload": '{"type":"bye"}', "masked": False}, PROTOCOL),
    "an unknown opcode": ({"opcode": 3, "payload": "x"}, PROTOCOL),
    "an unknown control opcode": ({"opcode": 11, "payload": "x"}, PROTOCOL),
    "reserved bits": ({"opcode": TEXT, "payload": "{}", "reserved": 4}, PROTOCOL),
    "a long ping": ({"opcode": PING, "payload": "x" * 126}, PROTOCOL),
    "a ping in pieces": ({"opcode": PING, "payload": "x", "final": False}, PROTOCOL),
    "nothing to continue": ({"opcode": CONTINUATION, "payload": "x"}, PROTOCOL),
    "no UTF-8": ({"opcode": TEXT, "payload": b'{"type":"text","text":"\xff\xfe"}'}, BAD_TEXT),
    "half a letter": ({"opcode": TEXT, "payload": b'{"type":"text","text":"\xc3"}'}, BAD_TEXT),
    "10 MB of sound": ({"opcode": BINARY, "payload": b"\0" * 10000000}, TOO_LARGE),
    "a length of 4 GB": ({"opcode": BINARY, "payload": b"x", "length": 1 << 32}, TOO_LARGE),
    "a length with its top bit": ({"opcode": BINARY, "payload": b"x", "length": (1 << 64) - 1},
                                  PROTOCOL),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_a_frame_that_is_none_ends_that_call_only(shared_server, name):
    frame, expected = BAD_FRAMES[name]
    with SocketCaller(shared_server) as other, started(shared_server) as socket:
        socket.frame(**frame)
        _, code = socket.closed()
        assert code == expected
        other.socket.send({"type": "text", "text": "goodbye"})
        other.until(lambda: other.noted("reply", turn=1), "the other call goes on")
        other.hang_up()
    nobody_is_left(shared_server)


@pytest.mark.parametrize("rest", [
    b"\x81", b"\x81\xfe\x01", b"\x81\xff\0\0\0", b"\x81\x8aABCD",
    b"\x82\xfe\x02\x80ABCD" + b"z" * 99])
def test_a_line_that_breaks_within_a_frame_ends_its_call(shared_server, rest):
    invitation = invite(shared_server)
    with WebSocket(shared_server, PATH) as socket:
        socket.send(start_message(invitation))
        socket.until("state")
        socket.raw(rest)
        assert active_calls(shared_server) == 1
    nobody_is_left(shared_server)
    ended = record(shared_server, invitation["call_id"], lambda found: found["call"]["ended_at"],
                   "the end is in the records")["call"]
    assert ended["end_reason"], ended


def test_messages_may_come_in_pieces_with_pings_in_between(shared_server):
    text = json.dumps(start_message(invite(shared_server)))
    with WebSocket(shared_server, PATH) as socket:
        socket.frame(TEXT, text[0], final=False)
        for letter in text[1:-1]:
            socket.frame(CONTINUATION, letter, final=False)
            socket.frame(PING, letter)
        socket.frame(CONTINUATION, text[-1])
        assert socket.until("reply")["text"] == GREETING
        socket.frame(BINARY, b"\0" * 319, final=False)
        socket.frame(CONTINUATION, b"", final=False)
        socket.frame(CONTINUATION, b"\0" * 321)
        socket.send({"type": "bye"})
        said, code = socket.closed()
    assert said[-1] == {"type": "end", "reason": "hangup"} and code == 1000
    nobody_is_left(shared_server)


def test_a_message_that_begins_within_another_is_none(shared_server):
    with started(shared_server) as socket:
        socket.frame(BINARY, b"\0" * 320, final=False)
        socket.frame(BINARY, b"\0" * 320)
        assert socket.closed()[1] == PROTOCOL
    nobody_is_left(shared_server)


def test_a_message_of_many_pieces_is_bounded_as_a_whole(shared_server):
    with started(shared_server) as socket:
        socket.frame(BINARY, b"\0" * 1000, final=False)
        for _ in range(2 * MAX_MESSAGE // 1000):
            socket.frame(CONTINUATION, b"\0" * 1000, final=False)
        _, code = socket.closed()
    assert code in (TOO_LARGE, POLICY), code
    nobody_is_left(shared_server)


def test_a_flood_of_typed_lines_is_cut_and_harms_nobody(shared_server):
    with SocketCaller(shared_server) as caller, SocketCaller(shared_server) as other:
        caller.until(lambda: caller.noted("state"), "the call begins")
        for number in range(2000):
            caller.socket.send({"type": "text", "text": f"Monday {number}"})
        assert shared_server.get("/calls/health/").status == 200
        other.socket.send({"type": "text", "text": "I need an appointment"})
        other.until(lambda: other.noted("reply", turn=1), "the other's answer")
        other.hang_up()
        caller.hang_up()
    # A few in each second are taken; how many seconds it lasts is the machine's affair.
    assert 1000 <= figure(shared_server, caller, "dropped_words") <= 1990
    words = record(shared_server, caller.call_id, lambda found: found["call"]["ended_at"],
                   "the end is in the records")["messages"]
    assert 1 <= sum(each["role"] == "user" for each in words) <= 1000


def test_sound_that_comes_faster_than_it_is_spoken_is_dropped(shared_server):
    with SocketCaller(shared_server) as caller:
        caller.until(lambda: caller.noted("state"), "the call begins")
        for _ in range(60):
            caller.socket.send(b"\0" * MAX_MESSAGE)
        caller.until(lambda: caller.noted("heard", turn=0), "the greeting is heard all the same")
        caller.hang_up()
    assert figure(shared_server, caller, "dropped_ms") > 40000


def test_who_speaks_while_the_agent_speaks_stops_it(shared_server):
    words = caller_voice.sentence("rms", 0)
    with SocketCaller(shared_server) as caller:
        caller.until(lambda: len(caller.sound) > 16000, "the greeting is being played")
        said = caller.until(lambda: [each for each in caller.noted("heard", turn=1)],
                            "the words spoken over the greeting are answered",
                            say=caller_voice.at_16_khz(words))
        kinds = [each["type"] for each in caller.messages]
        caller.hang_up()
    assert kinds.count("clear") == 1 and caller.dropped_s > 0.1
    greeting = caller.noted("heard", turn=0)[0]
    assert greeting["interrupted"] and GREETING.startswith(greeting["text"].rstrip())
    assert len(greeting["text"]) < len(GREETING) / 2
    assert kinds.index("clear") < kinds.index("heard")
    assert said[0]["interrupted"] is False and "day" in said[0]["text"]
    stored = record(shared_server, caller.call_id, lambda found: len(found["messages"]) >= 3,
                    "the conversation is in the records")["messages"]
    assert stored[0]["heard"] == greeting["text"] and stored[0]["content"] == GREETING
    assert "appointment" in stored[1]["content"] and stored[1]["provider"] == "sphinx"


@pytest.mark.alone
def test_two_callers_at_once_are_two_conversations(shared_server):
    with SocketCaller(shared_server) as one, SocketCaller(shared_server) as other:
        both = [one, other]
        for turn, lines in enumerate([("I need an appointment", "I need an appointment"),
                                      ("Monday", "Friday"), ("goodbye", "goodbye")], 1):
            for caller, line in zip(both, lines):
                caller.socket.send({"type": "text", "text": line})
            # Words before an answer is heard belong to its question.
            until(both, lambda turn=turn: all(each.noted("heard", turn=turn) for each in both),
                  f"both hear their answer {turn}")
        until(both, lambda: one.is_over and other.is_over, "both calls end")
    for caller in both:
        assert caller.noted("end")[0]["reason"] == "hangup"
        assert caller.noted("ended")[0]["reason"] == "completed"
    for caller, day, strange in ((one, "Monday", "Friday"), (other, "Friday", "Monday")):
        found = record(shared_server, caller.call_id, lambda found: found["call"]["ended_at"],
                       "the end is in the records")
        said = " ".join(each["content"] for each in found["messages"])
        assert day in said and strange not in said
        assert found["call"]["status"] == "completed"
        assert caller_voice.loudness(struct.unpack(f"<{len(caller.sound) // 2}h",
                                                   caller.sound)) > 300
    nobody_is_left(shared_server)
