# SPDX-License-Identifier: ISC
"""What the port answers to those who ask rightly: health, records, chat, voice, pages."""
import base64
import concurrent.futures
import datetime
import io
import math
import re
import struct
import uuid
import wave

import pytest

import program

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
PAGES = ["/calls/voice-test/", "/calls/test/"]


@pytest.fixture(scope="module")
def chats(shared_server):
    """Seven conversations by text, the first of them with two lines; their ids."""
    sessions = []
    for number in range(7):
        answer = shared_server.post("/calls/test-chat/", {"message": f"I want {number}"})
        assert answer.status == 200, answer.text
        sessions.append(answer.json["session"])
    shared_server.post("/calls/test-chat/", {"message": "yes", "session": sessions[0]})

    def recorded():
        calls = shared_server.get("/calls/call-history/?per_page=200").json["calls"]
        return set(sessions) <= {call["call_id"] for call in calls}
    program.eventually(recorded, "the calls are in the records")
    return sessions


def test_health_tells_state_version_calls_and_providers(shared_server):
    answer = shared_server.get("/calls/health/")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json["status"] == "ok"
    assert re.fullmatch(r"\d+\.\d+\.\d+", answer.json["version"])
    assert answer.json["active_calls"] == 0
    assert set(answer.json["providers"]) >= {"sphinx", "script", "flite", "browser", "wav"}
    assert {provider["state"] for provider in answer.json["providers"].values()} == {"ok"}


@pytest.mark.parametrize("path", ["/calls/health/", "/calls/call-history/", "/calls/voice-test/",
                                  "/calls/test/", "/calls/agents/"])
def test_a_path_is_the_same_without_its_closing_slash(shared_server, path):
    for variant in (path, path[:-1]):
        answer = shared_server.get(variant)
        assert answer.status == 200, variant
        assert answer.headers["Content-Type"] == shared_server.get(path).headers["Content-Type"]


def test_a_head_request_is_answered_without_a_body(shared_server):
    for path in ("/calls/health/", "/calls/voice-test/", "/nowhere"):
        answer = shared_server.request("HEAD", path)
        assert answer.status == shared_server.get(path).status
        assert answer.body == b""


def test_chat_answers_and_remembers_its_session(shared_server):
    first = shared_server.post("/calls/test-chat/", {"message": "I need an appointment"})
    assert first.status == 200
    assert "day" in first.json["reply"]
    assert UUID7.fullmatch(first.json["session"])
    second = shared_server.post("/calls/test-chat",
                                {"message": "on Monday", "session": first.json["session"]})
    assert second.json["session"] == first.json["session"]
    assert "Monday" in second.json["reply"]


def test_two_sessions_know_nothing_of_each_other(shared_server):
    one = shared_server.post("/calls/test-chat/", {"message": "I need an appointment"}).json
    other = shared_server.post("/calls/test-chat/", {"message": "cancel my appointment"}).json
    assert one["session"] != other["session"]
    answer = shared_server.post("/calls/test-chat/",
                                {"message": "on Friday", "session": one["session"]})
    assert "Friday" in answer.json["reply"]


def test_a_session_that_is_not_there_is_told(shared_server):
    for session in (str(uuid.uuid4()), "01a203c4-5150-7038-b7cb-7a34a8e1fa27", "x", "x" * 5000):
        answer = shared_server.post("/calls/test-chat/", {"message": "hello", "session": session})
        assert answer.status == 404
        assert "No such session" in answer.json["detail"]


def test_a_chat_that_said_goodbye_is_over(shared_server):
    first = shared_server.post("/calls/test-chat/", {"message": "goodbye"}).json
    assert "Goodbye" in first["reply"]
    after = shared_server.post("/calls/test-chat/",
                               {"message": "one more", "session": first["session"]})
    assert after.status in (404, 410)


def test_an_agent_that_is_not_there_is_told(shared_server):
    answer = shared_server.post("/calls/test-chat/", {"message": "hello", "agent": "nobody"})
    assert answer.status == 404
    assert "agent" in answer.json["detail"]


def test_voice_answers_with_sound_of_the_same_words(shared_server):
    answer = shared_server.post("/calls/test-voice/", {"message": "I need an appointment"})
    assert answer.status == 200
    assert "day" in answer.json["reply"]
    assert answer.json["format"] == "audio/wav"
    sound = base64.b64decode(answer.json["audio"], validate=True)
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        rate = file.getframerate()
        frames = file.readframes(file.getnframes())
        assert len(frames) == 2 * file.getnframes(), "the header tells the right length"
    samples = struct.unpack(f"<{len(frames) // 2}h", frames)
    seconds = len(samples) / rate
    assert 0.08 * len(answer.json["reply"]) * 0.4 < seconds < 0.08 * len(answer.json["reply"]) * 3
    assert math.sqrt(sum(s * s for s in samples) / len(samples)) > 300, "it is no silence"


def test_a_conversation_may_turn_its_voice_on_and_off(shared_server):
    session, sizes = None, []
    for path, message in (("/calls/test-chat/", "I need an appointment"),
                          ("/calls/test-voice/", "Monday"), ("/calls/test-chat/", "nine o'clock"),
                          ("/calls/test-voice/", "my name is Mary Smith")):
        body = {"message": message, **({"session": session} if session else {})}
        answer = shared_server.post(path, body).json
        session = answer["session"]
        sizes.append(len(answer.get("audio", "")))
    assert sizes[0] == sizes[2] == 0 and min(sizes[1], sizes[3]) > 20000, sizes


def test_history_lists_the_newest_call_first(shared_server, chats):
    calls = shared_server.get("/calls/call-history/?per_page=200").json["calls"]
    began = [call["started_at"] for call in calls]
    assert began == sorted(began, reverse=True)
    for call in calls:
        datetime.datetime.strptime(call["started_at"], "%Y-%m-%dT%H:%M:%S.%fZ")
        assert UUID7.fullmatch(call["call_id"])
        assert call["direction"] in ("inbound", "outbound")
        assert {"call_sid", "from", "to", "status", "duration_s", "agent"} <= set(call)
    assert set(chats) <= {call["call_id"] for call in calls}


def test_history_comes_in_pages_that_neither_repeat_nor_leave_out(shared_server, chats):
    first = shared_server.get("/calls/call-history/?page=1&per_page=3").json
    assert (first["page"], first["per_page"]) == (1, 3)
    assert len(first["calls"]) == 3
    assert first["pages"] == math.ceil(first["total"] / 3)
    assert first["total_exact"] is True
    seen = []
    for page in range(1, first["pages"] + 1):
        answer = shared_server.get(f"/calls/call-history/?page={page}&per_page=3").json
        seen += [call["call_id"] for call in answer["calls"]]
    assert len(seen) == len(set(seen)) == first["total"]
    assert set(chats) <= set(seen)
    beyond = shared_server.get(f"/calls/call-history/?page={first['pages'] + 1}&per_page=3").json
    assert beyond["calls"] == [] and beyond["total"] == first["total"]


@pytest.mark.parametrize("question, some", [
    ("status=in_progress", True), ("status=failed", False), ("direction=inbound", True),
    ("direction=outbound", False), ("agent=default", True), ("agent=nobody", False),
    ("since=2020-01-01T00:00:00Z", True), ("until=2020-01-01T00:00:00Z", False),
    ("number=%2B15550100", False), ("agent=default&direction=outbound", False)])
def test_history_is_filtered(shared_server, chats, question, some):
    answer = shared_server.get(f"/calls/call-history/?{question}")
    assert answer.status == 200, answer.text
    assert chats and (answer.json["total"] > 0) == some
    assert (len(answer.json["calls"]) > 0) == some


@pytest.mark.parametrize("question", [
    "page=0", "page=-1", "page=x", "page=1.5", "page=99999999999999999999", "per_page=0",
    "per_page=201", "per_page=1e3", "status=great", "direction=sideways", "since=yesterday",
    "until=2020-13-45T00:00:00Z"])
def test_a_parameter_of_history_that_makes_no_sense_is_told(shared_server, question):
    answer = shared_server.get(f"/calls/call-history/?{question}")
    assert answer.status == 400, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert question.split("=")[0] in answer.json["detail"]


def test_detail_has_everything_of_a_call(shared_server, chats):
    def detail():
        answer = shared_server.get(f"/calls/call-detail/{chats[0]}/").json
        said = [message["content"] for message in answer["messages"] if message["role"] == "user"]
        return answer if said == ["I want 0", "yes"] else None
    answer = program.eventually(detail, "both lines are in the records")
    assert answer["call"]["call_id"] == chats[0]
    assert answer["call"]["status"] == "in_progress"
    assert set(answer) >= {"call", "messages", "events", "turns", "cost"}
    assert [message["role"] for message in answer["messages"]].count("assistant") >= 2
    for message in answer["messages"]:
        assert {"role", "content", "heard", "turn", "at"} <= set(message)
        assert message["heard"] is None or message["role"] == "assistant"
    assert answer["cost"]["total"] == 0


@pytest.mark.parametrize("identity", ["nobody", "01a203c4-5150-7038-b7cb-7a34a8e1fa27", "%00",
                                      "%ff", "a%2Fb", "'%20OR%201=1--", "..%2f..%2fsecret"])
def test_the_detail_of_no_call_is_not_found(shared_server, identity):
    answer = shared_server.get(f"/calls/call-detail/{identity}/")
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_hang_up_ends_a_live_conversation(shared_server):
    session = shared_server.post("/calls/test-chat/", {"message": "hello"}).json["session"]
    answer = shared_server.post(f"/calls/{session}/hangup/")
    assert answer.status == 202

    def ended():
        call = shared_server.get(f"/calls/call-detail/{session}/").json.get("call")
        return call and call["ended_at"] and call
    call = program.eventually(ended, "the records say that it has ended")
    assert call["status"] == "completed"
    assert call["end_reason"] == "hung_up_by_api"
    assert shared_server.post(f"/calls/{session}/hangup").status == 404


def test_pages_and_what_they_load_are_served_whole(shared_server):
    for page in PAGES:
        answer = shared_server.get(page)
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.text.lstrip().lower().startswith("<!doctype html>")
        loaded = re.findall(r'(?:src|href)="(/[^"]+)"', answer.text)
        assert any(name.endswith(".js") for name in loaded)
        assert any(name.endswith(".css") for name in loaded)
        for name in loaded:
            part = shared_server.get(name)
            assert part.status == 200 and part.body, name
            assert int(part.headers["Content-Length"]) == len(part.body)
        assert not re.findall(r'(?:src|href)="https?:', answer.text), "nothing from elsewhere"


def test_a_page_that_the_browser_has_is_not_sent_again(shared_server):
    first = shared_server.get("/static/style.css")
    again = shared_server.get("/static/style.css",
                              headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    changed = shared_server.get("/static/style.css", headers={"If-None-Match": '"other"'})
    assert (changed.status, changed.body) == (200, first.body)


@pytest.mark.parametrize("path", [
    "/static/", "/static/nothing.js", "/static/../aicaller.conf", "/static/%2e%2e/aicaller.conf",
    "/static//etc/passwd", "/static/..%2f..%2faicaller.conf", "/aicaller.db", "/secret"])
def test_nothing_but_the_pages_is_served(shared_server, path):
    assert shared_server.get(path).status == 404


def test_everything_carries_the_headers_that_protect(shared_server):
    for path in [*PAGES, "/static/style.css"]:
        headers = shared_server.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
    for path in ("/calls/health/", "/calls/call-history/", "/calls/call-detail/nobody/"):
        headers = shared_server.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "Server" not in headers and "Access-Control-Allow-Origin" not in headers


def test_a_hundred_clients_at_once_are_all_answered(shared_server):
    def ask(number):
        if number % 4 == 0:
            return shared_server.post("/calls/test-chat/", {"message": "hello"}, seconds=60).status
        paths = ["/calls/health/", "/calls/call-history/", "/calls/voice-test/"]
        return shared_server.get(paths[number % 3], seconds=60).status
    with concurrent.futures.ThreadPoolExecutor(100) as clients:
        answers = list(clients.map(ask, range(300)))
    # 75 conversations are less than the 100 that one worker takes, with those of other tests.
    assert set(answers) <= {200, 429}, set(answers)
    assert answers.count(429) == 0


def test_a_server_that_stops_now_forgets_no_line_that_waits_for_its_answer(serve):
    server = serve()
    body = b'{"message": "I would like to change my appointment, please"}'
    lines = [program.socket.create_connection(("127.0.0.1", server.port)) for _ in range(8)]
    for line in lines:
        line.sendall(b"POST /calls/test-voice/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
                     b"application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    program.eventually(lambda: server.get("/calls/health/").json["active_calls"] == 8,
                       "all are being answered")
    # The address sanitizer tells what is left behind.
    assert server.stop(program.signal.SIGINT) == 0
    for line in lines:
        line.close()
